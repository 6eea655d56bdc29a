//! A client's request as it reaches a simulated isolate.

use dispatcher_core::ports::{CollectError, Inbound};
use reqwest::header::HeaderMap;
use std::time::Duration;
use traffic::WireRequest;

/// The host of a dispatcher where no tenant's host is.
const OWN_HOST: &str = "dispatcher.test";

pub struct SimRequest {
    method: String,
    host: String,
    origin: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    body: String,
    body_after: Duration,
}

impl From<WireRequest> for SimRequest {
    fn from(request: WireRequest) -> Self {
        let WireRequest { method, target, host, headers, body, body_after } = request;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (target, None),
        };
        let host = host.unwrap_or_else(|| OWN_HOST.to_owned());
        let headers =
            headers.into_iter().map(|(name, value)| (name.parse().expect("clients send valid header names"), value));
        let origin = format!("http://{host}");
        Self { method: method.to_string(), host, origin, path, query, headers: headers.collect(), body, body_after }
    }
}

impl SimRequest {
    /// With names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, String)> {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        self.headers.iter().map(move |(name, value)| (name.as_str(), text(value.as_bytes())))
    }
}

impl Inbound for SimRequest {
    fn method(&self) -> &str {
        &self.method
    }

    fn origin(&self) -> &str {
        &self.origin
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    async fn body(&self, limit: usize) -> Result<Vec<u8>, CollectError> {
        // As the platform has it: of a GET and a HEAD there is none.
        if matches!(self.method.as_str(), "GET" | "HEAD") {
            return Ok(Vec::new());
        }
        tokio::time::sleep(self.body_after).await;
        if self.body.len() > limit { Err(CollectError::TooLarge) } else { Ok(self.body.clone().into_bytes()) }
    }
}
