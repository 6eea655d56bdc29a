//! Bodies and connections, as they pass through the supervisor: streamed, never gathered, except what the supervisor
//! itself has to read.

use std::io;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

pub type BodyError = Box<dyn std::error::Error + Send + Sync>;
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("connecting")]
    Connect(#[source] io::Error),
    #[error("exchanging HTTP")]
    Http(#[from] hyper::Error),
}

pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

pub fn empty() -> Body {
    full(Bytes::new())
}

/// One request on a connection of its own, which ends with the response's body.
pub async fn send<S>(stream: S, request: Request<Body>) -> Result<Response<Incoming>, SendError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // How the connection ends is told by what is read from it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender.send_request(request).await?)
}
