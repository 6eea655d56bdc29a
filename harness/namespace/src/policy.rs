//! Who answers a tenant's subrequests. Surprising constraint: never the network by default, so that a test of a namespace
//! reaches nobody by accident; on the platform this place is the outbound Worker's.

use super::{
    headers::{OUTBOUND, strip},
    stream::{Body, empty, full, send},
};
use http_body_util::BodyExt;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use serde_json::{Map, Value, json};
use std::{
    fmt,
    net::{SocketAddr, ToSocketAddrs},
    str::FromStr,
};
use tokio::net::TcpStream;

/// The body of an answer by the double.
const DOUBLE: &str = "outbound double\n";
const REDIRECT: &str = "/redirect/";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Every host answers 200 with "outbound double"; `/redirect/<n>` takes n hops to get there.
    Double,
    /// Every subrequest is answered 403.
    Refuse,
    /// A server of the developer's, in the outbound Worker's place, gets every subrequest.
    Forward(SocketAddr),
}

/// For whom a subrequest is made.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    pub script: &'a str,
    pub parameters: &'a Map<String, Value>,
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is neither `double` nor `refuse` nor an address like http://127.0.0.1:8788")]
pub struct NoPolicy(String);

impl FromStr for Policy {
    type Err = NoPolicy;

    fn from_str(text: &str) -> Result<Policy, NoPolicy> {
        let no_policy = || NoPolicy(text.to_owned());
        match text {
            "double" => Ok(Policy::Double),
            "refuse" => Ok(Policy::Refuse),
            _ => {
                let address = text.strip_prefix("http://").ok_or_else(no_policy)?.trim_end_matches('/');
                let address = address.to_socket_addrs().ok().and_then(|mut all| all.next()).ok_or_else(no_policy)?;
                Ok(Policy::Forward(address))
            }
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Policy::Double => f.write_str("double"),
            Policy::Refuse => f.write_str("refuse"),
            Policy::Forward(address) => write!(f, "http://{address}"),
        }
    }
}

impl Policy {
    pub async fn answer(&self, request: Request<Incoming>, asker: Asker<'_>) -> Response<Body> {
        if request.method() == Method::CONNECT || request.headers().contains_key(header::UPGRADE) {
            return text(
                StatusCode::NOT_IMPLEMENTED,
                "local dispatch namespace: tenants have no WebSockets and no TCP\n",
            );
        }
        match self {
            Policy::Double => double(request.uri().path()),
            Policy::Refuse => {
                text(StatusCode::FORBIDDEN, "local dispatch namespace: the outbound policy is `refuse`\n")
            }
            Policy::Forward(address) => forward(*address, request, asker).await,
        }
    }
}

fn double(path: &str) -> Response<Body> {
    let hops = path.strip_prefix(REDIRECT).and_then(|hops| hops.parse::<u32>().ok());
    match hops.and_then(|hops| hops.checked_sub(1)) {
        Some(left) => {
            let mut response = text(StatusCode::FOUND, "");
            let next = HeaderValue::from_str(&format!("{REDIRECT}{left}")).expect("a path of digits is a header value");
            response.headers_mut().insert(header::LOCATION, next);
            response
        }
        None => text(StatusCode::OK, DOUBLE),
    }
}

/// In absolute form, as a proxy is asked, so that the server learns which host the tenant meant.
async fn forward(address: SocketAddr, request: Request<Incoming>, asker: Asker<'_>) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    strip(&mut head.headers);
    // Both are made anew: the body's length is known or is not, and proxy-style requests come without a host.
    head.headers.remove(header::CONTENT_LENGTH);
    if let Some(host) = head.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok()) {
        head.headers.insert(header::HOST, host);
    }
    let told = json!({ "script": asker.script, "parameters": asker.parameters }).to_string();
    if let Ok(told) = HeaderValue::from_bytes(told.as_bytes()) {
        head.headers.insert(OUTBOUND, told);
    }
    let request = Request::from_parts(head, body.map_err(Into::into).boxed_unsync());
    let asked =
        async { send(TcpStream::connect(address).await.map_err(super::stream::SendError::Connect)?, request).await };
    match asked.await {
        Ok(response) => {
            let (mut head, body) = response.into_parts();
            strip(&mut head.headers);
            Response::from_parts(head, body.map_err(Into::into).boxed_unsync())
        }
        Err(error) => text(StatusCode::BAD_GATEWAY, &format!("local dispatch namespace: {address}: {error}\n")),
    }
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(if text.is_empty() { empty() } else { full(text.to_owned()) });
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_a_word_or_an_address() {
        assert_eq!("double".parse::<Policy>().unwrap(), Policy::Double);
        assert_eq!("refuse".parse::<Policy>().unwrap(), Policy::Refuse);
        let forward = Policy::Forward("127.0.0.1:8788".parse().unwrap());
        assert_eq!("http://127.0.0.1:8788/".parse::<Policy>().unwrap(), forward);
        assert_eq!(forward.to_string().parse::<Policy>().unwrap(), forward);
        assert!("allow".parse::<Policy>().is_err());
        assert!("https://a.example".parse::<Policy>().is_err());
    }

    #[test]
    fn the_doubles_redirects_end() {
        let location = |path| double(path).headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        assert_eq!(location("/redirect/2").as_deref(), Some("/redirect/1"));
        assert_eq!(location("/redirect/0"), None);
        assert_eq!(location("/redirect/x"), None);
    }
}
