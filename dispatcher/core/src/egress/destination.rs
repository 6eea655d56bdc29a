//! Where a URL leads. Read strictly: a runtime's own parser has been over it, so what is not in that parser's spelling is
//! refused and not repaired; two readers that differ are how a filter is passed.

use super::{Refused, address, host_pattern::HostPattern};
use crate::dispatch_key::is_host;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The host of a request that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination(Host);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// In lower case, without a trailing dot.
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// Names that no public DNS has, or that somebody's own network answers: the host itself, or anything below it.
const NOT_PUBLIC: [&str; 13] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "onion",
    "test",
    "invalid",
];

impl Destination {
    pub fn read(url: &str) -> Result<Self, Refused> {
        let (scheme, rest) = url.split_once(':').ok_or(Refused::Scheme)?;
        let own_port = match scheme.to_ascii_lowercase().as_str() {
            "http" => "80",
            "https" => "443",
            _ => return Err(Refused::Scheme),
        };
        let rest = rest.strip_prefix("//").ok_or(Refused::Spelling)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // Userinfo, escapes, backslashes, tabs, anything that some parser drops or maps.
        if !authority.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']'))
        {
            return Err(Refused::Spelling);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (inside, after) = rest.split_once(']').ok_or(Refused::Spelling)?;
                let address = inside.parse().map_err(|_| Refused::Spelling)?;
                (Host::V6(address), after)
            }
            None => {
                let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
                (Host::read(name)?, port)
            }
        };
        match port.strip_prefix(':') {
            None if port.is_empty() => Ok(Self(host)),
            Some(port) if port == own_port => Ok(Self(host)),
            Some(port) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => Err(Refused::Port),
            _ => Err(Refused::Spelling),
        }
    }

    pub(super) fn is_public(&self) -> bool {
        match &self.0 {
            Host::V4(address) => address::is_public_v4(*address),
            Host::V6(address) => address::is_public_v6(*address),
            Host::Name(name) => {
                let below =
                    |top: &str| name.strip_suffix(top).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                name.contains('.') && !NOT_PUBLIC.iter().any(|top| below(top))
            }
        }
    }

    /// Patterns are of names, so no address is one.
    pub(super) fn is(&self, pattern: &HostPattern) -> bool {
        matches!(&self.0, Host::Name(name) if pattern.matches(name))
    }
}

impl Host {
    fn read(text: &str) -> Result<Self, Refused> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if address::ends_in_a_number(&name) {
            return address::read_v4(&name).map(Self::V4).ok_or(Refused::Spelling);
        }
        if is_host(&name) { Ok(Self::Name(name)) } else { Err(Refused::Spelling) }
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Host::Name(name) => f.write_str(name),
            Host::V4(address) => address.fmt(f),
            Host::V6(address) => address.fmt(f),
        }
    }
}
