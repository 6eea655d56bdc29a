//! A request as the runtime has it. Its URL is parsed by the runtime already, so splitting it is enough.

use dispatcher_core::ports::Inbound;

pub struct WebRequest {
    inner: web_sys::Request,
    method: String,
    url: String,
    /// Where host, path and query begin in `url`.
    host_at: usize,
    path_at: usize,
    query_at: Option<usize>,
}

impl WebRequest {
    pub fn new(inner: web_sys::Request) -> Self {
        let (method, url) = (inner.method(), inner.url());
        let host_at = url.find("://").map_or(0, |scheme| scheme + 3);
        let path_at = url[host_at..].find('/').map_or(url.len(), |path| host_at + path);
        let query_at = url[path_at..].find('?').map(|query| path_at + query);
        Self { inner, method, url, host_at, path_at, query_at }
    }

    pub fn inner(&self) -> &web_sys::Request {
        &self.inner
    }

    /// Scheme and host, for the URL that a tenant sees.
    pub fn origin(&self) -> &str {
        &self.url[..self.path_at]
    }

    /// Whether the caller has gone. Needs the compatibility flag `enable_request_signal`.
    pub fn is_aborted(&self) -> bool {
        self.inner.signal().aborted()
    }
}

impl Inbound for WebRequest {
    fn method(&self) -> &str {
        &self.method
    }

    fn host(&self) -> &str {
        &self.url[self.host_at..self.path_at]
    }

    fn path(&self) -> &str {
        &self.url[self.path_at..self.query_at.unwrap_or(self.url.len())]
    }

    fn query(&self) -> Option<&str> {
        self.query_at.map(|query| &self.url[query + 1..])
    }

    fn header(&self, name: &str) -> Option<String> {
        self.inner.headers().get(name).expect("the names we ask for are valid header names")
    }
}
