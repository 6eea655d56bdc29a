//! A tenant's response as the runtime has it.

use super::headers;
use dispatcher_core::ports::{CollectError, Outbound};
use js_sys::{Promise, Uint8Array, futures::JsFuture};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{ReadableStream, Response};

#[derive(Debug)]
pub struct WebResponse(Response);

impl WebResponse {
    pub fn new(inner: Response) -> Self {
        Self(inner)
    }

    pub fn into_inner(self) -> Response {
        self.0
    }
}

impl Outbound for WebResponse {
    fn status(&self) -> u16 {
        self.0.status()
    }

    fn headers(&self) -> Vec<(String, String)> {
        headers::pairs(&self.0.headers())
    }

    async fn collect(self, limit: usize) -> Result<Vec<u8>, CollectError> {
        read_bounded(&self.0, limit).await
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    type Reader;

    #[wasm_bindgen(method, catch)]
    fn read(this: &Reader) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn cancel(this: &Reader) -> Result<Promise, JsValue>;

    #[wasm_bindgen(extends = js_sys::Object)]
    type Chunk;

    /// `undefined` at the end.
    #[wasm_bindgen(method, getter)]
    fn value(this: &Chunk) -> Option<Uint8Array>;
}

/// Reads a body as it comes, and stops at the first byte over the limit: a content-length may lie.
pub async fn read_bounded(response: &Response, limit: usize) -> Result<Vec<u8>, CollectError> {
    read_stream(response.body(), limit).await
}

/// Reads like [`read_bounded`], a request as well. No stream is no body.
pub async fn read_stream(body: Option<ReadableStream>, limit: usize) -> Result<Vec<u8>, CollectError> {
    let Some(body) = body else { return Ok(Vec::new()) };
    let reader: Reader = body.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    while let Some(chunk) = next(&reader).await? {
        if bytes.len() + chunk.length() as usize > limit {
            // Whoever sends the rest is told to stop; whether it listens is nothing to us.
            let _unheard = reader.cancel();
            return Err(CollectError::TooLarge);
        }
        bytes.extend(chunk.to_vec());
    }
    Ok(bytes)
}

async fn next(reader: &Reader) -> Result<Option<Uint8Array>, CollectError> {
    let read = reader.read().map_err(|_| CollectError::Broken)?;
    let chunk = JsFuture::from(read).await.map_err(|_| CollectError::Broken)?;
    Ok(chunk.unchecked_into::<Chunk>().value())
}
