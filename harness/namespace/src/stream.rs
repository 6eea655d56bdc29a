//! Bodies and connections, as they pass through the supervisor: streamed, never gathered, except what the supervisor
//! itself has to read.

use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client, server,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, io};
use tokio::io::{AsyncRead, AsyncWrite};

/// Headers of one message. The platform bounds their bytes and not their number; hyper would stop at a hundred.
const MAX_HEADERS: usize = 4096;

pub type BodyError = Box<dyn std::error::Error + Send + Sync>;
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("connecting: {0}")]
    Connect(#[source] io::Error),
    #[error("exchanging HTTP: {0}")]
    Http(#[from] hyper::Error),
}

pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

pub fn empty() -> Body {
    full(Bytes::new())
}

/// Serves one connection until it ends. Why it broke is for whoever was at its other end.
pub async fn serve<S, F>(stream: S, answer: impl Fn(Request<Incoming>) -> F)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Response<Body>>,
{
    let service = service_fn(|request| {
        let answered = answer(request);
        async { Ok::<_, Infallible>(answered.await) }
    });
    let _broken = server::conn::http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// One request on a connection of its own, which ends with the response's body.
pub async fn send<S>(stream: S, request: Request<Body>) -> Result<Response<Incoming>, SendError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) =
        client::conn::http1::Builder::new().max_headers(MAX_HEADERS).handshake(TokioIo::new(stream)).await?;
    // How the connection ends is told by what is read from it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender.send_request(request).await?)
}
