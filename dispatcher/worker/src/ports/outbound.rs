//! A tenant's response as the runtime has it.

use dispatcher_core::ports::{CollectError, Outbound};
use futures_util::StreamExt;
use worker::{Headers, Response};

#[derive(Debug)]
pub struct WebResponse(web_sys::Response);

impl WebResponse {
    pub fn new(inner: web_sys::Response) -> Self {
        Self(inner)
    }

    pub fn into_inner(self) -> web_sys::Response {
        self.0
    }
}

impl Outbound for WebResponse {
    fn status(&self) -> u16 {
        self.0.status()
    }

    fn headers(&self) -> Vec<(String, String)> {
        Headers(self.0.headers()).entries().collect()
    }

    async fn collect(self, limit: usize) -> Result<Vec<u8>, CollectError> {
        if self.0.body().is_none() {
            return Ok(Vec::new());
        }
        read_bounded(self.0.into(), limit).await
    }
}

/// Reads a body as it comes, and stops at the first byte over the limit: a content-length may lie.
pub async fn read_bounded(mut response: Response, limit: usize) -> Result<Vec<u8>, CollectError> {
    let mut bytes = Vec::new();
    let mut stream = response.stream().map_err(|_| CollectError::Broken)?;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| CollectError::Broken)?;
        if bytes.len() + chunk.len() > limit {
            return Err(CollectError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
