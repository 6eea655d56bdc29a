//! From what a request names to a tenant. The host decides where it is a tenant's; otherwise `/t/<slug>` does.

use crate::{
    directory::Directory,
    dispatch_key::{Mounted, NotAKey, named},
    ports::Inbound,
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

impl From<NotAKey> for ResolveError {
    fn from(NotAKey: NotAKey) -> Self {
        Self::InvalidKey
    }
}

pub fn resolve(directory: &Directory, request: &impl Inbound) -> Result<Resolved, ResolveError> {
    let named = named(request)?;
    if let Some(tenant) = directory.find(&named.host) {
        return Ok(Resolved { tenant, path: named.path.to_owned(), mount: None });
    }
    let Mounted { slug, mount, path } = named.mounted?.ok_or(ResolveError::NoTenant)?;
    let tenant = directory.find(&slug).ok_or(ResolveError::NoTenant)?;
    Ok(Resolved { tenant, path: path.to_owned(), mount: Some(mount.to_owned()) })
}
