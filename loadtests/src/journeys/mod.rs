//! `loadtests journeys`: users who browse, buy, send again, collect, replay and attack, driven by goose against the live tier, where
//! limits are enforced; or against a server that is there already.
//!
//! Surprising constraint: goose brings a second TLS library, and a minute and a half of compiling with it. So it is behind a feature,
//! and the program builds itself once more with it, in a folder of its own.

#[cfg(feature = "journeys")]
mod attack;
#[cfg(feature = "journeys")]
mod audit;
#[cfg(feature = "journeys")]
mod shared;
#[cfg(feature = "journeys")]
mod users;
#[cfg(feature = "journeys")]
mod world;

#[cfg(feature = "journeys")]
pub use attack::{JourneyError, run};

use std::{net::IpAddr, time::Duration};

/// The options of an attack.
#[derive(Clone, Debug)]
pub struct Journeys {
    /// A server that is there already; a world of the live tier unless given.
    pub url: Option<String>,
    pub allow_remote: bool,
    pub users: usize,
    pub lasts: Duration,
}

/// Tells whether a URL names this machine. Attacks go nowhere else unless a flag says so.
#[must_use]
pub fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<hyper::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_attacked_unasked() {
        for here in ["http://127.0.0.1:8402", "http://localhost:1/", "http://[::1]:8402"] {
            assert!(is_loopback(here), "{here}");
        }
        for away in ["http://127.0.0.1.example.com/", "https://shop.example", "http://10.0.0.1", "nonsense", ""] {
            assert!(!is_loopback(away), "{away}");
        }
    }
}
