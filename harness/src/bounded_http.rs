//! One HTTP client for servers that nobody knows: no redirects, no proxy, a bounded answer in a bounded time.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, redirect};

/// Longer than a server waits for a facilitator, as a rule.
const PATIENCE: Duration = Duration::from_secs(30);

/// An offer is a few kilobytes; what a seller sells may be more, and is not looked at.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct BoundedHttp {
    http: Client,
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
    #[error("an answer of more than {MAX_BODY_BYTES} bytes")]
    TooLong,
}

impl BoundedHttp {
    pub fn new() -> reqwest::Result<Self> {
        let http = crate::http_client::of_strangers().redirect(redirect::Policy::none()).timeout(PATIENCE).build()?;
        Ok(Self { http })
    }

    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.http.request(method, url)
    }

    pub async fn get(&self, url: &str) -> Result<Answer, NoAnswer> {
        answer(self.request(Method::GET, url)).await
    }

    pub async fn post(&self, url: &str, json: String) -> Result<Answer, NoAnswer> {
        answer(self.request(Method::POST, url).header("content-type", "application/json").body(json)).await
    }
}

pub async fn answer(request: RequestBuilder) -> Result<Answer, NoAnswer> {
    let mut response = request.send().await?;
    let (status, headers, mut body) = (response.status().as_u16(), response.headers().clone(), Vec::new());
    while let Some(chunk) = response.chunk().await? {
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

/// The innermost reason alone: those around it say that an HTTP client could not send a request.
impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> Self {
        let error: &dyn std::error::Error = &error;
        let reason = std::iter::successors(Some(error), |error| error.source()).last();
        Self::Failed(reason.map_or_else(String::new, ToString::to_string))
    }
}
