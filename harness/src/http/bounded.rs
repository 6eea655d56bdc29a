//! One HTTP client for servers that nobody knows: no redirects, no proxy, a bounded answer in a bounded time. An answer that came
//! whole is told, whatever became of the connection after it.

mod patient;
mod plain;

#[cfg(test)]
mod tests;

use reqwest::{
    Client, Method, RequestBuilder,
    header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING},
    redirect,
};
use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use system::{
    clock::{Clock, SystemClock},
    retry_after,
};
use tokio::time::timeout;

/// Longer than a server waits for a facilitator, as a rule.
const PATIENCE: Duration = Duration::from_secs(30);

/// An offer is a few kilobytes; what a seller sells may be more, and is not looked at.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The time that all requests of one check may wait together for a server that turns them away with 429.
const WAITS_IN_ALL: Duration = Duration::from_secs(60);
/// The wait where the server does not say how long, and the longest.
const SHORT_WAIT: Duration = Duration::from_secs(1);
const LONG_WAIT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub struct BoundedHttp {
    http: Client,
    may_wait_ms: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error("no answer: {0}")]
    Failed(String),
    #[error("no whole answer within {} s", PATIENCE.as_secs())]
    Late,
    #[error("an answer of more than {MAX_BODY_BYTES} bytes")]
    TooLong,
}

impl BoundedHttp {
    pub fn new() -> reqwest::Result<Self> {
        let http = system::http_client::of_strangers().redirect(redirect::Policy::none()).timeout(PATIENCE).build()?;
        Ok(Self { http, may_wait_ms: Arc::new(AtomicU64::new(WAITS_IN_ALL.as_millis() as u64)) })
    }

    pub fn client(&self) -> &Client {
        &self.http
    }

    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// The answer, and not that there are too many requests: then the same request is sent again, while there is time.
    pub async fn ask(&self, mut request: RequestBuilder) -> Result<Answer, NoAnswer> {
        loop {
            let again = request.try_clone();
            let got = answer(request).await?;
            let said = || retry_after::read(&got.headers, SystemClock::new().unix_now());
            let (429, Some(next)) = (got.status, again) else { return Ok(got) };
            let wait = said().unwrap_or(SHORT_WAIT).max(SHORT_WAIT);
            if wait > LONG_WAIT || !self.may_wait(wait) {
                return Ok(got);
            }
            tokio::time::sleep(wait).await;
            request = next;
        }
    }

    fn may_wait(&self, wait: Duration) -> bool {
        let wait = wait.as_millis() as u64;
        self.may_wait_ms.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(wait)).is_ok()
    }
}

/// The whole answer to a request that is to be built by [`BoundedHttp`] or by a client of a caller's own.
pub async fn answer(request: RequestBuilder) -> Result<Answer, NoAnswer> {
    let (client, request) = request.build_split();
    let request = request?;
    let exchange = async {
        match request.url().scheme() {
            "http" => plain::exchange(&request).await,
            _ => encrypted(client, request).await,
        }
    };
    timeout(PATIENCE, exchange).await.unwrap_or(Err(NoAnswer::Late))
}

async fn encrypted(client: Client, request: reqwest::Request) -> Result<Answer, NoAnswer> {
    let mut response = client.execute(request).await?;
    let (status, headers, mut body) = (response.status().as_u16(), response.headers().clone(), Vec::new());
    let ends_by_closing = !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING);
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            // Nothing says that more was to come.
            Err(error) if ends_by_closing && !error.is_timeout() => break,
            Err(error) => return Err(error.into()),
        };
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(NoAnswer::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

impl Answer {
    /// The header's text, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Every value of a list header, in lower case.
    pub fn list(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(|one| one.trim().to_ascii_lowercase()).collect()
    }

    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub fn is_content(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl NoAnswer {
    /// The innermost reason alone: those around it say that an HTTP client could not send a request.
    fn of(error: &(dyn Error + 'static)) -> Self {
        let mut reason = error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        Self::Failed(reason.to_string())
    }
}

impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> Self {
        Self::of(&error)
    }
}
