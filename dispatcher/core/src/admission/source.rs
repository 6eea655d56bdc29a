//! The origin of a request, as far as its address tells. Surprising: the text of a source is stored with payments, so it
//! stays as it is for an address, whatever else is made of that address.

use crate::message::Inbound;

/// Set by the platform on whatever comes from outside; a caller's own is replaced. Under `wrangler dev` a caller may set it.
pub const ADDRESS: &str = "cf-connecting-ip";
/// The zone of the Worker that sent it, where one did.
const WORKER: &str = "cf-worker";
/// All Workers of other zones call from one address in this network. They are told apart by their zones, or an agent on
/// Workers would answer for every other.
const WORKERS: u64 = 0x2a06_98c0_3600_0000;
/// The longest address of version 6, an embedded address of version 4 included.
const MAX_ADDRESS_BYTES: usize = 45;
/// The first 96 bits of an address of version 4 that is written as one of version 6.
const MAPPED: [u16; 6] = [0, 0, 0, 0, 0, 0xffff];

/// One caller as rules about addresses tell them apart: the whole address in version 4; of version 6 the first 64 bits, of
/// which a subscriber has one; the zone, where it is a Worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    text: String,
    /// The first 64 bits of an address of version 6.
    network: Option<u64>,
}

/// A network around a source. A subscriber may have a whole one, and so may a host that is rented for an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The number of first bits that its addresses share.
    pub bits: u8,
    prefix: u64,
    /// The part of it in which the source lies, of 256.
    pub part: u8,
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
            return version_4(&text).map(Self::of_version_4);
        }
        let groups = version_6(&text)?;
        if groups[..6] == MAPPED {
            let [a, b] = groups[6].to_be_bytes();
            let [c, d] = groups[7].to_be_bytes();
            return Some(Self::of_version_4([a, b, c, d]));
        }
        let network = groups[..4].iter().fold(0, |network, group| network << 16 | u64::from(*group));
        let zone = if network == WORKERS { request.header(WORKER) } else { None };
        if let Some(text) = zone {
            return Some(Self { text, network: None });
        }
        let [a, b, c, d, ..] = groups;
        Some(Self { text: format!("{a:x}:{b:x}:{c:x}:{d:x}::"), network: Some(network) })
    }

    fn of_version_4([a, b, c, d]: [u8; 4]) -> Self {
        Self { text: format!("{a}.{b}.{c}.{d}"), network: None }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The widest network that one subscriber may have to himself: who is in the same one is not independent.
    #[must_use]
    pub fn network(&self) -> String {
        self.network.map_or_else(|| self.text.clone(), |network| format!("{:x}/48", network >> 16))
    }

    /// The networks around it, the narrower one first. `None`: it has no neighbours by which it could be told.
    #[must_use]
    pub fn networks(&self) -> Option<[Network; 2]> {
        let network = self.network?;
        let around = |bits: u8| {
            let below = 64 - bits;
            Network { bits, prefix: network >> below, part: (network >> (below - 8)) as u8 }
        };
        Some([around(56), around(48)])
    }
}

impl Network {
    /// The same for each source in it.
    #[must_use]
    pub fn bytes(self) -> [u8; 9] {
        let [a, b, c, d, e, f, g, h] = self.prefix.to_be_bytes();
        [self.bits, a, b, c, d, e, f, g, h]
    }
}

fn version_4(text: &str) -> Option<[u8; 4]> {
    let octet = |octet: &str| octet.parse().ok().filter(|_| octet.len() == 1 || !octet.starts_with('0'));
    let mut octets = text.split('.').map(octet);
    let address = [octets.next()??, octets.next()??, octets.next()??, octets.next()??];
    octets.next().is_none().then_some(address)
}

/// All eight groups, whatever zeros are left out. Not the standard library's reader, which is 3 kB of wasm.
fn version_6(text: &str) -> Option<[u16; 8]> {
    let (head, tail) = text.split_once("::").map_or((text, None), |(head, tail)| (head, Some(tail)));
    let mut groups = [0; 8];
    let before = read_groups(head, tail.is_none(), &mut groups)?;
    let Some(tail) = tail else { return (before == 8).then_some(groups) };
    let mut last = [0; 8];
    let after = read_groups(tail, true, &mut last)?;
    if before + after > 7 {
        return None;
    }
    groups[8 - after..].copy_from_slice(&last[..after]);
    Some(groups)
}

/// Returns how many groups the text has. Only the end of an address may be written as one of version 4.
fn read_groups(text: &str, is_end: bool, into: &mut [u16; 8]) -> Option<usize> {
    let mut count = 0;
    let mut groups = text.split(':').filter(|_| !text.is_empty()).peekable();
    while let Some(group) = groups.next() {
        let embedded = version_4(group).filter(|_| is_end && groups.peek().is_none());
        let read = match embedded {
            Some([a, b, c, d]) => &[u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])][..],
            None if group.len() > 4 => return None,
            None => &[u16::from_str_radix(group, 16).ok()?][..],
        };
        into.get_mut(count..count + read.len())?.copy_from_slice(read);
        count += read.len();
    }
    Some(count)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::message::CollectError;
    use proptest::prelude::*;
    use std::net::Ipv6Addr;

    struct Says<'a>(&'a str, Option<&'static str>);

    impl Inbound for Says<'_> {
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

    pub fn source(address: &str) -> Source {
        Source::of(&Says(address, None)).expect("it is an address")
    }

    #[test]
    fn a_subscriber_is_one_source_and_so_is_each_worker() {
        let source = |address, zone| Source::of(&Says(address, zone)).map(|source| source.text);
        assert_eq!(source("203.0.113.7", Some("a.example")).as_deref(), Some("203.0.113.7"), "not from there");
        assert_eq!(source("2001:db8::1", None), source("2001:db8::ffff", None));
        assert_ne!(source("2001:db8::1", None), source("2001:db8:0:1::1", None));
        let (one, other) =
            (source("2a06:98c0:3600::103", Some("a.example")), source("2a06:98c0:3600::103", Some("b.example")));
        assert_ne!(one, other);
        for (address, text) in [
            ("2001:db8::1", "2001:db8:0:0::"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("::1", "0:0:0:0::"),
            ("1::", "1:0:0:0::"),
            ("2001:0DB8:00a0::", "2001:db8:a0:0::"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:c000:201", "192.0.2.1"),
        ] {
            assert_eq!(source(address, None).as_deref(), Some(text), "{address}");
        }
        for nobody in [
            "",
            "unknown",
            "203.0.113.7, 10.0.0.1",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            ":",
            ":::",
            "1::2::3",
            "1:2:3:4:5:6:7",
            "12345::",
        ] {
            assert_eq!(source(nobody, None), None, "{nobody}");
        }
    }

    #[test]
    fn an_address_of_version_6_lies_in_two_networks_and_no_other_in_any() {
        let [narrow, wide] = source("2001:db8:aa:bbcc::1").networks().unwrap();
        assert_eq!((narrow.bits, narrow.part, wide.bits, wide.part), (56, 0xcc, 48, 0xbb));
        let [other, same] = source("2001:db8:aa:bb00::").networks().unwrap();
        assert_eq!((narrow.bytes(), wide.bytes()), (other.bytes(), same.bytes()));
        assert_ne!(narrow.bytes(), source("2001:db8:aa:bc00::").networks().unwrap()[0].bytes());
        assert_ne!(wide.bytes(), source("2001:db8:ab::").networks().unwrap()[1].bytes());
        assert_eq!(source("203.0.113.7").networks(), None);
    }

    proptest! {
        #[test]
        fn addresses_are_read_as_the_standard_library_reads_them(groups in prop::array::uniform8(prop_oneof![Just(0_u16), any::<u16>()])) {
            let address = Ipv6Addr::from(groups);
            prop_assert_eq!(version_6(&address.to_string()), Some(groups));
        }

        #[test]
        fn whatever_is_no_address_is_not_taken_for_one(text in "[0-9a-f:.]{0,45}") {
            prop_assert_eq!(version_6(&text), text.parse::<Ipv6Addr>().ok().map(|address| address.segments()));
        }
    }
}
