//! What must hold of every request whatever its bytes. A plain function, run by a property test and over the fuzzer's seeds
//! on stable Rust, and by the fuzz target `resolve` on nightly. Surprising constraint: it reads hosts and slugs off the
//! tenants by itself, and shares no rule with what it judges.

use dispatcher_core::{
    directory::Directory,
    ports::{CollectError, Inbound},
    protocol::Network,
    resolve::{Resolution, ResolveError, Resolved, resolve},
    tenant::Available,
};
use std::{
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// Id, hosts and slug. Each is close to another one by a dot, a letter or an encoding.
const TENANTS: [(&str, &[&str], &str); 5] = [
    ("acme", &["acme.example", "api.acme.example"], "acme"),
    ("globex", &["globex.example"], "globex"),
    ("acme-eu", &["acme.example.eu", "xn--cme-5cd.example"], "acme-eu"),
    ("t", &["t"], "t"),
    ("x", &["1.2.3.4"], "2e2e"),
];

/// A request as the runtime hands it on: nothing is parsed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// In the URL.
    pub host: String,
    /// The header, where the runtime shows it.
    pub header: Option<String>,
    pub path: String,
}

impl Sent {
    /// Host, path and perhaps the `Host` header, a line each: how seeds are written, and what a fuzzer mutates.
    pub fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut lines = text.splitn(3, '\n').map(str::to_owned);
        let (host, path) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        Self { host, header: lines.next(), path }
    }
}

impl Inbound for Sent {
    fn method(&self) -> &str {
        "GET"
    }
    fn origin(&self) -> &str {
        "https://unused.example"
    }
    fn host(&self) -> &str {
        &self.host
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn query(&self) -> Option<&str> {
        None
    }
    fn header(&self, name: &str) -> Option<String> {
        // Everything that a caller may claim beside its Host names a tenant that it must not reach.
        if name == "host" { self.header.clone() } else { Some("globex.example".to_owned()) }
    }

    async fn body(&self, _limit: usize) -> Result<Vec<u8>, CollectError> {
        Ok(Vec::new())
    }
}

fn directory() -> Directory {
    let tenants: Vec<_> = TENANTS
        .map(|(id, hosts, slug)| serde_json::json!({"id": id, "plan": "pro", "hosts": hosts, "slug": slug}))
        .into();
    let json = serde_json::json!({ "tenants": tenants }).to_string();
    Directory::from_json(&json, &Available { network: Network::BaseSepolia, facilitators: [].into() }).unwrap()
}

pub fn to(sent: &Sent) -> Result<Resolution, ResolveError> {
    thread_local! {
        static DIRECTORY: Rc<Directory> = Rc::new(directory());
    }
    DIRECTORY.with(|directory| ready(resolve(directory, sent)))
}

/// Runs a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a directory in memory waited"),
    }
}

/// Panics where a request reaches a tenant that it does not name, or where two spellings of one name differ.
pub fn check(bytes: &[u8]) {
    let sent = Sent::read(bytes);
    let got = to(&sent);
    if let Ok(Resolution::Tenant(resolved)) = &got {
        assert_named(&sent, resolved);
    }
    for other in same_in_other_spellings(&sent) {
        assert_eq!(to(&other), got, "{sent:?} and {other:?} are one request");
    }
}

fn assert_named(sent: &Sent, resolved: &Resolved) {
    let (id, hosts, slug) = *TENANTS.iter().find(|(id, ..)| *id == resolved.tenant.id).expect("one of ours");
    assert_eq!(resolved.tenant.script.as_str(), id);
    let is_host = |sent: &str| hosts.iter().any(|host| spells(sent, host));
    match &resolved.place.mount {
        None => {
            assert!(is_host(&sent.host), "{sent:?} does not name a host of {id}");
            assert_eq!(resolved.place.path, sent.path);
        }
        Some(mount) => {
            assert_eq!(*mount, format!("/t/{slug}"), "{sent:?} does not name the slug of {id}");
            let whole = if resolved.place.path == "/" && sent.path == *mount {
                mount.clone()
            } else {
                format!("{mount}{}", resolved.place.path)
            };
            assert_eq!(whole, sent.path, "what was cut off is not the mount alone");
            let taken = TENANTS.iter().any(|(_, hosts, _)| hosts.iter().any(|host| spells(&sent.host, host)));
            assert!(!taken, "{sent:?} names a tenant's host, which decides");
        }
    }
    if let Some(header) = &sent.header {
        assert!(header.is_ascii() && !header.contains(['/', ',', '@', ' ']), "{sent:?}");
    }
    // The tenant's own URL parser finds what we found.
    assert!(resolved.place.path.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'\\' && b != b'#'), "{resolved:?}");
    let unescaped = resolved.place.path.replace("%2e", ".").replace("%2E", ".");
    assert!(!unescaped.split('/').any(|segment| segment == "." || segment == ".."), "{resolved:?}");
}

/// Whether `sent` is `host` but for letter case, one trailing dot and a port.
fn spells(sent: &str, host: &str) -> bool {
    let Some(rest) =
        sent.get(..host.len()).filter(|start| start.eq_ignore_ascii_case(host)).map(|_| &sent[host.len()..])
    else {
        return false;
    };
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    rest.is_empty()
        || rest.strip_prefix(':').is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

fn same_in_other_spellings(sent: &Sent) -> Vec<Sent> {
    let with = |host: String| Sent { host, header: sent.header.clone(), path: sent.path.clone() };
    let mut same = vec![with(sent.host.to_ascii_uppercase()), with(sent.host.to_ascii_lowercase())];
    if !sent.host.contains(':') {
        same.push(with(format!("{}:8787", sent.host)));
        if !sent.host.ends_with('.') && sent.host.len() < 250 {
            same.push(with(format!("{}.", sent.host)));
        }
    }
    same
}
