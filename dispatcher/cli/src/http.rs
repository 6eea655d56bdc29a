//! The one HTTP client: no proxy, no redirects, bounded answers.

use crate::exit::Exit;
use crate::failure::Failure;
use reqwest::{Client, Response, redirect};
use rustls::crypto::{CryptoProvider, ring};
use std::time::Duration;

/// A response that is sold has at most 1 MiB; a catalogue may be larger.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// A redirect is never followed: a payment or a token would go along.
#[expect(clippy::disallowed_methods, reason = "this is where clients are to come from")]
pub fn client(timeout: Duration) -> Result<Client, Failure> {
    if CryptoProvider::get_default().is_none() {
        // Fails where it was done before, with the same.
        let _ = ring::default_provider().install_default();
    }
    let builder = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(timeout);
    let agent = concat!("402claw/", env!("CARGO_PKG_VERSION"));
    builder.user_agent(agent).build().map_err(|error| Failure::new(Exit::Failed, format!("no HTTP client: {error}")))
}

/// The whole body; `None` if it breaks off or is longer than it may be.
pub async fn body(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.ok()? {
        if body.len() + piece.len() > MAX_BODY_BYTES {
            return None;
        }
        body.extend_from_slice(&piece);
    }
    Some(body)
}

/// An error with all that is behind it: the first line alone says little.
pub fn told(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(Exit::Failed, format!("no runtime: {error}")))
}
