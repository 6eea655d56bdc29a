//! From what a request names to a tenant. The host decides where it is a tenant's; otherwise `/t/<slug>` does.

use crate::{
    dispatch_key::{Mounted, NotAKey, named},
    message::Inbound,
    ports::{DirectoryUnavailable, Tenants},
    tenant::Tenant,
};
use std::rc::Rc;

/// The tenant behind the names of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    Tenant(Resolved),
    /// Nobody, or nobody any more.
    Nobody(Place),
}

/// The destination of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub tenant: Rc<Tenant>,
    pub place: Place,
}

/// The names in a request, with the path as whoever is there sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The place that decides, host or slug, in its one spelling: `host/<host>` or `slug/<slug>`.
    pub name: String,
    pub path: String,
    /// The prefix that was cut off the path: `/t/<slug>`. `None` where the host decides.
    pub mount: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolveError {
    /// Cannot be a tenant's host or slug.
    InvalidKey,
    /// There is no word on who has this host or slug.
    Unavailable,
}

impl From<DirectoryUnavailable> for ResolveError {
    fn from(DirectoryUnavailable: DirectoryUnavailable) -> Self {
        Self::Unavailable
    }
}

impl From<NotAKey> for ResolveError {
    fn from(NotAKey: NotAKey) -> Self {
        Self::InvalidKey
    }
}

pub async fn resolve(tenants: &impl Tenants, request: &impl Inbound) -> Result<Resolution, ResolveError> {
    let named = named(request)?;
    let at_host = Place { name: named.host.to_string(), path: named.path.to_owned(), mount: None };
    if let Some(tenant) = tenants.behind(&named.host).await? {
        return Ok(Resolution::Tenant(Resolved { tenant, place: at_host }));
    }
    let Some(Mounted { slug, mount, path }) = named.mounted? else { return Ok(Resolution::Nobody(at_host)) };
    let place = Place { name: slug.to_string(), path: path.to_owned(), mount: Some(mount.to_owned()) };
    Ok(match tenants.behind(&slug).await? {
        Some(tenant) => Resolution::Tenant(Resolved { tenant, place }),
        None => Resolution::Nobody(place),
    })
}
