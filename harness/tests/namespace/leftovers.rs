//! A namespace that is killed leaves no process and no port; no file either, where its supervisor could still tidy up.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::running::{LIMIT, Running};

const TENANT: &str = r#"
export default {
  fetch(request) {
    if (new URL(request.url).pathname === "/burn") for (;;);
    return new Response("here");
  },
};
"#;

const POLL: Duration = Duration::from_millis(50);

struct Before {
    processes: Vec<(u32, PathBuf)>,
    /// The folders that tenants' processes worked in.
    folders: Vec<PathBuf>,
}

impl Before {
    /// In the middle of an invocation that would burn for ever.
    async fn of(namespace: &Running) -> Before {
        assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "here");
        let burning = namespace.try_get("alpha", "/burn", json!({ "cpuMs": 600_000 }));
        assert!(tokio::time::timeout(Duration::from_secs(1), burning).await.is_err(), "it burns on");
        let before = Before { processes: namespace.processes(), folders: namespace.tenant_processes() };
        assert!(!before.folders.is_empty(), "{:?}", before.processes);
        before
    }

    async fn assert_gone(&self, namespace: &Running) {
        let mut waited = Duration::ZERO;
        let alive = |(pid, _): &&(u32, PathBuf)| is_running(Path::new("/proc").join(pid.to_string()));
        while let Some(survivor) = self.processes.iter().find(alive) {
            assert!(waited < LIMIT, "{survivor:?} survived");
            tokio::time::sleep(POLL).await;
            waited += POLL;
        }
        assert!(TcpStream::connect(namespace.address).is_err(), "the port is free");
    }
}

/// A zombie that nobody has collected does not run.
fn is_running(process: PathBuf) -> bool {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

#[tokio::test]
async fn nothing_is_left_behind_by_a_harness_killed_by_sigkill() {
    let mut namespace = Running::start(TENANT);
    let before = Before::of(&namespace).await;
    namespace.kill();
    before.assert_gone(&namespace).await;
    assert!(before.folders.iter().all(|folder| !folder.exists()), "{:?}", before.folders);
}

#[tokio::test]
async fn no_process_is_left_behind_by_a_supervisor_killed_by_sigkill() {
    let namespace = Running::start(TENANT);
    let before = Before::of(&namespace).await;
    let arguments = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_supervisor = |pid: &u32| arguments(*pid).split(|byte| *byte == 0).nth(1) == Some(b"__namespace");
    let supervisor = before.processes.iter().map(|(pid, _)| *pid).find(is_supervisor).unwrap();
    kill(Pid::from_raw(supervisor.cast_signed()), Signal::SIGKILL).unwrap();
    before.assert_gone(&namespace).await;
    // Nobody was left who could have removed its files.
    fs::remove_dir_all(before.folders[0].ancestors().nth(2).unwrap()).unwrap();
}
