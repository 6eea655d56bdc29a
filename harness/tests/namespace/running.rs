//! A running `harness namespace` with a folder of tenants, as a test sees it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Far beyond what anything here takes, also beside builds.
pub const LIMIT: Duration = Duration::from_secs(60);

static NEXT: AtomicU32 = AtomicU32::new(0);

pub struct Running {
    child: Child,
    pub address: SocketAddr,
    pub plugin: PathBuf,
    folder: PathBuf,
    records: Mutex<UnboundedReceiver<Value>>,
    http: reqwest::Client,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Running {
    /// With one tenant, `alpha`.
    pub fn start(source: &str) -> Running {
        Running::start_with(source, &[])
    }

    pub fn start_with(source: &str, args: &[&str]) -> Running {
        let folder = new_folder();
        write(&folder.join("tenants/alpha/index.mjs"), source);
        Running::start_in(folder, args)
    }

    /// With a thousand tenants, `t0` and so on.
    pub fn start_thousand(source: &str) -> Running {
        let folder = new_folder();
        (0..1000).for_each(|nth| write(&folder.join(format!("tenants/t{nth}.mjs")), source));
        Running::start_in(folder, &[])
    }

    fn start_in(folder: PathBuf, args: &[&str]) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(["namespace", "--format", "json", "--port", "0", "--tenants"])
            .arg(folder.join("tenants"))
            .arg("--plugin-dir")
            .arg(folder.join("plugin"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let started: Value = serde_json::from_str(&lines.next().expect("it says where it listens").unwrap()).unwrap();
        let (send, records) = unbounded_channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // A test that has seen enough does not listen any more.
                let _unheard = send.send(serde_json::from_str(&line).expect("every line is a record"));
            }
        });
        Running {
            child,
            address: started["address"].as_str().unwrap().parse().unwrap(),
            plugin: started["plugin"].as_str().unwrap().into(),
            folder,
            records: Mutex::new(records),
            http: system::http_client::builder().build().unwrap(),
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn deploy(&self, file: &str, source: &str) {
        write(&self.folder.join("tenants").join(file), source);
    }

    pub async fn get(&self, script: &str, path: &str, limits: Value) -> Answer {
        self.try_get(script, path, limits).await.unwrap()
    }

    pub async fn try_get(&self, script: &str, path: &str, limits: Value) -> reqwest::Result<Answer> {
        let dispatch = json!({ "script": script, "url": format!("https://shop.example{path}"), "limits": limits });
        let asked = self.http.get(format!("http://{}/", self.address)).timeout(LIMIT);
        let answer = asked.header("x-namespace-dispatch", dispatch.to_string()).send().await?;
        Ok(Answer { status: answer.status().as_u16(), text: answer.text().await? })
    }

    /// The record of the next invocation that ended.
    pub async fn record(&self) -> Value {
        let mut records = self.records.lock().await;
        timeout(LIMIT, records.recv()).await.expect("every invocation is told").expect("the namespace runs")
    }

    /// The supervisor, its guard and the tenants' processes: the first two have the test's folder in their arguments, the
    /// others are children of those. Each with the folder that it works in.
    pub fn processes(&self) -> Vec<(u32, PathBuf)> {
        let all: Vec<(u32, PathBuf)> = fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
            .collect();
        let folder = self.folder.to_str().unwrap();
        let has_folder = |process: &Path| {
            let arguments = fs::read(process.join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).contains(folder)
        };
        let parent = |process: &Path| {
            let stat = fs::read_to_string(process.join("stat")).ok()?;
            stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok()
        };
        let own: Vec<u32> = all.iter().filter(|(_, process)| has_folder(process)).map(|(pid, _)| *pid).collect();
        all.iter()
            .filter(|(pid, process)| own.contains(pid) || parent(process).is_some_and(|parent| own.contains(&parent)))
            .map(|(pid, process)| (*pid, fs::read_link(process.join("cwd")).unwrap_or_default()))
            .collect()
    }

    /// The folders that tenants' processes work in.
    pub fn tenant_processes(&self) -> Vec<PathBuf> {
        let folders = self.processes().into_iter().map(|(_, cwd)| cwd);
        folders.filter(|cwd| cwd.join("workerd.capnp").exists()).collect()
    }

    /// The harness that was typed; the supervisor and its guard are other processes.
    pub fn kill(&mut self) {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL).unwrap();
        self.child.wait().unwrap();
    }
}

impl Answer {
    /// The error that the dispatcher would have been thrown.
    pub fn exception(&self) -> Value {
        assert_eq!(self.status, 599, "{self:?}");
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT);
        let _collected = self.child.wait();
        let _gone = fs::remove_dir_all(&self.folder);
    }
}

fn new_folder() -> PathBuf {
    let nth = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("namespace-live-{}-{nth}", std::process::id()))
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
