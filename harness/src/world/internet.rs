//! The internet for a seller's own Workers on this machine: whatever they ask of it is really asked, on loopback too, where the API
//! behind a proxy may run.
//!
//! Surprising constraint: the outbound Worker's rules are not applied here, and a redirect is the Worker's own to follow. This is
//! for code that the person who starts it has written; no scenario and no judge uses it.

use super::loopback::{Loopback, Reply};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING},
};
use reqwest::{Client, redirect::Policy};
use std::{io, net::SocketAddr, time::Duration};
use system::http_client;

const PATIENCE: Duration = Duration::from_secs(30);
/// More than a response that is sold may have.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// The platform's own word about who asks, which is for an outbound Worker alone.
const OURS: &str = "x-namespace-outbound";

/// A running one. It ends when it is dropped.
#[derive(Debug)]
pub struct Internet(Loopback);

impl Internet {
    pub async fn listen() -> io::Result<Self> {
        let client = http_client::of_strangers().redirect(Policy::none()).timeout(PATIENCE).build();
        let client = client.map_err(io::Error::other)?;
        let answer = move |request| {
            let client = client.clone();
            async move {
                ask(&client, request)
                    .await
                    .unwrap_or_else(|why| Reply::from((StatusCode::BAD_GATEWAY, why.into_bytes())))
            }
        };
        Ok(Self(Loopback::listen(answer).await?))
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Asks for what the request names in absolute form.
async fn ask(client: &Client, request: Request<Incoming>) -> Result<Reply, String> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await.map_err(|error| error.to_string())?.to_bytes();
    let mut asked = client.request(head.method, head.uri.to_string()).body(body);
    let left_out = [HOST, CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH, HeaderName::from_static(OURS)];
    for (name, value) in head.headers.iter().filter(|(name, _)| !left_out.contains(name)) {
        asked = asked.header(name, value);
    }
    let answered = asked.send().await.map_err(|error| error.to_string())?;
    let mut response = Response::builder().status(answered.status());
    for (name, value) in answered.headers().iter().filter(|(name, _)| !left_out.contains(name)) {
        response = response.header(name, value);
    }
    let body: Bytes = answered.bytes().await.map_err(|error| error.to_string())?;
    response.body(Full::new(body)).map(Reply).map_err(|error| error.to_string())
}
