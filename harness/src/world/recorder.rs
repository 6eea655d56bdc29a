//! Where what happens in other processes is reported: one POST a report, on loopback. Surprising constraint: the port is
//! open to every local process, so a report is believed only under the path that the random token makes. And whoever listens
//! is called before the report is answered: a tenant's answer waits for that, so what follows a run is told after it.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// A report is a script name, a few numbers and a request id; a caller chooses the last, up to workerd's header limit.
const MAX_REPORT_BYTES: usize = 128 * 1024;

/// Called with every report.
pub type OnReport<T> = Arc<dyn Fn(T) + Send + Sync>;

#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    path: Arc<str>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Recorder {
    pub async fn listen<T: DeserializeOwned + 'static>(token: &str, on: OnReport<T>) -> io::Result<Recorder> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let path: Arc<str> = format!("/{token}/reports").into();
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, Arc::clone(&path), on, stopped));
        Ok(Recorder { address, path, stop, server })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// Comes back when every report that had arrived was handed on.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.server.await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

async fn serve<T: DeserializeOwned + 'static>(
    listener: TcpListener,
    path: Arc<str>,
    on: OnReport<T>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // The sender is gone only when the recorder was dropped, which is a stop too.
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        // An accept fails when the caller hung up first; the next one may be well.
        let Ok((stream, _)) = accepted else { continue };
        let (path, on, mut stopped) = (Arc::clone(&path), Arc::clone(&on), stopped.clone());
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, &path, &on));
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            tokio::select! {
                // A connection that broke took no report with it that had arrived whole.
                _ = connection.as_mut() => return,
                _ = stopped.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
            }
            let _broken = connection.await;
        });
    }
    while connections.join_next().await.is_some() {}
}

async fn answer<T: DeserializeOwned>(
    request: Request<Incoming>,
    path: &str,
    on: &OnReport<T>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    Ok(status(match request.uri().path() == path {
        false => StatusCode::NOT_FOUND,
        true => match read(request).await {
            Some(report) => {
                on(report);
                StatusCode::NO_CONTENT
            }
            None => StatusCode::BAD_REQUEST,
        },
    }))
}

async fn read<T: DeserializeOwned>(request: Request<Incoming>) -> Option<T> {
    let body = Limited::new(request.into_body(), MAX_REPORT_BYTES).collect().await.ok()?;
    serde_json::from_slice(&body.to_bytes()).ok()
}

fn status(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use reports::event::TenantRun;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::mpsc;

    use super::*;

    fn into_channel() -> (OnReport<TenantRun>, mpsc::UnboundedReceiver<TenantRun>) {
        let (send, runs) = mpsc::unbounded_channel();
        (Arc::new(move |run| send.send(run).expect("the test listens")), runs)
    }

    async fn post(address: SocketAddr, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let length = body.len();
        let request =
            format!("POST {path} HTTP/1.1\r\nhost: r\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_report_is_handed_on_as_it_came() {
        let (ran, mut runs) = into_channel();
        let recorder = Recorder::listen("token", ran).await.unwrap();
        let body = r#"{"script":"alpha","cpu_ms":10,"request_id":"r1"}"#;
        assert!(post(recorder.address(), recorder.path(), body).await.starts_with("HTTP/1.1 204"));
        recorder.stop().await;
        let run = runs.recv().await.unwrap();
        assert_eq!((run.script.as_str(), run.cpu_ms, run.sub_requests), ("alpha", Some(10.0), None));
        assert_eq!(runs.recv().await, None);
    }

    #[tokio::test]
    async fn without_the_token_or_the_shape_nothing_is_believed() {
        let (ran, mut runs) = into_channel();
        let recorder = Recorder::listen("token", ran).await.unwrap();
        let body = r#"{"script":"alpha"}"#;
        assert!(post(recorder.address(), "/guess/reports", body).await.starts_with("HTTP/1.1 404"));
        assert!(post(recorder.address(), recorder.path(), "{}").await.starts_with("HTTP/1.1 400"));
        recorder.stop().await;
        assert_eq!(runs.recv().await, None);
    }
}
