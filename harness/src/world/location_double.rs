//! The rate limiting bindings of several dispatchers, counted together on a loopback port: `POST /<figure>` with a key says
//! `true` where it fits. Miniflare's own count each process for itself, as if each dispatcher were a location.

use super::{
    WorldError,
    loopback::{Answered, Loopback},
    namespace::write,
};
use crate::play::LocationCounter;
use http_body_util::{BodyExt, Limited};
use hyper::{Request, StatusCode, body::Incoming};
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use system::clock::SystemClock;

/// Name under which `plugin.cjs` exports the plugin.
pub const PLUGIN_NAME: &str = "location-counter-double";
const PLUGIN: &str = include_str!("../../assets/location-counter/plugin.cjs");
/// A key is a hash of ours.
const MAX_KEY_BYTES: usize = 1_024;

/// A running one. It ends when it is dropped.
#[derive(Debug)]
pub struct LocationDouble(Loopback);

impl LocationDouble {
    pub async fn listen() -> io::Result<Self> {
        let (counter, clock) = (Arc::new(Mutex::new(LocationCounter::default())), Arc::new(SystemClock::new()));
        let answer = move |request| {
            let (counter, clock) = (Arc::clone(&counter), Arc::clone(&clock));
            async move { answer(request, &counter, clock.unix_ms()).await }
        };
        Ok(Self(Loopback::listen(answer).await?))
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Gives the path of the plugin.
pub fn write_plugin(run_dir: &Path) -> Result<PathBuf, WorldError> {
    let path = run_dir.join("location-counter/plugin.cjs");
    write(&path, PLUGIN)?;
    Ok(path)
}

async fn answer(request: Request<Incoming>, counter: &Mutex<LocationCounter>, now_ms: u64) -> Answered {
    let Ok(figure) = request.uri().path().trim_start_matches('/').parse() else {
        return (StatusCode::NOT_FOUND, Vec::new());
    };
    let body = Limited::new(request.into_body(), MAX_KEY_BYTES).collect().await;
    let Some(key) = body.ok().and_then(|body| String::from_utf8(body.to_bytes().to_vec()).ok()) else {
        return (StatusCode::BAD_REQUEST, Vec::new());
    };
    // A count is whole whenever the lock is free, whoever panicked.
    let fits = counter.lock().unwrap_or_else(PoisonError::into_inner).count(figure, &key, now_ms);
    (StatusCode::OK, fits.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_who_ask_are_counted_together() {
        let double = LocationDouble::listen().await.expect("a free port");
        let ask = async |path: &str, key: String| {
            // A client of its own each time, as the dispatchers are.
            let http = system::http_client::builder().build().expect("a client");
            let asked = http.post(format!("http://{}/{path}", double.address())).body(key);
            let response = asked.send().await.expect("an answer");
            (response.status().as_u16(), response.text().await.expect("a body"))
        };
        // One count may fall into the next window.
        let mut fits = 0;
        for _ in 0..8 {
            fits += usize::from(ask("3", "k".to_owned()).await == (200, "true".to_owned()));
        }
        assert!((3..=6).contains(&fits), "{fits}");
        assert_eq!(ask("three", "k".to_owned()).await.0, 404);
        assert_eq!(ask("3", "k".repeat(MAX_KEY_BYTES + 1)).await.0, 400);
    }
}
