//! The outside that tenants ask, as both tiers' doubles and the judges know it.

use percent_encoding::percent_decode_str;

/// The platform's own, in a run: no tenant may ask them.
pub const PLATFORM_HOSTS: [&str; 2] = ["platform.example", "*.platform.example"];

/// The target of a redirect by the double of the outside: `/redirect-to/<percent-encoded URL>`, on any host.
#[must_use]
pub fn redirected_to(url: &str) -> Option<String> {
    let (_, encoded) = url.split_once("/redirect-to/")?;
    Some(percent_decode_str(encoded).decode_utf8().ok()?.into_owned())
}
