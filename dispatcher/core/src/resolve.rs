//! From what a request names to a tenant. The host decides where it is a tenant's; otherwise `/t/<slug>` does.

use crate::{
    dispatch_key::{Mounted, NotAKey, named},
    ports::{DirectoryUnavailable, Inbound, Tenants},
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

pub async fn resolve(tenants: &impl Tenants, request: &impl Inbound) -> Result<Resolved, ResolveError> {
    let named = named(request)?;
    if let Some(tenant) = tenants.behind(&named.host).await? {
        return Ok(Resolved { tenant, path: named.path.to_owned(), mount: None });
    }
    let Mounted { slug, mount, path } = named.mounted?.ok_or(ResolveError::NoTenant)?;
    let tenant = tenants.behind(&slug).await?.ok_or(ResolveError::NoTenant)?;
    Ok(Resolved { tenant, path: path.to_owned(), mount: Some(mount.to_owned()) })
}
