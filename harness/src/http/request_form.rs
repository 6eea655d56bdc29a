//! The request that buys something from a server that nobody knows: its method, its headers and its body.

use reqwest::{
    Method, RequestBuilder,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use x402_protocol::header::{PAYMENT_SIGNATURE, X_PAYMENT};

/// A GET without anything, unless it is told otherwise.
#[derive(Clone, Debug, Default)]
pub struct RequestForm {
    method: Method,
    headers: HeaderMap,
    body: Option<String>,
}

impl RequestForm {
    /// A body makes it a POST where no method is given, and is JSON where it reads as such and no header says otherwise.
    #[must_use]
    pub fn new(method: Option<Method>, headers: &[Header], body: Option<String>) -> Self {
        let method = method.unwrap_or(if body.is_some() { Method::POST } else { Method::GET });
        let mut headers = header_map(headers);
        if body.as_deref().is_some_and(is_json) {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        Self { method, headers, body }
    }

    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The headers that a page must ask leave for.
    pub fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.headers.keys()
    }

    pub fn request(&self, http: &reqwest::Client, url: &str) -> RequestBuilder {
        let request = http.request(self.method.clone(), url).headers(self.headers.clone());
        match &self.body {
            Some(body) => request.body(body.clone()),
            None => request,
        }
    }

    /// The same headers without the body, under another method.
    pub fn head(&self, http: &reqwest::Client, url: &str) -> RequestBuilder {
        http.head(url).headers(self.headers.clone())
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A header as a person gives it: `NAME: VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    name: HeaderName,
    value: HeaderValue,
}

#[must_use]
pub fn header_map(headers: &[Header]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for Header { name, value } in headers {
        map.append(name.clone(), value.clone());
    }
    map
}

/// Reads `NAME: VALUE`. Headers of payments are the checks' own.
pub fn header(text: &str) -> Result<Header, String> {
    let (name, value) = text.split_once(':').ok_or("a header is NAME: VALUE, such as `authorization: Bearer x`")?;
    let name: HeaderName = name.trim().parse().map_err(|_| format!("`{}` is not a header's name", name.trim()))?;
    if [PAYMENT_SIGNATURE, X_PAYMENT].iter().any(|own| name.as_str().eq_ignore_ascii_case(own)) {
        return Err(format!("`{name}` carries payments, and the checks send their own"));
    }
    if ["content-length", "transfer-encoding", "connection"].contains(&name.as_str()) {
        return Err(format!("`{name}` is the connection's own"));
    }
    // Its text is not repeated: it may be a key.
    let mut value: HeaderValue =
        value.trim().parse().map_err(|_| format!("the value of `{name}` has characters that no header can have"))?;
    value.set_sensitive(true);
    Ok(Header { name, value })
}

/// Reads a method under which something may be sold.
pub fn method(text: &str) -> Result<Method, String> {
    let method = Method::from_bytes(text.to_ascii_uppercase().as_bytes());
    let method = method.map_err(|_| format!("`{text}` is not a method: such as GET or POST"))?;
    if [Method::HEAD, Method::OPTIONS, Method::CONNECT, Method::TRACE].contains(&method) {
        return Err(format!("nothing is sold by {method}: such as GET or POST"));
    }
    Ok(method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value() {
        let read = |text| header_map(&[header(text).unwrap()]);
        assert_eq!(read("X-Key:  a:b ")["x-key"], "a:b");
        for (text, said) in [
            ("x-key", "a header is NAME: VALUE"),
            (": x", "`` is not a header's name"),
            ("a b: x", "`a b` is not"),
            ("x: a\nb", "the value of `x` has"),
            ("PAYMENT-SIGNATURE: x", "`payment-signature` carries payments"),
            ("X-Payment: x", "`x-payment` carries payments"),
            ("Content-Length: 3", "`content-length` is the connection's own"),
        ] {
            let error = header(text).expect_err(text);
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn a_body_is_posted_and_says_that_it_is_json() {
        let http = system::http_client::builder().build().unwrap();
        let made = |form: RequestForm| form.request(&http, "http://127.0.0.1/").build().unwrap();
        let plain = made(RequestForm::default());
        assert_eq!((plain.method(), plain.body().is_none()), (&Method::GET, true));
        let json = made(RequestForm::new(None, &[], Some(r#"{"q":1}"#.to_owned())));
        assert_eq!(
            (json.method(), &json.headers()["content-type"]),
            (&Method::POST, &"application/json".parse().unwrap())
        );
        let typed = [header("content-type: text/csv").unwrap()];
        let put = made(RequestForm::new(Some(Method::PUT), &typed, Some("[]".to_owned())));
        assert_eq!((put.method(), &put.headers()["content-type"]), (&Method::PUT, &"text/csv".parse().unwrap()));
        assert!(!made(RequestForm::new(None, &[], Some("a,b".to_owned()))).headers().contains_key("content-type"));
    }

    #[test]
    fn what_sells_nothing_is_no_method() {
        assert_eq!(method("patch"), Ok(Method::PATCH));
        for text in ["HEAD", "options", "TRACE", "CONNECT", "G T", ""] {
            assert!(method(text).is_err(), "{text}");
        }
    }
}
