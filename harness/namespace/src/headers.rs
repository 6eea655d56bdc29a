//! The headers that dispatcher, supervisor and tenant process speak to each other by. They share one prefix, and whatever
//! carries it is taken off on the way in and on the way out: no caller can forge one, and what a tenant forges reaches
//! the supervisor alone, which believes the tenant's shim by the invocation's token.

use hyper::{
    HeaderMap,
    header::{self, HeaderName},
};

const PREFIX: &str = "x-namespace-";

/// Which script to run, under what: JSON (`dispatch.rs`).
pub const DISPATCH: HeaderName = HeaderName::from_static("x-namespace-dispatch");
/// Marks an answer that is to be thrown: from a tenant's process with the invocation's token, to the dispatcher with what is
/// thrown, since the answer to a HEAD has no body to say it in.
pub const EXCEPTION: HeaderName = HeaderName::from_static("x-namespace-exception");
/// The header with the error that the tenant has thrown.
pub const THROWN: HeaderName = HeaderName::from_static("x-namespace-thrown");
/// Marks what the tenant returned. Without it an answer is the runtime's own, which could not send that.
pub const ANSWERED: HeaderName = HeaderName::from_static("x-namespace-answered");
/// An invocation's token, by which the shim's own words are told from the tenant's. The shim keeps it from whatever the
/// tenant may have put in the runtime's place. Still they share an isolate, so nothing hangs on it but whether the
/// tenant's own invocation is over, and whether it threw.
pub const TOKEN: HeaderName = HeaderName::from_static("x-namespace-token");
/// The shim's word, on the outbound socket, that the invocation is over. It knows of the background work that was given
/// to the context's own `waitUntil`; what a tenant takes past that, by the context's prototype or by
/// `cloudflare:workers`, is not waited for, and so not charged.
pub const DONE: HeaderName = HeaderName::from_static("x-namespace-done");
/// Marks the outbound proxy's refusal of one subrequest more, with what is to be thrown. It needs no token, since no
/// answer from outside keeps it, and must have none, since a tenant can read it.
pub const REFUSED: HeaderName = HeaderName::from_static("x-namespace-refused");
/// `request.cf`, which workerd puts into and takes out of this header.
pub const CF: HeaderName = HeaderName::from_static("x-namespace-cf");
/// For whoever answers subrequests: the script and the outbound parameters that asked.
pub const OUTBOUND: HeaderName = HeaderName::from_static("x-namespace-outbound");
/// Not ours, and passed on: how a dispatcher names a request to its tenant.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Takes off what belongs to one connection, and what is ours.
pub fn strip(headers: &mut HeaderMap) {
    let ours: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with(PREFIX)).cloned().collect();
    let of_the_connection = [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::TE,
        header::TRAILER,
        header::UPGRADE,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        HeaderName::from_static("keep-alive"),
    ];
    for name in ours.into_iter().chain(of_the_connection) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn nothing_of_ours_and_nothing_of_the_connection_is_passed_on() {
        let mut headers = HeaderMap::new();
        for name in ["x-namespace-exception", "x-namespace-invented", "transfer-encoding", "x-kept"] {
            headers.append(name, HeaderValue::from_static("1"));
            headers.append(name, HeaderValue::from_static("2"));
        }
        strip(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["x-kept"]);
        assert_eq!(headers.len(), 2);
    }
}
