//! Which cookies a tenant may set: those that come back to it alone. Tenants share the hosts' parent domain, and those
//! that are reached by slug share a host, so a cookie without a bound would reach another seller's Worker.
//!
//! Bound on the way out, and not where a response is stored: what was bought by slug can be collected by host.

/// Whether a header of this name sets a cookie.
pub fn is_cookie(name: &str) -> bool {
    name.eq_ignore_ascii_case("set-cookie")
}

/// Bound to the host, and to `mount` where the tenant is a part of one: `/t/<slug>`.
///
/// A cookie without `Domain` goes to the host that set it and to no other.
pub fn bind(cookie: &str, mount: Option<&str>) -> String {
    let mut parts = cookie.split(';').map(str::trim);
    let mut kept = vec![parts.next().unwrap_or_default().to_owned()];
    let mut path = None;
    for attribute in parts {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "domain" => {}
            "path" => path = Some(value.trim()),
            _ => kept.push(attribute.to_owned()),
        }
    }
    if let Some(path) = mount.map(|mount| within(mount, path)).or(path.map(str::to_owned)) {
        kept.push(format!("Path={path}"));
    }
    kept.join("; ")
}

/// The tenant knows its own paths, which begin below the mount.
fn within(mount: &str, path: Option<&str>) -> String {
    let own = path.filter(|path| path.starts_with('/')).unwrap_or("/");
    format!("{mount}{}", own.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_of_a_host_stays_at_the_host() {
        assert_eq!(bind("a=1; Domain=tenants.example; Path=/; HttpOnly", None), "a=1; HttpOnly; Path=/");
        assert_eq!(bind("a=b=c;domain=.example;Secure", None), "a=b=c; Secure");
        assert_eq!(bind("a=1", None), "a=1");
    }

    #[test]
    fn a_cookie_of_a_slug_stays_below_the_slug() {
        let mount = Some("/t/acme");
        assert_eq!(bind("a=1", mount), "a=1; Path=/t/acme");
        assert_eq!(bind("a=1; path=/; Secure", mount), "a=1; Secure; Path=/t/acme");
        assert_eq!(bind("a=1; Path=/cart/", mount), "a=1; Path=/t/acme/cart");
        assert_eq!(bind("a=1; Path=/t/globex", mount), "a=1; Path=/t/acme/t/globex");
        // Of two paths a browser takes the last.
        assert_eq!(bind("a=1; Path=/x; Path=/t/globex", mount), "a=1; Path=/t/acme/t/globex");
        assert_eq!(bind("a=1; Path=elsewhere", mount), "a=1; Path=/t/acme");
    }
}
