//! A request as the runtime has it. Its URL is parsed by the runtime already, so splitting it is enough.

use super::outbound::read_stream;
use crate::glue;
use dispatcher_core::ports::{CollectError, Inbound};

pub struct WebRequest {
    inner: web_sys::Request,
    method: String,
    url: Url,
    headers: Headers,
}

/// Headers as the runtime lists them: names in lower case, and values that repeat in one.
struct Headers {
    /// Names and values by turns, a line each.
    text: String,
    /// The ends of each name and of its value. A request asks for some thirty headers, and its payment is two kilobytes.
    ends: Vec<(usize, usize)>,
}

/// An absolute URL as the runtime writes it, and where its host, path and query begin.
struct Url {
    text: String,
    host_at: usize,
    path_at: usize,
    query_at: Option<usize>,
}

impl Url {
    fn new(text: String) -> Self {
        let host_at = text.find("://").map_or(0, |scheme| scheme + 3);
        let path_at = text[host_at..].find('/').map_or(text.len(), |path| host_at + path);
        let query_at = text[path_at..].find('?').map(|query| path_at + query);
        Self { text, host_at, path_at, query_at }
    }

    fn origin(&self) -> &str {
        &self.text[..self.path_at]
    }

    fn host(&self) -> &str {
        &self.text[self.host_at..self.path_at]
    }

    fn path(&self) -> &str {
        &self.text[self.path_at..self.query_at.unwrap_or(self.text.len())]
    }

    fn query(&self) -> Option<&str> {
        self.query_at.map(|query| &self.text[query + 1..])
    }
}

impl Headers {
    fn new(text: String) -> Self {
        let mut at = 0;
        let ends = glue::pairs(&text).map(|(name, value)| {
            let name_end = at + name.len();
            let value_end = name_end + 1 + value.len();
            at = value_end + 1;
            (name_end, value_end)
        });
        Self { ends: ends.collect(), text }
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut at = 0;
        self.ends.iter().map(move |&(name_end, value_end)| {
            let pair = (&self.text[at..name_end], &self.text[name_end + 1..value_end]);
            at = value_end + 1;
            pair
        })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl WebRequest {
    /// The headers, by their names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter()
    }

    /// `text` is the request as [`crate::serve`] gets it.
    pub fn new(text: String, inner: web_sys::Request) -> Self {
        let (method, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let (url, headers) = rest.split_once('\n').unwrap_or((rest, ""));
        let (method, url, headers) = (method.to_owned(), Url::new(url.to_owned()), Headers::new(headers.to_owned()));
        Self { inner, method, url, headers }
    }

    pub fn inner(&self) -> &web_sys::Request {
        &self.inner
    }

    /// A GET and a HEAD have no content, whatever came with them (RFC 9110, 9.3.1).
    pub fn is_without_content(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// Aborted once the caller has gone. Needs the compatibility flag `enable_request_signal`.
    pub fn caller(&self) -> web_sys::AbortSignal {
        self.inner.signal()
    }
}

impl Inbound for WebRequest {
    fn method(&self) -> &str {
        &self.method
    }

    fn origin(&self) -> &str {
        self.url.origin()
    }

    fn host(&self) -> &str {
        self.url.host()
    }

    fn path(&self) -> &str {
        self.url.path()
    }

    fn query(&self) -> Option<&str> {
        self.url.query()
    }

    fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(str::to_owned)
    }

    /// Read from a copy: the request's own stays a stream for the tenant.
    async fn body(&self, limit: usize) -> Result<Vec<u8>, CollectError> {
        if self.is_without_content() || self.inner.body().is_none() {
            return Ok(Vec::new());
        }
        let copy = self.inner.clone().map_err(|_| CollectError::Broken)?;
        read_stream(copy.body(), limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_in_any_spelling_of_its_name() {
        let headers = Headers::new("host\na.example\naccept\n\nx-empty\n".to_owned());
        let of = |name| headers.get(name);
        assert_eq!(
            [of("Host"), of("accept"), of("X-Empty"), of("a.example")],
            [Some("a.example"), Some(""), Some(""), None]
        );
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("host", "a.example"), ("accept", ""), ("x-empty", "")]);
    }

    #[test]
    fn a_url_comes_apart_where_the_runtime_put_it_together() {
        let parts = |text: &str| {
            let url = Url::new(text.to_owned());
            let query = url.query().map(str::to_owned);
            (url.origin().to_owned(), url.host().to_owned(), url.path().to_owned(), query)
        };
        let owned = |origin: &str, host: &str, path: &str, query: Option<&str>| {
            (origin.to_owned(), host.to_owned(), path.to_owned(), query.map(str::to_owned))
        };
        assert_eq!(
            parts("https://a.example/x/y?b=1?2"),
            owned("https://a.example", "a.example", "/x/y", Some("b=1?2"))
        );
        assert_eq!(parts("http://a:8787/"), owned("http://a:8787", "a:8787", "/", None));
        assert_eq!(parts("http://a/?u=http://b/"), owned("http://a", "a", "/", Some("u=http://b/")));
        assert_eq!(parts("http://a/x?"), owned("http://a", "a", "/x", Some("")));
    }
}
