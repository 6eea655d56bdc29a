//! How `harness fault` reaches a world that another process serves: HTTP on loopback, at an address that stands in the run's
//! folder and has a token in it, because the port is open to every local process.

use std::{
    convert::Infallible,
    fmt, fs, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, task::JoinHandle};

use super::faults::Switchboard;
use system::folders::write_private;

/// The file with the address.
pub const CONTROL: &str = "control.json";
/// More than any fault needs.
const MAX_WORDS_BYTES: usize = 64 * 1024;
/// A world that does not answer by then is none.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ControlError {
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
    #[error("no world is being served{}", place(.0.as_deref()))]
    #[diagnostic(help(
        "start one with `serve`, and call this beside it; `--run-dir` names its folder, which it prints as `events`"
    ))]
    Nobody(Option<PathBuf>),
    #[error("the world does not answer")]
    Silent(#[source] reqwest::Error),
    #[error("{0}")]
    Refused(String),
}

fn place(folder: Option<&Path>) -> String {
    folder.map(|folder| format!(" in {}", folder.display())).unwrap_or_default()
}

/// The answer of a world about its faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    #[serde(default)]
    pub faults: Vec<ToldFault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldFault {
    pub on: String,
    pub call: String,
    pub fault: String,
    /// Calls that it took.
    pub taken: u64,
    /// Seconds since it began.
    pub for_s: u64,
}

impl fmt::Display for ToldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { on, call, fault, taken, for_s } = self;
        write!(f, "{on} {call} {fault}, for {for_s} s, {taken} calls hit")
    }
}

#[derive(Serialize, Deserialize)]
struct Address {
    url: String,
}

/// The world's end: serves until it is dropped.
pub struct Control {
    file: PathBuf,
    server: JoinHandle<()>,
}

impl Control {
    /// Listens, and writes the address to the run's folder.
    pub async fn open(run_dir: &Path, token: &str, board: Arc<Switchboard>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/{token}/faults", listener.local_addr()?);
        let file = run_dir.join(CONTROL);
        let address = serde_json::to_string(&Address { url }).map_err(io::Error::other)?;
        write_private(&file, address)?;
        let path: Arc<str> = format!("/{token}/faults").into();
        let server = tokio::spawn(async move {
            loop {
                // An accept fails when the caller hung up first; the next one may be well.
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (board, path) = (Arc::clone(&board), Arc::clone(&path));
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, &path, &board));
                    let served = hyper::server::conn::http1::Builder::new();
                    // A caller that went away has heard enough.
                    let _gone = served.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { file, server })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.server.abort();
        // Whoever looks for a world asks it first, so that a file that stays misleads nobody.
        let _stays = fs::remove_file(&self.file);
    }
}

async fn answer(
    request: Request<Incoming>,
    path: &str,
    board: &Switchboard,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() != path {
        return Ok(said(StatusCode::NOT_FOUND, &Told::default()));
    }
    let told = match *request.method() {
        Method::GET => Ok(board.list()),
        Method::DELETE => Ok(board.clear()),
        Method::POST => match Limited::new(request.into_body(), MAX_WORDS_BYTES).collect().await {
            Ok(body) => board.add(&String::from_utf8_lossy(&body.to_bytes())).map(|fault| vec![fault]),
            Err(_) => Err("these are too many words for a fault".to_owned()),
        },
        _ => Err("faults are added, listed and cleared".to_owned()),
    };
    Ok(match told {
        Ok(faults) => said(StatusCode::OK, &Told { faults, error: None }),
        Err(error) => said(StatusCode::BAD_REQUEST, &Told { faults: Vec::new(), error: Some(error) }),
    })
}

fn said(status: StatusCode, told: &Told) -> Response<Full<Bytes>> {
    let json = serde_json::to_vec(told).expect("text and numbers are JSON");
    let mut response = Response::new(Full::new(json.into()));
    *response.status_mut() = status;
    response
}

/// The other end: a world that answers.
pub struct Served {
    http: reqwest::Client,
    url: String,
}

/// Finds the world of that folder, or the latest below `runs`.
pub async fn find(run_dir: Option<&Path>, runs: &Path) -> Result<Served, ControlError> {
    let http = system::http_client::builder().timeout(PATIENCE).build().map_err(ControlError::Client)?;
    let folders = match run_dir {
        Some(folder) => vec![folder.to_owned()],
        None => latest_first(runs),
    };
    for folder in folders {
        let Some(url) = address(&folder) else { continue };
        let served = Served { http: http.clone(), url };
        if served.list().await.is_ok() {
            return Ok(served);
        }
    }
    Err(ControlError::Nobody(Some(run_dir.unwrap_or(runs).to_owned())))
}

fn address(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(CONTROL)).ok()?;
    Some(serde_json::from_str::<Address>(&text).ok()?.url)
}

fn latest_first(runs: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries
        .filter_map(|entry| {
            let file = entry.path().join(CONTROL);
            Some((fs::metadata(&file).ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    folders.sort();
    folders.into_iter().rev().map(|(_, folder)| folder).collect()
}

impl Served {
    pub async fn add(&self, words: &str) -> Result<Told, ControlError> {
        told(self.http.post(&self.url).body(words.to_owned())).await
    }

    pub async fn list(&self) -> Result<Told, ControlError> {
        told(self.http.get(&self.url)).await
    }

    pub async fn clear(&self) -> Result<Told, ControlError> {
        told(self.http.delete(&self.url)).await
    }
}

async fn told(request: reqwest::RequestBuilder) -> Result<Told, ControlError> {
    let response = request.send().await.map_err(ControlError::Silent)?;
    let body = response.bytes().await.map_err(ControlError::Silent)?;
    match serde_json::from_slice::<Told>(&body) {
        Ok(Told { error: Some(error), .. }) => Err(ControlError::Refused(error)),
        Ok(told) => Ok(told),
        Err(_) => Err(ControlError::Nobody(None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doubles::Script;
    use journal::Journal;
    use system::clock::SystemClock;

    #[tokio::test]
    async fn a_fault_is_switched_from_another_process() {
        let runs = std::env::temp_dir().join(format!("402claw-control-{}", std::process::id()));
        let folder = runs.join("serve-1");
        fs::create_dir_all(&folder).unwrap();
        assert!(matches!(find(None, &runs).await, Err(ControlError::Nobody(_))));
        let (journal, _seen) = Journal::channel(Arc::new(SystemClock::start()));
        let script = Arc::new(Script::new(Vec::new()));
        let board = Arc::new(Switchboard::new(vec![("primary".to_owned(), Arc::clone(&script))], journal));
        let control = Control::open(&folder, "token", board).await.unwrap();
        let served = find(None, &runs).await.map_err(miette::Report::new).unwrap();
        let on = served.add("primary settle hang").await.map_err(miette::Report::new).unwrap();
        assert_eq!((on.faults.len(), on.faults[0].fault.as_str(), on.faults[0].call.as_str()), (1, "hang", "settle"));
        let Err(ControlError::Refused(why)) = served.add("primary settle hangs").await else { panic!("no such fault") };
        assert!(why.contains("did you mean `hang`?"), "{why}");
        assert_eq!(served.list().await.map_err(miette::Report::new).unwrap().faults.len(), 1);
        assert_eq!(served.clear().await.map_err(miette::Report::new).unwrap().faults.len(), 1);
        assert_eq!(served.list().await.map_err(miette::Report::new).unwrap(), Told::default());
        drop(control);
        assert!(matches!(find(Some(&folder), &runs).await, Err(ControlError::Nobody(_))));
        fs::remove_dir_all(runs).unwrap();
    }
}
