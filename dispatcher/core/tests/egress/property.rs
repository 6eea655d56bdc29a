//! What must hold of every request that leaves a tenant's Worker, whatever its bytes and those of the redirects that it follows. A
//! plain function, run by a property test and over the fuzzer's seeds on stable Rust, and by the fuzz target `egress` on nightly.
//! Surprising constraint: it shares no rule with what it judges. Where a URL leads it asks another parser (the `url` crate, of the
//! standard that the runtime follows), and what is public it says by lists of its own.

use dispatcher_core::egress::{Egress, HostPattern, decide};
use std::net::{Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// The platform's own hosts.
const PLATFORM: [&str; 2] = ["tenants.example", "*.tenants.example"];
/// Ends of names that no public name has.
const PRIVATE_NAMES: [&str; 6] = ["localhost", "local", "internal", "home.arpa", "onion", "invalid"];

/// One `fetch` of a tenant.
#[derive(Clone, Debug)]
pub struct Asked {
    pub egress: Egress,
    /// The URL as the tenant wrote it.
    pub url: String,
    /// The `Location` of each redirect that it followed.
    pub hops: Vec<String>,
}

impl Asked {
    /// The policy as JSON (another text: none), the URL, and hops, a line each: how seeds are written, and what a fuzzer mutates.
    pub fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut lines = text.split('\n').map(str::to_owned);
        let egress = lines.next().and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        Self { egress, url: lines.next().unwrap_or_default(), hops: lines.take(20).collect() }
    }
}

/// Panics where something leaves that must not, or for a place that another reader sees elsewhere.
pub fn check(bytes: &[u8]) {
    let Asked { egress, url, hops } = Asked::read(bytes);
    // Should a runtime hand on what the tenant wrote, it must hold as well.
    look_at(&url, &egress);
    let mut at = Url::parse(&url).ok();
    for hop in hops.iter().map(Some).chain([None]) {
        let Some(now) = at else { return };
        look_at(now.as_str(), &egress);
        at = hop.and_then(|hop| now.join(hop).ok());
    }
}

fn look_at(url: &str, egress: &Egress) {
    let platform = PLATFORM.map(|host| HostPattern::try_from(host.to_owned()).expect("a pattern"));
    if let Ok(to) = decide(url, egress, &platform) {
        assert_may_leave(url, &to.to_string(), egress);
    }
}

/// `host` is where the filter takes it to lead.
pub fn assert_may_leave(url: &str, host: &str, egress: &Egress) {
    let read = match Url::parse(url) {
        Ok(read) => read,
        // Of such a label only a parser with Unicode's tables can say that it is none; no runtime can have been asked for it.
        Err(_) if host.split('.').any(|label| label.starts_with("xn--")) => return,
        Err(error) => panic!("{url:?} left for {host}, and is no URL: {error}"),
    };
    assert!(matches!(read.scheme(), "http" | "https"), "{url:?} left by {}", read.scheme());
    // Of a scheme's own port the parser says none.
    assert_eq!(read.port(), None, "{url:?} left for another port");
    assert!(read.username().is_empty() && read.password().is_none(), "{url:?} left with credentials");
    match read.host().expect("both schemes have one") {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            assert_eq!(host, name, "{url:?} has two readings");
            assert!(name.contains('.'), "{url:?} left for a name of one label");
            let below = |top: &str| name == top || name.ends_with(&format!(".{top}"));
            assert!(!PRIVATE_NAMES.into_iter().any(below), "{url:?} left for no public name");
            assert!(!below("tenants.example"), "{url:?} left for the platform's own host");
            assert!(!egress.deny.iter().any(|pattern| is(name, pattern)), "{url:?} left, and is denied");
            let allowed = egress.allow.as_ref().is_none_or(|allow| allow.iter().any(|pattern| is(name, pattern)));
            assert!(allowed, "{url:?} left, and is not listed");
        }
        Host::Ipv4(address) => {
            assert_eq!(host.parse(), Ok(address), "{url:?} has two readings");
            assert!(is_public_v4(address), "{url:?} left for {address}");
            assert!(egress.allow.is_none(), "{url:?} left, and names alone are listed");
        }
        Host::Ipv6(address) => {
            assert_eq!(host.parse(), Ok(address), "{url:?} has two readings");
            assert!(is_public_v6(address), "{url:?} left for {address}");
            assert!(egress.allow.is_none(), "{url:?} left, and names alone are listed");
        }
    }
}

fn is(name: &str, pattern: &HostPattern) -> bool {
    let pattern = String::from(pattern.clone());
    match pattern.strip_prefix('*') {
        None => name == pattern,
        Some(below) => name.len() > below.len() && name.ends_with(below),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let by_std = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast();
    let shared = first == 100 && (64..128).contains(&second);
    let benchmarks = first == 198 && (18..20).contains(&second);
    !(by_std || shared || benchmarks || first == 0 || first >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let by_std = address.is_loopback() || address.is_unspecified() || address.is_multicast();
    let of_the_network = address.is_unique_local() || address.is_unicast_link_local();
    let holds_v4 = address.to_ipv4().is_some()
        || segments[..2] == [0x64, 0xff9b]
        || segments[0] == 0x2002
        || segments[..2] == [0x2001, 0];
    !(by_std || of_the_network || holds_v4 || segments[..2] == [0x2001, 0xdb8])
}
