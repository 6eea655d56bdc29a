//! Which pages may use a tenant that sells: the `cors` of its record, checked.
//!
//! A browser's question is never put to such a tenant, because an answer to it would be an answer that nobody paid for. So
//! the record says here what the tenant's Worker would have said.

use crate::hygiene;
use serde::Deserialize;
use serde_json::Value;

const MAX_ORIGINS: usize = 64;
const MAX_METHODS: usize = 16;
const MAX_HEADERS: usize = 64;
const MAX_TEXT_BYTES: usize = 256;
/// The longest that any browser keeps an answer is a day.
const MAX_MAX_AGE_S: u32 = 86_400;

/// The `cors` of a tenant's record.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CorsRecord {
    /// `"*"`, or a list of origins as browsers write them; absent: `"*"`.
    #[serde(default)]
    pub origins: Option<Value>,
    /// Absent: whichever a page asks for.
    #[serde(default)]
    pub methods: Option<Vec<String>>,
    /// Absent: whichever a page asks for. A page may always pay.
    #[serde(default)]
    pub headers: Option<Vec<String>>,
    /// For how long a browser need not ask again; absent: ten minutes.
    #[serde(default)]
    pub max_age_seconds: Option<u32>,
    /// Whether pages may send cookies and read what they get for them. Needs a list of origins.
    #[serde(default)]
    pub credentials: bool,
}

/// The pages that may use a tenant, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `None`: every page.
    pub(super) origins: Option<Vec<String>>,
    /// `None`: whichever is asked for. Otherwise in the spelling that a request must have.
    pub(super) methods: Option<Vec<String>>,
    /// `None`: whichever are asked for. Otherwise in lower case.
    pub(super) headers: Option<Vec<String>>,
    pub(super) max_age_s: Option<u32>,
    pub(super) credentials: bool,
}

impl CorsRecord {
    /// Checks the record; the error names the key.
    pub fn check(self) -> Result<Policy, (&'static str, String)> {
        let origins = match self.origins {
            None => None,
            Some(Value::String(all)) if all == "*" => None,
            Some(Value::Array(list)) => Some(origins(list)?),
            Some(_) => return Err(("cors.origins", r#"must be "*" or a list of origins"#.to_owned())),
        };
        if self.credentials && origins.is_none() {
            return Err(("cors.credentials", "needs a list of origins: a browser takes no * with cookies".to_owned()));
        }
        let tokens = |key, list: &[String], most| {
            let fits = (1..=most).contains(&list.len()) && list.iter().all(|text| is_token(text));
            if fits { Ok(()) } else { Err((key, format!("must have 1 to {most} names as HTTP has them"))) }
        };
        if let Some(methods) = &self.methods {
            tokens("cors.methods", methods, MAX_METHODS)?;
            if let Some(method) = methods.iter().find(|method| !may_be_sent(method)) {
                return Err(("cors.methods", format!("has {method:?}, which no page can send")));
            }
        }
        let headers = self.headers.map(|list| list.iter().map(|name| name.to_ascii_lowercase()).collect::<Vec<_>>());
        if let Some(headers) = &headers {
            tokens("cors.headers", headers, MAX_HEADERS)?;
            if let Some(name) = headers.iter().find(|name| hygiene::is_closed_to_pages(name)) {
                return Err(("cors.headers", format!("has {name:?}, which is the dispatcher's own")));
            }
        }
        let max_age_s = self.max_age_seconds;
        if max_age_s.is_some_and(|seconds| seconds > MAX_MAX_AGE_S) {
            return Err(("cors.maxAgeSeconds", format!("must be {MAX_MAX_AGE_S} at most")));
        }
        Ok(Policy { origins, methods: self.methods, headers, max_age_s, credentials: self.credentials })
    }
}

fn origins(list: Vec<Value>) -> Result<Vec<String>, (&'static str, String)> {
    const RULE: &str = "must be as a browser writes it, such as \"https://app.example\" or \"http://localhost:3000\"";
    if !(1..=MAX_ORIGINS).contains(&list.len()) {
        return Err(("cors.origins", format!("must have 1 to {MAX_ORIGINS}")));
    }
    let origin = |value: Value| match value {
        Value::String(text) if is_origin(&text) => Ok(text),
        other => Err(("cors.origins", format!("has {other}, which {RULE}"))),
    };
    list.into_iter().map(origin).collect()
}

/// Whether a browser can send this as `Origin`: scheme and host in lower case, a port that is not the scheme's own, no path.
/// `null` is no origin: every sandboxed page of the world has it.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let own = if scheme == "https" { "443" } else { "80" };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number.to_string() == port) && port != own;
    text.len() <= MAX_TEXT_BYTES
        && matches!(scheme, "https" | "http")
        && crate::dispatch_key::is_host(host)
        && port.is_none_or(is_port)
}

/// A `token` of RFC 9110, 5.6.2: what a method and a header's name are.
pub(crate) fn is_token(text: &str) -> bool {
    (1..=MAX_TEXT_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether a browser lets a page send a request of this method.
pub(crate) fn may_be_sent(method: &str) -> bool {
    !["connect", "trace", "track"].contains(&method.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<Policy, &'static str> {
        serde_json::from_str::<CorsRecord>(json).unwrap().check().map_err(|(key, _)| key)
    }

    #[test]
    fn names_the_key_that_is_wrong() {
        assert!(check("{}").is_ok() && check(r#"{"origins":"*","maxAgeSeconds":0}"#).is_ok());
        let good = r#"{"origins":["https://app.example","http://localhost:3000"],"methods":["GET","PATCH"],
            "headers":["Content-Type"],"maxAgeSeconds":60,"credentials":true}"#;
        assert_eq!(check(good).unwrap().headers.unwrap(), ["content-type"]);
        for (json, key) in [
            (r#"{"origins":"https://app.example"}"#, "cors.origins"),
            (r#"{"origins":[]}"#, "cors.origins"),
            (r#"{"origins":["*"]}"#, "cors.origins"),
            (r#"{"origins":["null"]}"#, "cors.origins"),
            (r#"{"origins":["https://app.example/"]}"#, "cors.origins"),
            (r#"{"origins":["https://App.example"]}"#, "cors.origins"),
            (r#"{"origins":["https://app.example:443"]}"#, "cors.origins"),
            (r#"{"origins":["https://app.example:0080"]}"#, "cors.origins"),
            (r#"{"origins":["app.example"]}"#, "cors.origins"),
            (r#"{"origins":["https://app.example, https://b.example"]}"#, "cors.origins"),
            (r#"{"credentials":true}"#, "cors.credentials"),
            (r#"{"origins":"*","credentials":true}"#, "cors.credentials"),
            (r#"{"methods":[]}"#, "cors.methods"),
            (r#"{"methods":["GET, POST"]}"#, "cors.methods"),
            (r#"{"methods":["TRACE"]}"#, "cors.methods"),
            (r#"{"headers":["x y"]}"#, "cors.headers"),
            (r#"{"headers":["X-Tenant-Id"]}"#, "cors.headers"),
            (r#"{"maxAgeSeconds":86401}"#, "cors.maxAgeSeconds"),
        ] {
            assert_eq!(check(json), Err(key), "{json}");
        }
        assert!(serde_json::from_str::<CorsRecord>(r#"{"origin":"*"}"#).is_err());
    }
}
