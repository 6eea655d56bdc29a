//! What a request names, and the one place where spellings are made one: hosts, slugs and paths are read here and nowhere
//! else.
//!
//! The runtime hands a Worker the request-target and `Host` as they were sent (`wrangler dev` normalises both before). So
//! what is not plainly one spelling is refused and never repaired: every repair that a caller can steer is a way to
//! another tenant. Two differences alone are no difference, because DNS makes none: letter case and one trailing dot of a
//! host, and a port.

use crate::message::Inbound;
use std::fmt;

/// The platform's own limit for a URL; longer paths reach no Worker in production.
const MAX_PATH_BYTES: usize = 16 * 1024;
/// RFC 1123.
const MAX_HOST_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;
/// The prefix of slugs on hosts that are no tenant's.
const MOUNT: &str = "/t/";

/// A tenant's name, in its one spelling: what a directory may list and a request may name. One grammar for both, so that
/// nothing is listed that can never match, and nothing matches that is not listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DispatchKey {
    /// Lower case, no port, no trailing dot, labels of letters, digits and inner hyphens (RFC 1123). Internationalised
    /// names are what their ASCII form (`xn--`) says, letter by letter: nothing here decodes it.
    Host(String),
    /// One DNS label, so that every slug could be a subdomain.
    Slug(String),
}

/// The names in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    pub host: DispatchKey,
    pub path: &'a str,
    /// The slug of a path below `/t/<slug>`. Counts only where the host is no tenant's.
    pub mounted: Result<Option<Mounted<'a>>, NotAKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted<'a> {
    pub slug: DispatchKey,
    /// `/t/<slug>`.
    pub mount: &'a str,
    /// Below it, with a leading slash.
    pub path: &'a str,
}

/// Cannot be a tenant's host or slug, or has more than one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAKey;

impl DispatchKey {
    /// The spelling that a directory must use.
    #[must_use]
    pub fn host(text: &str) -> Option<Self> {
        is_host(text).then(|| Self::Host(text.to_owned()))
    }

    #[must_use]
    pub fn slug(text: &str) -> Option<Self> {
        is_slug(text).then(|| Self::Slug(text.to_owned()))
    }
}

impl fmt::Display for DispatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Host(name) => ("host/", name),
            Self::Slug(name) => ("slug/", name),
        };
        f.write_str(kind)?;
        f.write_str(name)
    }
}

/// Reads host and path of a request. No other header than `Host` is looked at: `X-Forwarded-Host`, `Forwarded` and their
/// kind are a caller's claims.
pub fn named(request: &impl Inbound) -> Result<Named<'_>, NotAKey> {
    let host = normalise_host(request.host()).ok_or(NotAKey)?;
    // The runtime joins `Host` and the request-target to one URL without looking at either, and several `Host`s with
    // commas: where a slash in one moved the border between the two, they differ.
    if request.header("host").is_some_and(|sent| normalise_host(&sent).as_ref() != Some(&host)) {
        return Err(NotAKey);
    }
    let path = request.path();
    if !is_plain_path(path) {
        return Err(NotAKey);
    }
    Ok(Named { host: DispatchKey::Host(host), path, mounted: mounted(path) })
}

fn mounted(path: &str) -> Result<Option<Mounted<'_>>, NotAKey> {
    let Some(rest) = path.strip_prefix(MOUNT) else { return Ok(None) };
    let slug = rest.split('/').next().unwrap_or_default();
    let (mount, below) = path.split_at(MOUNT.len() + slug.len());
    let slug = DispatchKey::slug(slug).ok_or(NotAKey)?;
    Ok(Some(Mounted { slug, mount, path: if below.is_empty() { "/" } else { below } }))
}

pub(crate) fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= MAX_HOST_BYTES && text.split('.').all(label)
}

fn is_slug(text: &str) -> bool {
    !text.contains('.') && is_host(text)
}

/// Without port and trailing dot, in lower case.
pub(crate) fn normalise_host(host: &str) -> Option<String> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    is_host(&name).then_some(name)
}

/// Whether whoever parses a URL with this path gets this path: no dot segment, nothing that would be cut, mapped or
/// dropped. Escapes within a segment and empty segments have one reading and are the tenant's.
fn is_plain_path(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= MAX_PATH_BYTES
        && path.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'#' | b'?'))
        && !path.split('/').any(is_dot_segment)
}

/// `.` and `..`, their escapes among them, which every URL parser takes for the same.
fn is_dot_segment(segment: &str) -> bool {
    let mut rest = segment;
    let mut dots = 0;
    while let Some(after) = rest.strip_prefix('.').or_else(|| {
        let escape = rest.get(..3)?;
        escape.eq_ignore_ascii_case("%2e").then(|| &rest[3..])
    }) {
        (rest, dots) = (after, dots + 1);
    }
    rest.is_empty() && matches!(dots, 1 | 2)
}
