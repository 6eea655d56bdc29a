//! From host and path to a tenant. One grammar, no second chance: what is not plainly a host or a slug is refused, because
//! every normalisation that a caller can steer is a way to another tenant.

use crate::{
    directory::Directory,
    dispatch_key::{is_slug, normalise_host},
    tenant::Tenant,
};
use std::rc::Rc;

/// Where a request goes, with the path as the tenant sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub tenant: Rc<Tenant>,
    pub path: String,
    /// What was cut off the path: `/t/<slug>`. `None` where the host is the tenant's own.
    pub mount: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolveError {
    NoTenant,
    /// Cannot be a tenant's host or slug.
    InvalidKey,
}

/// The host decides where it is a tenant's; otherwise `/t/<slug>` does, and is cut off.
pub fn resolve(directory: &Directory, host: &str, path: &str) -> Result<Resolved, ResolveError> {
    let host = normalise_host(host).ok_or(ResolveError::InvalidKey)?;
    if let Some(tenant) = directory.by_host(&host) {
        return Ok(Resolved { tenant, path: path.to_owned(), mount: None });
    }
    let rest = path.strip_prefix("/t/").ok_or(ResolveError::NoTenant)?;
    let (slug, path) = match rest.find('/') {
        Some(end) => (&rest[..end], &rest[end..]),
        None => (rest, "/"),
    };
    if !is_slug(slug) {
        return Err(ResolveError::InvalidKey);
    }
    let tenant = directory.by_slug(slug).ok_or(ResolveError::NoTenant)?;
    Ok(Resolved { tenant, path: path.to_owned(), mount: Some(format!("/t/{slug}")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::Available;
    use proptest::prelude::*;
    use x402_protocol::Network;

    fn directory() -> Directory {
        let json = r#"{"tenants":[
            {"id":"acme","plan":"pro","hosts":["acme.example"],"slug":"acme"},
            {"id":"globex","plan":"pro","hosts":["globex.example"],"slug":"globex"}]}"#;
        let available = Available { network: Network::BaseSepolia, facilitators: [].into() };
        Directory::from_json(json, &available).unwrap()
    }

    fn to(host: &str, path: &str) -> Result<(String, String), ResolveError> {
        resolve(&directory(), host, path).map(|resolved| (resolved.tenant.id.clone(), resolved.path))
    }

    #[test]
    fn a_tenants_host_wins_over_any_path() {
        for host in ["acme.example", "ACME.example:8787", "acme.example."] {
            assert_eq!(to(host, "/t/globex/x"), Ok(("acme".into(), "/t/globex/x".into())));
        }
    }

    #[test]
    fn a_slug_is_cut_off_the_path() {
        assert_eq!(to("edge.example", "/t/acme/a/b"), Ok(("acme".into(), "/a/b".into())));
        assert_eq!(to("127.0.0.1:8787", "/t/acme"), Ok(("acme".into(), "/".into())));
        assert_eq!(to("edge.example", "/t/acme//x"), Ok(("acme".into(), "//x".into())));
    }

    #[test]
    fn what_only_resembles_a_tenant_is_refused() {
        for path in ["/t/ACME/", "/t/%61cme/", "/t/acme%2f..%2fglobex", "/t//acme", "/t/", "/t/acme\\x", "/t/аcme/"] {
            assert_eq!(to("edge.example", path), Err(ResolveError::InvalidKey), "{path}");
        }
        for path in ["/", "/acme", "/T/acme", "/t/initech/"] {
            assert_eq!(to("edge.example", path), Err(ResolveError::NoTenant), "{path}");
        }
        for host in ["", "acme.example:", "acme..example", "acme.example:80:80", "аcme.example", "-acme.example"] {
            assert_eq!(to(host, "/"), Err(ResolveError::InvalidKey), "{host}");
        }
    }

    proptest! {
        #[test]
        fn nobody_reaches_a_tenant_that_neither_host_nor_slug_names(host in "[a-zA-Z.:0-9-]{0,20}", path in "/t/.{0,20}") {
            if let Ok(resolved) = resolve(&directory(), &host, &path) {
                let id = &resolved.tenant.id;
                let by_host = host.to_ascii_lowercase().starts_with(&format!("{id}.example"));
                let by_slug = path == format!("/t/{id}") || path.starts_with(&format!("/t/{id}/"));
                prop_assert!(by_host || by_slug);
            }
        }
    }
}
