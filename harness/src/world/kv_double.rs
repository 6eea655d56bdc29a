//! A KV namespace on a loopback port, for workerd's own binding to read: `GET /<key>?urlencoded=true&cache_ttl=<seconds>`, as the
//! platform's runtime asks its storage. Surprising constraint: the port is open to every local process, so it only reads.

use super::{
    WorldError,
    loopback::{Answered, Loopback},
    namespace::write,
};
use crate::directory::KvStore;
use hyper::{Method, Request, StatusCode, body::Incoming};
use percent_encoding::percent_decode_str;
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Name under which `plugin.cjs` exports the plugin.
pub const PLUGIN_NAME: &str = "key-value-double";
const PLUGIN: &str = include_str!("../../assets/stored-directory/plugin.cjs");
/// The platform refuses a read that is to be cached for less.
const MIN_CACHE_TTL_S: u64 = 30;

/// A running one. It ends when it is dropped.
#[derive(Debug)]
pub struct KvDouble(Loopback);

impl KvDouble {
    pub async fn listen(store: KvStore) -> io::Result<Self> {
        Ok(Self(Loopback::listen(move |request| std::future::ready(answer(&request, &store))).await?))
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Gives the path of the plugin.
pub fn write_plugin(run_dir: &Path) -> Result<PathBuf, WorldError> {
    let path = run_dir.join("stored-directory/plugin.cjs");
    write(&path, PLUGIN)?;
    Ok(path)
}

fn answer(request: &Request<Incoming>, store: &KvStore) -> Answered {
    match key(request) {
        Err(status) => (status, Vec::new()),
        Ok(key) => match store.read(&key) {
            Ok(Some(value)) => (StatusCode::OK, value),
            Ok(None) => (StatusCode::NOT_FOUND, Vec::new()),
            Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string().into_bytes()),
        },
    }
}

fn key(request: &Request<Incoming>) -> Result<String, StatusCode> {
    if request.method() != Method::GET {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let query = request.uri().query().unwrap_or_default();
    let mut parameters = query.split('&').filter_map(|pair| pair.split_once('='));
    let ttl = parameters.find(|(name, _)| *name == "cache_ttl").map(|(_, ttl)| ttl.parse::<u64>());
    if ttl.is_some_and(|ttl| ttl.map_or(true, |ttl| ttl < MIN_CACHE_TTL_S)) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let encoded = request.uri().path().trim_start_matches('/');
    let decoded = percent_decode_str(encoded).decode_utf8().map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_reads_as_the_platform_does() {
        let store = KvStore::default();
        store.put("1/names".to_owned(), vec![0, 255]);
        let double = KvDouble::listen(store.clone()).await.expect("a free port");
        let http = system::http_client::builder().build().expect("a client");
        let ask = async |target: &str| {
            let response = http.get(format!("http://{}/{target}", double.address())).send().await.expect("an answer");
            (response.status().as_u16(), response.bytes().await.expect("a body").to_vec())
        };
        assert_eq!(ask("1%2Fnames?urlencoded=true&cache_ttl=86400").await, (200, vec![0, 255]));
        assert_eq!(ask("2%2Fnames?urlencoded=true").await.0, 404);
        assert_eq!(ask("1%2Fnames?urlencoded=true&cache_ttl=29").await.0, 400);
        store.fail();
        assert_eq!(ask("1%2Fnames?urlencoded=true").await.0, 503);
    }
}
