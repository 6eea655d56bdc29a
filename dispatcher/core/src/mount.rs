//! What a tenant below `/t/<slug>` says of its own addresses, put right on the way out. The mount is cut off a request's
//! path on the way in, so a tenant that says `/jobs/1` means `/t/<slug>/jobs/1`.
//!
//! Put back as an answer leaves, and not where a response is stored: what was bought by slug can be collected by host.
//! Surprising constraint: browsers read more than RFC 3986 has. They take `\` for `/`, drop tabs and line ends, and resolve
//! dot segments, so a reference is read here as they read it.

mod header;
mod reference;

/// The place of a tenant on a host that it shares.
#[derive(Clone, Copy, Debug)]
pub struct Mount<'a> {
    /// `/t/<slug>`.
    pub path: &'a str,
    /// Scheme and host, as the caller addressed us.
    pub origin: &'a str,
    /// The request's path, as the tenant saw it.
    pub below: &'a str,
    /// The request was for the mount itself, without a slash: a browser resolves what is relative beside it.
    pub is_bare: bool,
    /// The tenant's pages may share an origin with those of others.
    pub is_trusted: bool,
}

/// Whether a header of this lower-case name has an address in it.
pub fn points_somewhere(name: &str) -> bool {
    matches!(name, "location" | "content-location" | "link" | "refresh")
}

impl Mount<'_> {
    /// The header's value with the mount in it. `None`: there is nothing to put back.
    pub fn put_back(&self, name: &str, value: &str) -> Option<String> {
        match name.to_ascii_lowercase().as_str() {
            "location" | "content-location" => self.reference(value),
            "link" => header::link(value, |target| self.reference(target)),
            "refresh" => header::refresh(value, |target| self.reference(target)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
