//! A tenant's response as the runtime has it.

use crate::{glue, prompt};
use dispatcher_core::ports::{CollectError, Outbound};
use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use web_sys::{ReadableStream, Response};

#[derive(Debug)]
pub struct WebResponse {
    inner: Response,
    status: u16,
    /// Names and values by turns, a line each.
    headers: String,
}

impl WebResponse {
    pub fn new(inner: Response) -> Self {
        let head = glue::head_of(&inner);
        let (status, headers) = head.split_once('\n').unwrap_or((&head, ""));
        let status = status.parse().expect("a status is a number of three digits");
        let headers = headers.to_owned();
        Self { inner, status, headers }
    }

    pub fn into_inner(self) -> Response {
        self.inner
    }
}

impl Outbound for WebResponse {
    fn status(&self) -> u16 {
        self.status
    }

    fn headers(&self) -> Vec<(String, String)> {
        glue::pairs(&self.headers).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    async fn collect(self, limit: usize) -> Result<Vec<u8>, CollectError> {
        read_stream(self.inner.body(), limit).await
    }
}

/// Reads a body as it comes, and stops at the first byte over the limit. No stream is no body.
pub async fn read_stream(body: Option<ReadableStream>, limit: usize) -> Result<Vec<u8>, CollectError> {
    let whole = prompt::until(|ticket, settled| {
        glue::collect(body, limit, ticket, settled);
        Ok(())
    });
    let whole = whole.await.map_err(|_| CollectError::Broken)?.value;
    // Nothing in place of bytes says that there were too many.
    whole.dyn_into::<Uint8Array>().map(|bytes| bytes.to_vec()).map_err(|_| CollectError::TooLarge)
}
