//! What is checked. Only a server on this machine, unless it is said in so many words that another may be sent broken
//! payments: the answers of a stranger's server are the stranger's to ask for.

use reqwest::Url;
use std::net::IpAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Url);

/// Whether servers beyond this machine may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Loopback,
    Anywhere,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum TargetError {
    #[error("`{0}` is not a URL")]
    #[diagnostic(help("such as http://127.0.0.1:8402/t/shop/quote"))]
    NotAUrl(String),
    #[error("`{0}` is neither http nor https")]
    #[diagnostic(help("such as http://127.0.0.1:8402/t/shop/quote"))]
    NotHttp(String),
    #[error("{0} is not on this machine")]
    #[diagnostic(help("a check sends broken payments: add --allow-remote if you may do that to it"))]
    Remote(String),
}

impl Target {
    pub fn parse(text: &str, reach: Reach) -> Result<Self, TargetError> {
        let url = Url::parse(text).map_err(|_| TargetError::NotAUrl(text.to_owned()))?;
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| TargetError::NotAUrl(text.to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(TargetError::NotHttp(text.to_owned()));
        }
        if reach == Reach::Loopback && !is_loopback(host) {
            return Err(TargetError::Remote(host.to_owned()));
        }
        Ok(Self(url))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme and authority, without a trailing slash.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The path, with the query where there is one.
    pub fn path(&self) -> String {
        let query = self.0.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", self.0.path())
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    // Other names may resolve to anywhere, whatever they look like.
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_unless_told() {
        for text in ["http://127.0.0.1:1/a?b=1", "http://localhost/", "http://[::1]:8402/x", "https://127.8.0.1/"] {
            assert!(Target::parse(text, Reach::Loopback).is_ok(), "{text}");
        }
        for text in [
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "http://10.0.0.1/",
        ] {
            assert!(matches!(Target::parse(text, Reach::Loopback), Err(TargetError::Remote(_))), "{text}");
            assert!(Target::parse(text, Reach::Anywhere).is_ok(), "{text}");
        }
        assert!(matches!(Target::parse("ftp://localhost/", Reach::Loopback), Err(TargetError::NotHttp(_))));
        for text in ["localhost", "", "http://", "/path"] {
            assert!(matches!(Target::parse(text, Reach::Loopback), Err(TargetError::NotAUrl(_))), "{text}");
        }
    }

    #[test]
    fn a_target_is_told_apart_into_origin_and_path() {
        let target = Target::parse("http://127.0.0.1:8402/t/shop?a=b", Reach::Loopback).unwrap();
        assert_eq!((target.origin().as_str(), target.path().as_str()), ("http://127.0.0.1:8402", "/t/shop?a=b"));
    }
}
