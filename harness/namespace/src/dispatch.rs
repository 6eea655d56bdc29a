//! What a dispatcher asks for: one header of JSON, the same for the plugin's client and for somebody with curl.

use super::{
    headers::{DISPATCH, REQUEST_ID},
    limits::{DispatchedLimits, Limits},
};
use hyper::{
    HeaderMap, Request,
    header::HOST,
    http::uri::{InvalidUri, Parts, PathAndQuery, Uri},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch {
    pub script: String,
    /// The URL that the tenant sees as its request's. Absolute.
    pub url: Uri,
    /// The limits as they were dispatched.
    pub passed: DispatchedLimits,
    /// The limits as they are enforced.
    pub limits: Limits,
    /// Keys beside them that limit nothing, here and on the platform: most likely a limit that is misspelt.
    pub unknown_limits: Vec<String>,
    /// `get(name, args, { outbound })`: parameters for whoever answers the tenant's subrequests.
    pub outbound: Map<String, Value>,
    /// The dispatcher's id of the request, if it tells the tenant: by this its log and the records can be joined.
    pub request_id: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    #[error("a dispatch needs one header {DISPATCH} of JSON, at least {{\"script\": \"<name>\"}}")]
    Missing,
    #[error("{DISPATCH} is not a dispatch: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{DISPATCH} has a URL that is none: {0}")]
    Url(#[from] InvalidUri),
    #[error("{DISPATCH} has a URL without a host, or one that is not http or https")]
    UrlNotAbsolute,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    script: String,
    url: Option<String>,
    limits: Option<WireLimits>,
    outbound: Option<Map<String, Value>>,
}

#[derive(Default, Deserialize)]
struct WireLimits {
    #[serde(flatten)]
    known: DispatchedLimits,
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

impl Dispatch {
    pub fn of<B>(request: &Request<B>) -> Result<Dispatch, DispatchError> {
        let header = request.headers().get(DISPATCH).ok_or(DispatchError::Missing)?;
        let wire: Wire = serde_json::from_slice(header.as_bytes())?;
        let url = match wire.url {
            Some(url) => absolute(url.parse()?)?,
            None => own_url(request.uri(), request.headers())?,
        };
        let WireLimits { known: passed, others } = wire.limits.unwrap_or_default();
        let unknown_limits = others.into_keys().collect();
        let request_id =
            request.headers().get(REQUEST_ID).map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
        let outbound = wire.outbound.unwrap_or_default();
        Ok(Dispatch { script: wire.script, url, passed, limits: passed.into(), unknown_limits, outbound, request_id })
    }
}

fn absolute(url: Uri) -> Result<Uri, DispatchError> {
    match (url.scheme_str(), url.authority()) {
        (Some("http" | "https"), Some(_)) => Ok(url),
        _ => Err(DispatchError::UrlNotAbsolute),
    }
}

/// The URL of the request. If the dispatch names none, the tenant sees the one that was asked for.
fn own_url(target: &Uri, headers: &HeaderMap) -> Result<Uri, DispatchError> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).ok_or(DispatchError::UrlNotAbsolute)?;
    let mut parts = Parts::default();
    parts.scheme = Some("http".parse()?);
    parts.authority = Some(host.parse()?);
    parts.path_and_query = Some(target.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/")));
    Uri::from_parts(parts).map_err(|_| DispatchError::UrlNotAbsolute)
}

#[cfg(test)]
mod tests {
    use super::{super::limits::DEFAULT_SUBREQUESTS, *};
    use std::time::Duration;

    fn dispatch(header: &str) -> Result<Dispatch, DispatchError> {
        let request = Request::builder().uri("/quote?q=1").header("host", "127.0.0.1:9").header(DISPATCH, header);
        Dispatch::of(&request.body(()).unwrap())
    }

    #[test]
    fn what_the_client_says_is_read() {
        let read = dispatch(
            r#"{"script":"al\u00fcha","url":"https://a.example/b?c","limits":{"cpuMs":10,"subRequests":5},"outbound":{"plan":"pro"}}"#,
        );
        let read = read.unwrap();
        assert_eq!((read.script.as_str(), read.url.to_string().as_str()), ("al\u{fc}ha", "https://a.example/b?c"));
        assert_eq!((read.limits.cpu, read.limits.subrequests), (Duration::from_millis(10), 5));
        assert_eq!(read.outbound["plan"], "pro");
    }

    #[test]
    fn the_request_is_known_by_what_the_tenant_is_told() {
        let request = Request::builder().header("host", "a.example").header(DISPATCH, r#"{"script":"alpha"}"#);
        let named = request.header("x-request-id", "r1").body(()).unwrap();
        assert_eq!(Dispatch::of(&named).unwrap().request_id.as_deref(), Some("r1"));
        assert_eq!(dispatch(r#"{"script":"alpha"}"#).unwrap().request_id, None);
    }

    #[test]
    fn with_a_script_alone_the_tenant_sees_the_url_that_was_asked_for() {
        assert_eq!(dispatch(r#"{"script":"alpha"}"#).unwrap().url, "http://127.0.0.1:9/quote?q=1");
    }

    #[test]
    fn a_key_that_limits_nothing_is_known_by_name() {
        let read = dispatch(r#"{"script":"a","limits":{"subrequests":5,"cpuMs":10,"memory":null}}"#).unwrap();
        assert_eq!((read.limits.cpu, read.limits.subrequests), (Duration::from_millis(10), DEFAULT_SUBREQUESTS));
        assert_eq!(read.unknown_limits, ["memory", "subrequests"]);
    }

    #[test]
    fn what_is_no_dispatch_is_refused_with_the_reason() {
        assert!(matches!(dispatch("alpha"), Err(DispatchError::Json(_))));
        assert!(matches!(dispatch(r#"{"script":"a","limit":{}}"#), Err(DispatchError::Json(_))));
        assert!(matches!(dispatch(r#"{"script":"a","url":"/quote"}"#), Err(DispatchError::UrlNotAbsolute)));
        assert!(matches!(dispatch(r#"{"script":"a","url":"ftp://a/b"}"#), Err(DispatchError::UrlNotAbsolute)));
        assert!(matches!(Dispatch::of(&Request::new(())), Err(DispatchError::Missing)));
    }
}
