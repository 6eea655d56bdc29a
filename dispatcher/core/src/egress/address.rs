//! Addresses in all spellings that URL parsers take, and which of them are public.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Reserved by IANA for anything but the public internet, by prefix and its length; multicast and what is above it too.
const NOT_PUBLIC_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([192, 175, 48, 0], 24),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3),
];

#[must_use]
pub fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    NOT_PUBLIC_V4.iter().all(|(prefix, length)| (bits ^ u32::from_be_bytes(*prefix)) >> (32 - length) != 0)
}

/// Global unicast (`2000::/3`) alone, which leaves out loopback, link-local, unique local, multicast and every form that holds
/// an IPv4 address (mapped, compatible, NAT64); and of that, neither documentation nor what tunnels to an IPv4 address
/// (6to4, Teredo).
#[must_use]
pub fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let reserved = match segments {
        [0x2001, second, ..] => second < 0x200 || second == 0xdb8,
        [0x2002, ..] => true,
        [0x3fff, second, ..] => second < 0x1000,
        _ => false,
    };
    segments[0] >> 13 == 1 && !reserved
}

/// Whether URL parsers read the host as an IPv4 address: its last label is a number. (WHATWG URL, "ends in a number".)
#[must_use]
pub fn ends_in_a_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    number(last).is_some() || !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
}

/// One to four parts, each decimal, octal or hexadecimal, the last one as many bytes as are left.
#[must_use]
pub fn read_v4(host: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let left = 4 - first.len() as u32;
    if first.iter().any(|part| *part > 255) || *last >= 256_u64.pow(left) {
        return None;
    }
    let high = first.iter().fold(0, |bits, part| bits << 8 | part) << (8 * left);
    u32::try_from(high | last).ok().map(Ipv4Addr::from_bits)
}

fn number(part: &str) -> Option<u64> {
    let (digits, radix) = match part.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&part[2..], 16),
        [b'0', _, ..] => (&part[1..], 8),
        _ => (part, 10),
    };
    match digits {
        // `0x` alone is zero to a URL parser.
        "" => (radix == 16).then_some(0),
        _ if digits.starts_with('+') => None,
        _ => u64::from_str_radix(digits, radix).ok(),
    }
}
