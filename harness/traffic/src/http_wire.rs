//! The live tier's wire: real HTTP. No proxy that the environment names comes between, and no redirect is followed, so that
//! a client sees exactly what the dispatcher said.

use super::wire::{Broken, PATIENCE, Wire, WireAnswer, WireRequest};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::Body;
use std::{convert::Infallible, time::Duration};

pub struct HttpWire {
    http: reqwest::Client,
    /// `http://127.0.0.1:<port>` of each dispatcher.
    urls: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("the harness's HTTP client cannot be set up")]
pub struct HttpError(#[from] reqwest::Error);

impl HttpWire {
    pub fn new(urls: Vec<String>) -> Result<Self, HttpError> {
        let http =
            system::http_client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build()?;
        Ok(Self { http, urls })
    }

    fn request(&self, dispatcher: usize, request: WireRequest) -> reqwest::RequestBuilder {
        let WireRequest { method, target, host, headers, body, body_after } = request;
        let mut builder = self.http.request(method, format!("{}{target}", self.urls[dispatcher]));
        if let Some(host) = host {
            builder = builder.header("host", host);
        }
        let builder = headers.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        match (body.is_empty(), body_after.is_zero()) {
            (true, _) => builder,
            (false, true) => builder.body(body),
            (false, false) => builder.body(late(body, body_after)),
        }
    }
}

impl Wire for HttpWire {
    fn dispatchers(&self) -> usize {
        self.urls.len()
    }

    fn send(&self, dispatcher: usize, request: WireRequest) -> BoxFuture<'_, Result<WireAnswer, Broken>> {
        receive(self.request(dispatcher, request)).map(|received| received.map_err(|error| describe(&error))).boxed()
    }
}

/// A body of which nothing is sent for a while.
fn late(body: String, after: Duration) -> Body {
    let whole = futures_util::stream::once(async move {
        tokio::time::sleep(after).await;
        Ok::<_, Infallible>(Frame::data(Bytes::from(body)))
    });
    Body::wrap(StreamBody::new(whole))
}

async fn receive(request: reqwest::RequestBuilder) -> Result<WireAnswer, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(WireAnswer { status, headers, body: response.bytes().await?.to_vec() })
}

/// The innermost cause says what happened; reqwest's own text repeats the URL.
fn describe(error: &reqwest::Error) -> Broken {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Broken(if error.is_timeout() { format!("timeout: {cause}") } else { cause.to_string() })
}
