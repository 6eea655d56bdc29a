//! A small HTTP server on a port of loopback, for the doubles of what the platform has. It ends when it is dropped, and its
//! connections with it.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// The answer: a status and a body.
pub type Answered = (StatusCode, Vec<u8>);

/// An answer as it goes out.
pub struct Reply(pub Response<Full<Bytes>>);

impl From<Answered> for Reply {
    fn from((status, body): Answered) -> Self {
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        Self(response)
    }
}

impl Loopback {
    pub async fn listen<F>(answer: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static) -> io::Result<Self>
    where
        F: Future<Output: Into<Reply>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, server: tokio::spawn(serve(listener, Arc::new(answer))) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve<F>(listener: TcpListener, answer: Arc<impl Fn(Request<Incoming>) -> F + Send + Sync + 'static>)
where
    F: Future<Output: Into<Reply>> + Send + 'static,
{
    // Dropped with this task, and so are the connections.
    let mut connections = JoinSet::new();
    loop {
        // An accept fails when the caller hung up first; the next one may be well.
        let Ok((stream, _)) = listener.accept().await else {
            // Or there is no room for another: not asked for again at once.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let answer = Arc::clone(&answer);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let answered = answer(request);
                async move {
                    let Reply(response) = answered.await.into();
                    Ok::<_, std::convert::Infallible>(response)
                }
            });
            // A connection that broke has nobody to tell.
            drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}
