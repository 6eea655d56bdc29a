//! Calls of the API. Whatever is asked for twice comes to the same, so what failed for a moment is asked for again.

use super::script::Script;
use crate::{clock, failure::Failure, http};
use reqwest::{Client, Method, header};
use serde_json::Value;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);
const TRIES: u32 = 4;
const LONGEST_WAIT_S: u64 = 30;

pub struct Api {
    client: Client,
    base: String,
    account: String,
    namespace: String,
    token: String,
    /// Waited before the second try, and longer before each one after it.
    pub pause: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("Cloudflare's API cannot be reached: {0}")]
    Unreachable(String),
    #[error("the token may not do this: {0}")]
    Forbidden(String),
    #[error("there is no {0}")]
    NotFound(String),
    #[error("Cloudflare's API answers {status}: {told}")]
    Refused { status: u16, told: String },
    #[error("Cloudflare's API says what cannot be read: {0}")]
    Unreadable(String),
}

impl Api {
    pub fn new(base: &str, account: &str, namespace: &str, token: String) -> Result<Self, Failure> {
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if let Some(wrong) = [account, namespace].into_iter().find(|text| !plain(text)) {
            return Err(Failure::invalid(format!("{wrong:?} is not the name of an account or of a namespace")));
        }
        let is_local = base.starts_with("http://127.0.0.1:") || base.starts_with("http://localhost:");
        if !base.starts_with("https://") && !is_local {
            return Err(Failure::invalid(format!("{base} is not https, and a token would go there")));
        }
        let (base, account, namespace) =
            (base.trim_end_matches('/').to_owned(), account.to_owned(), namespace.to_owned());
        Ok(Self { client: http::client(PATIENCE)?, base, account, namespace, token, pause: Duration::from_secs(1) })
    }

    /// The path of a script, which a plan shows.
    #[must_use]
    pub fn path(&self, script: &str) -> String {
        format!("/accounts/{}/workers/dispatch/namespaces/{}/scripts/{script}", self.account, self.namespace)
    }

    /// The tags of a script that is there; `None`: it is not.
    pub async fn tags(&self, script: &str) -> Result<Option<Vec<String>>, ApiError> {
        match self.ask(Method::GET, &format!("{}/tags", self.path(script)), None).await {
            Ok(result) => {
                let tags = result.as_array().ok_or_else(|| ApiError::Unreadable("tags are no list".to_owned()))?;
                Ok(Some(tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect()))
            }
            Err(ApiError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub async fn upload(&self, script: &Script) -> Result<(), ApiError> {
        let body = script.multipart();
        self.ask(Method::PUT, &self.path(&script.name), Some(&body)).await.map(drop)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&(String, Vec<u8>)>) -> Result<Value, ApiError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let (error, wait) = match self.once(method.clone(), path, body).await {
                Ok(result) => return Ok(result),
                Err((error, Some(wait))) if tried < TRIES => (error, wait),
                Err((error, _)) => return Err(error),
            };
            crate::output::err(&format!(
                "{error}; asked again at {}",
                clock::rfc3339(clock::unix_ms() + wait.as_millis() as u64)
            ));
            tokio::time::sleep(wait).await;
        }
    }

    /// An error comes with how long to wait, if asking again may help.
    async fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<&(String, Vec<u8>)>,
    ) -> Result<Value, (ApiError, Option<Duration>)> {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some((media_type, bytes)) = body {
            request = request.header(header::CONTENT_TYPE, media_type).body(bytes.clone());
        }
        let response = request
            .send()
            .await
            .map_err(|error| (ApiError::Unreachable(http::told(&error.without_url())), Some(self.pause)))?;
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let wait = retry_after.map_or(self.pause, |seconds: u64| Duration::from_secs(seconds.min(LONGEST_WAIT_S)));
        let body = http::body(response).await;
        let answer: Option<Value> = body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
        let errors = answer.as_ref().and_then(|answer| answer["errors"].as_array()).into_iter().flatten();
        let told: Vec<String> = errors
            .map(|error| format!("{} {}", error["code"], error["message"].as_str().unwrap_or_default()))
            .collect();
        let told = crate::output::plain(&told.join("; "));
        match (status, answer) {
            (200..300, Some(answer)) if answer["success"] == true => Ok(answer["result"].clone()),
            (200..300, Some(_)) => Err((ApiError::Refused { status, told }, None)),
            // It may have been done: what is asked for twice comes to the same.
            (200..300, None) => Err((ApiError::Unreadable("it is no JSON, or broke off".to_owned()), Some(wait))),
            (401 | 403, _) => Err((ApiError::Forbidden(told), None)),
            (404, _) => Err((ApiError::NotFound(path.to_owned()), None)),
            (429 | 500.., _) => Err((ApiError::Refused { status, told }, Some(wait))),
            _ => Err((ApiError::Refused { status, told }, None)),
        }
    }
}
