//! The grammar of hosts and slugs: what a directory may list and a request may name. One grammar for both, so that nothing
//! is listed that can never match, and nothing matches that is not listed.

/// A host as the directory must spell it: lower case, no port, no trailing dot, labels of letters, digits and inner
/// hyphens (RFC 1123). Internationalised names are in their ASCII form.
#[must_use]
pub fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (1..=253).contains(&text.len()) && text.split('.').all(label)
}

/// One DNS label, so that every slug could be a subdomain.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    !text.contains('.') && is_host(text)
}

/// A `Host` as it was sent, without port and trailing dot, in lower case; `None` where it cannot be a tenant's.
#[must_use]
pub fn normalise_host(host: &str) -> Option<String> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    is_host(&name).then_some(name)
}
