//! The tenant double of the namespace stand-in (`assets/namespace/tenant.mjs`), behaviour for behaviour, with a meter for CPU
//! time, memory and subrequests. A behaviour that one has and the other has not would make the tiers disagree for no reason.

use super::ports::namespace::SimResponse;
use base64::prelude::{BASE64_STANDARD, Engine};
use namespace::{DEFAULT_MEMORY_MB, EXCEEDED_CPU, EXCEEDED_MEMORY, Limits, Memory, TOO_MANY_SUBREQUESTS};
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How large a chunk the double's streams have, and so where a stream that breaks off does.
const CHUNK_BYTES: usize = 65_536;
/// The tenant's own work, as the limits count it.
const OWN_CPU: Duration = Duration::from_millis(1);
/// The number of copies of an answer in its process's memory, where a Worker has it in one piece: the array, its copy
/// as a `Response`, and that on its way out. Measured.
const COPIES: u64 = 3;
/// The length of each chain of redirects, on which every hop is a subrequest.
const HOPS: u64 = 10;

/// The URLs that `/fetch/<name>` asks of the outside.
const OUTSIDE: [(&str, &str); 11] = [
    ("public", "https://api.example.com/v1"),
    ("listed", "https://data.example.org/v1"),
    ("denied", "https://tracker.example.org/"),
    ("decimal", "http://2130706433/"),
    ("mapped", "http://[::ffff:127.0.0.1]/"),
    ("metadata", "http://169.254.169.254/latest/meta-data/"),
    ("localhost", "http://localhost/"),
    ("port", "https://api.example.com:8443/"),
    ("platform", "https://globex.platform.example/quote"),
    ("redirect", "https://data.example.org/redirect-to/http%3A%2F%2F10.0.0.1%2F"),
    (
        "redirect-twice",
        "https://data.example.org/redirect-to/https%3A%2F%2Fdata.example.org%2Fredirect-to%2Fhttps%253A%252F%252Fdata.example.org%252Fv1",
    ),
];

/// All tenants' scripts.
#[derive(Default)]
pub struct Tenants {
    /// The words that only one tenant knows, by script.
    canaries: BTreeMap<String, String>,
    /// The requests that have failed once, by script, and will not again.
    failed: RefCell<BTreeSet<(String, String)>>,
}

/// A request as a tenant sees it.
pub struct Heard<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// With its question mark, or empty.
    pub query: &'a str,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Asks a URL of the outside, and returns the status.
    pub outside: &'a dyn Fn(&str) -> u16,
}

/// The result of an invocation, and its time.
pub struct Verdict {
    pub after_ms: u64,
    /// Or the message of the exception.
    pub told: Result<SimResponse, String>,
    pub used: Used,
}

/// The use of an invocation, and the number of refusals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    pub cpu: Duration,
    pub memory: Memory,
    pub subrequests: u32,
    pub refused: u32,
}

#[derive(Debug)]
pub enum Content {
    Whole(Vec<u8>),
    /// The stream fails once so many bytes have come.
    CutOffAfter(usize),
    Endless,
    /// A byte, and another one each time so much has passed.
    Trickle(Duration),
}

impl Verdict {
    fn at_once(told: Result<SimResponse, String>) -> Self {
        Self { after_ms: 0, told, used: Used { cpu: OWN_CPU, ..Used::default() } }
    }
}

impl Tenants {
    #[must_use]
    pub fn new(canaries: BTreeMap<String, String>) -> Self {
        Self { canaries, failed: RefCell::default() }
    }

    /// `None` where the namespace has no such script.
    pub fn run(&self, script: &str, limits: Limits, heard: &Heard<'_>) -> Option<Verdict> {
        let tenant = Tenant { script, canary: self.canaries.get(script)? };
        let mut parts = heard.path.split('/').skip(1);
        let (fault, argument) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let number = || argument.parse::<u64>().unwrap_or_default();
        let answer = || tenant.seen(heard, 200, &[]);
        Some(match fault {
            "status" => Verdict::at_once(Ok(tenant.seen(heard, number() as u16, &[]))),
            "fails-first" => {
                let first = self.failed.borrow_mut().insert((script.to_owned(), argument.to_owned()));
                Verdict::at_once(Ok(tenant.seen(heard, if first { 500 } else { 200 }, &[])))
            }
            "throw" => Verdict::at_once(Err(format!("tenant double {script} throws {}", tenant.canary))),
            "slow" => Verdict { after_ms: number(), ..Verdict::at_once(Ok(answer())) },
            "burn" | "compute" => burn(Duration::from_millis(number()), limits, answer),
            "subrequests" => ask(number(), limits, answer),
            "redirects" => ask(number() * (HOPS + 1), limits, answer),
            "caught" => Verdict { told: Ok(answer()), ..ask(number(), limits, answer) },
            "fetch" => {
                let url = OUTSIDE.iter().find(|(name, _)| *name == argument).map_or("", |(_, url)| *url);
                let fetched = json!({"url": url, "status": (heard.outside)(url)});
                Verdict::at_once(Ok(tenant.seen_with(heard, 200, &[], Some(fetched))))
            }
            "big" => Verdict::at_once(Ok(tenant.stream(Content::Whole(tenant.bytes(number() as usize))))),
            "endless" => Verdict::at_once(Ok(tenant.stream(Content::Endless))),
            "trickle" => Verdict::at_once(Ok(tenant.stream(Content::Trickle(Duration::from_millis(number()))))),
            "hoard" => hoard(number(), |bytes| tenant.stream(Content::Whole(vec![b'.'; bytes]))),
            "cut" => Verdict::at_once(Ok(tenant.stream(Content::CutOffAfter(number() as usize)))),
            // No client of this tier sends a body.
            "echo" => Verdict::at_once(Ok(tenant.stream(Content::Whole(Vec::new())))),
            "page" => Verdict::at_once(Ok(tenant.page(heard))),
            "own-words" => Verdict::at_once(Ok(tenant.seen(heard, 200, &own_words()))),
            "html" => Verdict::at_once(Ok(tenant.html(argument))),
            "forge" => {
                let status = if argument.is_empty() { 200 } else { number() as u16 };
                Verdict::at_once(Ok(tenant.seen(heard, status, &forged())))
            }
            _ => Verdict::at_once(Ok(answer())),
        })
    }
}

fn burn(time: Duration, limits: Limits, answer: impl FnOnce() -> SimResponse) -> Verdict {
    let wanted = time + OWN_CPU;
    let cpu = wanted.min(limits.cpu);
    let told = if wanted > cpu { Err(EXCEEDED_CPU.to_owned()) } else { Ok(answer()) };
    Verdict { after_ms: cpu.as_millis() as u64, told, used: Used { cpu, ..Used::default() } }
}

fn hoard(bytes: u64, answer: impl FnOnce(usize) -> SimResponse) -> Verdict {
    let (wanted, limit) = (Memory::of_bytes(bytes * COPIES), Memory::megabytes(DEFAULT_MEMORY_MB));
    let told = if wanted > limit { Err(EXCEEDED_MEMORY.to_owned()) } else { Ok(answer(bytes as usize)) };
    Verdict { used: Used { cpu: OWN_CPU, memory: wanted.min(limit), ..Used::default() }, ..Verdict::at_once(told) }
}

/// It asks for one after the other, and stops at the first that is refused.
fn ask(count: u64, limits: Limits, answer: impl FnOnce() -> SimResponse) -> Verdict {
    let allowed = u64::from(limits.subrequests);
    let told = if count > allowed { Err(TOO_MANY_SUBREQUESTS.to_owned()) } else { Ok(answer()) };
    let (subrequests, refused) = (count.min(allowed) as u32, u32::from(count > allowed));
    Verdict { used: Used { cpu: OWN_CPU, subrequests, refused, ..Used::default() }, ..Verdict::at_once(told) }
}

struct Tenant<'a> {
    script: &'a str,
    canary: &'a str,
}

/// The headers of its answer.
#[derive(Default)]
struct Said<'a> {
    forged: &'a [(&'a str, String)],
    fetched: Option<Value>,
    /// The length of the body, where it is known before it is sent.
    bytes: Option<usize>,
    /// Path and query as they reached it.
    target: Option<String>,
}

impl Tenant<'_> {
    /// Says who it is and what reached it.
    fn seen(&self, heard: &Heard<'_>, status: u16, forged: &[(&str, String)]) -> SimResponse {
        self.seen_with(heard, status, forged, None)
    }

    fn seen_with(
        &self,
        heard: &Heard<'_>,
        status: u16,
        forged: &[(&str, String)],
        fetched: Option<Value>,
    ) -> SimResponse {
        let told = |(name, _): &(&String, &String)| {
            let told = ["x-", "x_", "payment-", "forwarded", "true-client-", "sign-in-", "authorization"];
            told.iter().any(|start| name.starts_with(start))
        };
        let headers: BTreeMap<_, _> = heard.headers.iter().filter(told).collect();
        let body = json!({
            "tenant": self.script,
            "canary": self.canary,
            "method": heard.method,
            "target": format!("{}{}", heard.path, heard.query),
            "headers": headers,
        });
        let bare = matches!(status, 101 | 204 | 205 | 304);
        let body = if bare { Vec::new() } else { body.to_string().into_bytes() };
        let said =
            Said { forged, fetched, bytes: Some(body.len()), target: Some(format!("{}{}", heard.path, heard.query)) };
        let mut headers = self.headers("application/json", status, said);
        // Like the usual three lines of a Worker, it lets every page in and does not look at the method.
        if heard.method == "OPTIONS" {
            headers.push(("access-control-allow-origin".to_owned(), "*".to_owned()));
        }
        SimResponse { status, headers, content: Content::Whole(body) }
    }

    /// The same as a page, which a browser would run in the origin that it came from.
    fn page(&self, heard: &Heard<'_>) -> SimResponse {
        let mut page = self.seen(heard, 200, &[]);
        let content_type = page.headers.iter_mut().find(|(name, _)| name == "content-type");
        content_type.expect("it says what it is").1 = "text/html; charset=utf-8".to_owned();
        page
    }

    /// Markup that its caller chose, as a seller's page would have it.
    fn html(&self, escaped: &str) -> SimResponse {
        let body: Vec<u8> = percent_encoding::percent_decode_str(escaped).collect();
        let said = Said { bytes: Some(body.len()), ..Said::default() };
        let headers = self.headers("text/html; charset=utf-8", 200, said);
        SimResponse { status: 200, headers, content: Content::Whole(body) }
    }

    fn stream(&self, content: Content) -> SimResponse {
        let bytes = if let Content::Whole(body) = &content { Some(body.len()) } else { None };
        let headers = self.headers("application/octet-stream", 200, Said { bytes, ..Said::default() });
        SimResponse { status: 200, headers, content }
    }

    fn bytes(&self, count: usize) -> Vec<u8> {
        let mut chunk = self.canary.as_bytes().to_vec();
        chunk.resize(CHUNK_BYTES, b'.');
        let mut bytes = chunk.repeat(count.div_ceil(CHUNK_BYTES));
        bytes.truncate(count);
        bytes
    }

    fn headers(&self, content_type: &str, status: u16, said: Said<'_>) -> Vec<(String, String)> {
        let Said { forged, fetched, bytes, target } = said;
        let located = located(status);
        // What it may say itself is no forgery.
        let own = own_words();
        let names: Vec<_> = forged.iter().filter(|said| !own.contains(said)).map(|(name, _)| *name).collect();
        let cookies = forged.iter().filter(|(name, _)| *name == "set-cookie").count();
        let mut said = json!({"status": status, "forged": names, "bytes": bytes, "target": target, "cookies": cookies});
        if let Some((name, value)) = located {
            said[name.replace('-', "_")] = Value::from(value);
        }
        if let Some(fetched) = fetched {
            said["fetched"] = fetched;
        }
        let mut headers = vec![
            ("content-type".to_owned(), content_type.to_owned()),
            // The usual line of whoever wants pages to read it.
            ("access-control-allow-origin".to_owned(), "*".to_owned()),
            ("x-canary".to_owned(), self.canary.to_owned()),
            ("x-said".to_owned(), said.to_string()),
        ];
        headers.extend(located.map(|(name, value)| (name.to_owned(), value.to_owned())));
        headers.retain(|(name, _)| forged.iter().all(|(own, _)| own != name));
        headers.extend(forged.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        headers
    }
}

/// Statuses whose answer says where something is.
fn located(status: u16) -> Option<(&'static str, &'static str)> {
    Some(match status {
        201 => ("location", "/created/1"),
        202 => ("content-location", "/jobs/1"),
        301 => ("location", "/moved"),
        302 => ("location", "https://elsewhere.example/found"),
        303 => ("location", "/other"),
        307 | 308 => ("location", "/again"),
        _ => return None,
    })
}

/// Headers that a tenant may set, although a dispatcher says the like: who may read it, that nobody keeps it, two
/// cookies.
fn own_words() -> Vec<(&'static str, String)> {
    [
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "etag"),
        ("vary", "origin"),
        ("cache-control", "no-store"),
        ("etag", "\"1\""),
        ("set-cookie", "theme=dark; Path=/"),
        ("set-cookie", "basket=7; Path=/; HttpOnly"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

/// Headers that only the dispatcher may set, with a word that nothing else carries; and what would make a paid answer
/// public.
fn forged() -> Vec<(&'static str, String)> {
    let encoded = |json: &str| BASE64_STANDARD.encode(json);
    vec![
        ("payment-required", encoded(r#"{"x402Version":2,"error":"forged","accepts":[]}"#)),
        ("payment-response", encoded(r#"{"success":true,"transaction":"0xforged","network":"eip155:84532"}"#)),
        ("x-payment-response", encoded(r#"{"success":true,"transaction":"0xforged","network":"base-sepolia"}"#)),
        ("extension-responses", encoded(r#"{"forged":{}}"#)),
        ("x-request-id", "forged".to_owned()),
        ("x-tenant-id", "forged".to_owned()),
        ("x-tenant-plan", "forged".to_owned()),
        ("payment-anything", "forged".to_owned()),
        ("cache-control", "public, max-age=600, s-maxage=600".to_owned()),
        ("cdn-cache-control", "max-age=600".to_owned()),
        ("surrogate-control", "max-age=600".to_owned()),
        ("expires", "Fri, 01 Jan 2100 00:00:00 GMT".to_owned()),
        ("set-cookie", "session=another; Domain=tenants.test; Path=/".to_owned()),
        // Its own to say, and the dispatcher's to leave alone.
        ("access-control-allow-origin", "https://app.example".to_owned()),
        ("clear-site-data", "\"forged\"".to_owned()),
        ("service-worker-allowed", "/forged".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tiers_tenants_ask_the_same_of_the_outside() {
        let live = include_str!("../../assets/namespace/tenant.mjs");
        for (name, url) in OUTSIDE {
            assert!(live.contains(&format!("\"{url}\"")) && live.contains(name), "{name}");
        }
    }
}
