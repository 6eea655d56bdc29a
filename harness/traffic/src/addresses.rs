//! Where clients call from. The networks are nobody's on the Internet.

use crate::{AddressesIn, Traffic};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network in which each client has an address.
const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);
/// The network in which each traffic block that shares addresses has a /24.
const SHARED: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
/// The /48s of this /32 are the clients' own, up to here; those beyond are the traffic blocks'.
const DOCUMENTATION: [u16; 2] = [0x2001, 0xdb8];
const SHARED_FROM: u16 = 0xf000;

/// The address of a block's n-th client. An unspecified one is still to be made its own.
pub fn of_block(traffic: &Traffic, block: u8, n: u64) -> IpAddr {
    let shared = traffic.addresses().map(|count| (n % count) as u16);
    match (traffic.addresses_in(), shared) {
        (AddressesIn::Ipv4, None) => Ipv4Addr::UNSPECIFIED.into(),
        (AddressesIn::Ipv4, Some(n)) => {
            let [a, b, _, _] = SHARED.octets();
            Ipv4Addr::new(a, b, block, n as u8 + 1).into()
        }
        (AddressesIn::Ipv6, None) => Ipv6Addr::UNSPECIFIED.into(),
        // A /48 each, too: as many blocks as there may be have room beside each other.
        (AddressesIn::Ipv6, Some(n)) => version_6(SHARED_FROM + u16::from(block) * 0x20 + n % 0x20, 0),
        (AddressesIn::OnePrefix, shared) => {
            version_6(SHARED_FROM + u16::from(block) * 0x20, shared.unwrap_or((n % u64::from(u16::MAX)) as u16))
        }
    }
}

/// The address of the client of this number, where it has none yet.
pub fn own(address: IpAddr, number: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::from(u32::from(OWN) + number).into(),
        IpAddr::V6(address) if address.is_unspecified() => {
            let (prefix, subnet) = (number % u32::from(SHARED_FROM), number / u32::from(SHARED_FROM));
            version_6(prefix as u16, subnet as u16)
        }
        address => address,
    }
}

/// An address far from this one, in the same version: its caller has moved.
pub fn elsewhere(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) ^ 0x0080_0000).into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) ^ (1 << 96)).into(),
    }
}

fn version_6(prefix: u16, subnet: u16) -> IpAddr {
    let [a, b] = DOCUMENTATION;
    Ipv6Addr::new(a, b, prefix, subnet, 0, 0, 0, 1).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_clients_share_an_address_of_their_own_in_either_version() {
        for none in [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()] {
            let all: BTreeSet<_> = (0..100_000).map(|number| own(none, number)).collect();
            assert_eq!(all.len(), 100_000);
            assert!(all.iter().take(100).all(|address| !all.contains(&elsewhere(*address))));
        }
        let given = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(own(given, 7), given);
    }
}
