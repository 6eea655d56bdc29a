//! Calls of the API. Reads and replacements come to the same however often they are asked for, so they are asked for again after
//! a failure. What makes something new is only asked for again if it was turned away: whoever makes it looks first.

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

impl ApiError {
    /// True where the work may have been done all the same.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Unreadable(_) | Self::Refused { status: 500.., .. })
    }
}

/// A request's body: its media type, and its bytes.
type Body = (String, Vec<u8>);

impl Api {
    pub fn new(base: &str, account: &str, token: String) -> Result<Self, Failure> {
        is_name("an account", account)?;
        let is_local = base.starts_with("http://127.0.0.1:") || base.starts_with("http://localhost:");
        if !base.starts_with("https://") && !is_local {
            return Err(Failure::invalid(format!("{base} is not https, and a token would go there")));
        }
        let (base, account) = (base.trim_end_matches('/').to_owned(), account.to_owned());
        Ok(Self { client: http::client(PATIENCE)?, base, account, token, pause: Duration::from_secs(1) })
    }

    /// A path below the account, as plans and the API have it.
    #[must_use]
    pub fn path(&self, rest: &str) -> String {
        format!("/accounts/{}/{rest}", self.account)
    }

    pub async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.ask(Method::GET, path, None, true).await
    }

    /// Reads something that may not be there.
    pub async fn look(&self, path: &str) -> Result<Option<Value>, ApiError> {
        match self.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(ApiError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, ApiError> {
        let repeats = method != Method::POST;
        self.ask(method, path, Some(&("application/json".to_owned(), body.to_string().into_bytes())), repeats).await
    }

    /// An upload that comes to the same if it is done twice.
    pub async fn upload(&self, path: &str, body: &Body) -> Result<Value, ApiError> {
        self.ask(Method::PUT, path, Some(body), true).await
    }

    /// An upload that is done again only if it was turned away.
    pub async fn upload_once(&self, method: Method, path: &str, body: &Body) -> Result<Value, ApiError> {
        self.ask(method, path, Some(body), false).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Body>, repeats: bool) -> Result<Value, ApiError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let (error, wait) = match self.once(method.clone(), path, body).await {
                Ok(result) => return Ok(result),
                Err((error, Some(wait))) if tried < TRIES && (repeats || !error.is_open()) => (error, wait),
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
        body: Option<&Body>,
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
            // It may have been done: whoever asked looks, or asks for the same again.
            (200..300, None) => Err((ApiError::Unreadable("it is no JSON, or broke off".to_owned()), Some(wait))),
            (401 | 403, _) => Err((ApiError::Forbidden(told), None)),
            (404, _) => Err((ApiError::NotFound(path.to_owned()), None)),
            (429 | 500.., _) => Err((ApiError::Refused { status, told }, Some(wait))),
            _ => Err((ApiError::Refused { status, told }, None)),
        }
    }
}

/// A dispatch namespace, as tenants' scripts are uploaded to it.
pub struct Namespace<'a> {
    pub api: &'a Api,
    name: String,
}

impl<'a> Namespace<'a> {
    pub fn new(api: &'a Api, name: &str) -> Result<Self, Failure> {
        is_name("a namespace", name)?;
        Ok(Self { api, name: name.to_owned() })
    }

    /// The path of a script, which a plan shows.
    #[must_use]
    pub fn path(&self, script: &str) -> String {
        self.api.path(&format!("workers/dispatch/namespaces/{}/scripts/{script}", self.name))
    }

    /// The tags of a script that is there; `None`: it is not.
    pub async fn tags(&self, script: &str) -> Result<Option<Vec<String>>, ApiError> {
        let Some(result) = self.api.look(&format!("{}/tags", self.path(script))).await? else { return Ok(None) };
        let tags = result.as_array().ok_or_else(|| ApiError::Unreadable("tags are no list".to_owned()))?;
        Ok(Some(tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect()))
    }

    pub async fn upload(&self, script: &Script) -> Result<(), ApiError> {
        self.api.upload(&self.path(&script.name), &script.multipart()).await.map(drop)
    }
}

/// A name stands in paths, so it is held to what cannot leave its place in one.
pub fn is_name(what: &str, text: &str) -> Result<(), Failure> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_plain { Ok(()) } else { Err(Failure::invalid(format!("{text:?} is not the name of {what}"))) }
}
