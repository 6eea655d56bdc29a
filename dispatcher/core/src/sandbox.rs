//! Pages of tenants that share a host, kept apart. Everything below `/t/` is one origin to a browser, whose scripts may read
//! each other's pages, storage and cookies: a cookie's `Path` keeps no script out (RFC 6265, 8.6). So a page from there gets
//! an origin of its own, which is nobody's (`docs/slugs.md`).
//!
//! Surprising constraint: no `Cross-Origin-Opener-Policy` beside the sandbox, not even a tenant's own. By the HTML standard
//! (7.4.5) a page that has both does not open; and where every page is its own origin, an opener reads nothing anyway.

use crate::{
    answer::{Answer, Body},
    message::Outbound,
};

const POLICY: &str = "content-security-policy";
const CONTENT_TYPE: &str = "content-type";
const NO_SNIFF: &str = "x-content-type-options";
const OPENER_POLICY: &str = "cross-origin-opener-policy";
const RESOURCE_POLICY: &str = "cross-origin-resource-policy";

/// Without `allow-same-origin`. Several policies all hold, so a tenant's own can make this narrower and never wider.
const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-popups";

/// Types that no browser makes a page with scripts of. Everything else is contained: unknown types are guessed at, XML can
/// be XHTML, and `multipart` anything.
const INERT: [&str; 12] = [
    "application/javascript",
    "application/json",
    "application/octet-stream",
    "application/pdf",
    "application/wasm",
    "application/x-ndjson",
    "text/css",
    "text/csv",
    "text/event-stream",
    "text/javascript",
    "text/markdown",
    "text/plain",
];
const INERT_KINDS: [&str; 4] = ["audio/", "font/", "image/", "video/"];

/// The answer, with an origin of its own where a browser would make a page of it.
pub fn contained<O: Outbound>(answer: Answer<O>) -> Answer<O> {
    // No browser makes a page of a switch of protocols, or of an answer that has no content.
    if answer.status < 200 || answer.status == 204 {
        return answer;
    }
    let said = |name: &str| -> Vec<String> {
        let of_name = |headers: &[(String, String)]| {
            let mine = headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
            mine.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        match (&answer.body, of_name(&answer.set)) {
            // What is set stands over what the tenant said.
            (Body::Tenant(response), set) if set.is_empty() => of_name(&response.headers()),
            (_, set) => set,
        }
    };
    let (types, policies, resource) = (said(CONTENT_TYPE), said(POLICY), said(RESOURCE_POLICY));
    let answer = answer.with(NO_SNIFF, "nosniff");
    let [essence] = &types.iter().map(|one| essence(one)).collect::<Vec<_>>()[..] else {
        return sandboxed(answer, policies);
    };
    if is_inert(essence) {
        return answer;
    }
    // Markup is nothing that another site needs to embed, other than as a page; an image that is XML may well be.
    let is_markup = matches!(essence.as_str(), "text/html" | "application/xhtml+xml");
    let answer = if is_markup && resource.is_empty() { answer.with(RESOURCE_POLICY, "same-origin") } else { answer };
    sandboxed(answer, policies)
}

/// With a policy of ours behind the tenant's own.
fn sandboxed<O>(answer: Answer<O>, policies: Vec<String>) -> Answer<O> {
    let answer = answer.without(OPENER_POLICY);
    answer.with(POLICY, policies.iter().map(String::as_str).chain([SANDBOX]).collect::<Vec<_>>().join(", "))
}

/// The type without its parameters. Of several, a browser takes the last that it can read: such a list is no type here.
fn essence(content_type: &str) -> String {
    let one = if content_type.contains(',') { "" } else { content_type.split(';').next().unwrap_or_default() };
    one.trim().to_ascii_lowercase()
}

fn is_inert(essence: &str) -> bool {
    let is_kind = INERT_KINDS.iter().any(|kind| essence.starts_with(kind)) && !essence.ends_with("xml");
    is_kind || INERT.contains(&essence) || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{message::CollectError, passed::Passed};

    #[derive(Debug)]
    struct Response(Vec<(String, String)>);

    impl Outbound for Response {
        fn status(&self) -> u16 {
            404
        }
        fn headers(&self) -> Vec<(String, String)> {
            self.0.clone()
        }
        async fn collect(self, _: usize) -> Result<Vec<u8>, CollectError> {
            Ok(Vec::new())
        }
    }

    fn told(headers: &[(&str, &str)], streamed: bool) -> Vec<(String, String)> {
        let headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let (body, set) = if streamed {
            (Body::Tenant(Passed::unsold(Response(headers)).unwrap()), Vec::new())
        } else {
            (Body::Bytes(Vec::new()), headers)
        };
        contained(Answer { status: 404, body, set, strip: Vec::new() }).set
    }

    fn value(set: &[(String, String)], name: &str) -> Option<String> {
        let of_name: Vec<_> = set.iter().filter(|(other, _)| other == name).map(|(_, value)| value.clone()).collect();
        assert!(of_name.len() <= 1, "{set:?}");
        of_name.first().cloned()
    }

    #[test]
    fn whatever_a_browser_may_make_a_page_of_gets_an_origin_of_its_own() {
        let pages = [
            "text/html; charset=utf-8",
            "TEXT/HTML",
            "application/xhtml+xml",
            "image/svg+xml",
            "text/xml",
            "application/rss+xml",
            "multipart/x-mixed-replace; boundary=x",
            "application/json, text/html",
            "text/plain;a=b,text/html",
            "unknown/unknown",
            "*/*",
            "html",
            "",
        ];
        for streamed in [false, true] {
            for page in pages {
                let set = told(&[("content-type", page)], streamed);
                assert_eq!(value(&set, POLICY).as_deref(), Some(SANDBOX), "{page}");
                assert_eq!(value(&set, NO_SNIFF).as_deref(), Some("nosniff"));
            }
            assert_eq!(value(&told(&[], streamed), POLICY).as_deref(), Some(SANDBOX));
            for inert in ["application/json", "image/png", "text/plain; charset=utf-8", "application/problem+json"] {
                let set = told(&[("content-type", inert)], streamed);
                assert_eq!((value(&set, POLICY), value(&set, NO_SNIFF).is_some()), (None, true), "{inert}");
            }
        }
    }

    #[test]
    fn a_tenants_own_policies_hold_beside_ours() {
        for streamed in [false, true] {
            let own =
                [("content-type", "text/html"), (POLICY, "default-src 'self'"), (RESOURCE_POLICY, "cross-origin")];
            let set = told(&own, streamed);
            assert_eq!(value(&set, POLICY).unwrap(), format!("default-src 'self', {SANDBOX}"));
            let resource = value(&set, RESOURCE_POLICY);
            assert!(resource.is_none_or(|own| own == "cross-origin"));
        }
        for streamed in [false, true] {
            let own = [("content-type", "text/html"), (OPENER_POLICY, "same-origin")];
            assert_eq!(value(&told(&own, streamed), OPENER_POLICY), None, "such a page would not open");
        }
        assert_eq!(
            value(&told(&[("content-type", "text/html")], true), RESOURCE_POLICY).as_deref(),
            Some("same-origin")
        );
        assert_eq!(value(&told(&[("content-type", "image/svg+xml")], true), RESOURCE_POLICY), None);
    }
}
