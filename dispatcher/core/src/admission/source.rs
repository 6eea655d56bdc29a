//! Whom a request comes from, as far as its address tells.

use crate::ports::Inbound;

/// Set by the platform on whatever comes from outside; a caller's own is replaced. Under `wrangler dev` a caller may set it.
const ADDRESS: &str = "cf-connecting-ip";
/// The zone of the Worker that sent it, where one did.
const WORKER: &str = "cf-worker";
/// All Workers of other zones call from one address in here: told apart by their zones, or an agent on Workers would answer
/// for every other.
const WORKERS: &str = "2a06:98c0:3600:0::";
/// Of version 6, written out.
const MAX_ADDRESS_BYTES: usize = 39;
/// Groups of sixteen bits that a subscriber's network has.
const SUBSCRIBER_GROUPS: usize = 4;
/// The same where a host sells wide networks.
const WIDE_GROUPS: usize = 3;

/// One caller as rules about addresses tell them apart: the whole address in version 4; of version 6 the first 64 bits, of
/// which a subscriber has one; the zone, where it is a Worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    /// Of version 6, the groups of the first 48 bits. Otherwise nothing.
    wide: Option<String>,
}

impl Source {
    /// `None`: the request does not say. Then no rule about addresses applies, as behind a service binding.
    #[must_use]
    pub fn of(request: &impl Inbound) -> Option<Self> {
        let text = request.header(ADDRESS)?;
        if text.len() > MAX_ADDRESS_BYTES || !text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'.' || b == b':') {
            return None;
        }
        if !text.contains(':') {
            return text.contains('.').then_some(Self { name: text, wide: None });
        }
        let network = network(&text, SUBSCRIBER_GROUPS);
        if network == WORKERS
            && let Some(zone) = request.header(WORKER)
        {
            return Some(Self { name: zone, wide: None });
        }
        let wide = Some(self::network(&text, WIDE_GROUPS));
        Some(Self { name: network, wide })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The widest network that one subscriber may have to himself: who is in the same one is not independent.
    #[must_use]
    pub fn network(&self) -> &str {
        self.wide.as_deref().unwrap_or(&self.name)
    }
}

/// The first groups, whatever zeros are left out. Not the standard library's reader, which is 3 kB of wasm: the
/// platform writes the address, so it need not be checked beyond that it is one.
fn network(text: &str, most: usize) -> String {
    let groups = text.split(':').filter(|group| !group.is_empty()).count();
    let mut network = String::new();
    let mut left = most;
    for group in text.split(':') {
        // Between the two colons lie the zeros that are left out; at an end of the text there is nothing else.
        let zeros = if group.is_empty() { 8_usize.saturating_sub(groups).min(left) } else { 0 };
        for group in std::iter::repeat_n("0", zeros).chain([group]).filter(|group| !group.is_empty()) {
            if left > 0 {
                left -= 1;
                network.push_str(group);
                network.push(':');
            }
        }
    }
    network.push(':');
    network
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::CollectError;

    struct Says(&'static str, Option<&'static str>);

    impl Inbound for Says {
        fn method(&self) -> &str {
            "GET"
        }
        fn origin(&self) -> &str {
            ""
        }
        fn host(&self) -> &str {
            ""
        }
        fn path(&self) -> &str {
            "/"
        }
        fn query(&self) -> Option<&str> {
            None
        }
        fn header(&self, name: &str) -> Option<String> {
            let value = if name == ADDRESS { Some(self.0) } else { self.1.filter(|_| name == WORKER) };
            value.map(str::to_owned)
        }

        async fn body(&self, _limit: usize) -> Result<Vec<u8>, CollectError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_subscriber_is_one_source_and_so_is_each_worker() {
        let source = |address, zone| Source::of(&Says(address, zone)).map(|source| source.name);
        assert_eq!(source("203.0.113.7", Some("a.example")).as_deref(), Some("203.0.113.7"), "not from there");
        assert_eq!(source("2001:db8::1", None), source("2001:db8::ffff", None));
        assert_ne!(source("2001:db8::1", None), source("2001:db8:0:1::1", None));
        let (one, other) =
            (source("2a06:98c0:3600::103", Some("a.example")), source("2a06:98c0:3600::103", Some("b.example")));
        assert_ne!(one, other);
        let network = |text| network(text, SUBSCRIBER_GROUPS);
        assert_eq!(network("2001:db8::1"), "2001:db8:0:0::");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!((network("::1"), network("1::")), ("0:0:0:0::".to_owned(), "1:0:0:0::".to_owned()));
        for nobody in ["", "unknown", "203.0.113.7, 10.0.0.1"] {
            assert_eq!(source(nobody, None), None, "{nobody}");
        }
    }
    #[test]
    fn a_wide_network_is_one_and_so_is_an_address_of_version_4() {
        let network = |address, zone| Source::of(&Says(address, zone)).map(|source| source.network().to_owned());
        assert_eq!(network("2001:db8:1:2::1", None).as_deref(), Some("2001:db8:1::"));
        assert_eq!(network("2001:db8:1:ffff::1", None), network("2001:db8:1::1", None));
        assert_ne!(network("2001:db8:2::1", None), network("2001:db8:1::1", None));
        assert_eq!(network("203.0.113.7", None).as_deref(), Some("203.0.113.7"));
        assert_eq!(network("2a06:98c0:3600::103", Some("a.example")).as_deref(), Some("a.example"));
    }
}
