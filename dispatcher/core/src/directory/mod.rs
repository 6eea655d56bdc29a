//! Who is behind a host or a slug: tenants that a variable lists, and those of a stored snapshot, which a million may be
//! in. Surprising constraint: a record that is wrong is left out alone, for one seller's mistake must not be another's
//! outage; only what cannot be read at all is refused as a whole.

pub mod cache;
mod shapes;
pub mod snapshot;
pub mod stored;

use crate::{
    dispatch_key::DispatchKey,
    ports::{DirectoryUnavailable, Tenants},
    tenant::{Available, Tenant, TenantError},
};
use std::rc::Rc;

/// A few tenants by their names, checked: those of a variable, or of one bucket.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// In order. `None`: two tenants claim this name, so it is nobody's.
    by_key: Vec<(DispatchKey, Option<Rc<Tenant>>)>,
    /// The name of each tenant that comes first in its record: of several, the one that lists are to show.
    firsts: Vec<DispatchKey>,
    left_out: Vec<DirectoryError>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    #[error("line {line}, column {column}: {what}")]
    Json { line: usize, column: usize, what: String },
    #[error("is empty: a directory without tenants is {{\"tenants\": []}}")]
    Empty,
    #[error("has neither `tenants` nor `byHost`/`bySlug`, or both")]
    Shape,
    #[error("{place}: {what}")]
    Record { place: String, what: String },
    #[error(transparent)]
    Tenant(#[from] TenantError),
    #[error("tenant {tenant:?}: {kind} {name:?} {why}")]
    Key { tenant: String, kind: &'static str, name: String, why: &'static str },
}

impl Directory {
    /// Parses either shape: `{"byHost": {host: tenant}, "bySlug": {slug: tenant}}` or
    /// `{"tenants": [{tenant, "hosts": [], "slug"}]}`.
    pub fn from_json(json: &str, available: &Available) -> Result<Self, DirectoryError> {
        shapes::parse(json, available)
    }

    #[must_use]
    pub fn find(&self, key: &DispatchKey) -> Option<Rc<Tenant>> {
        let at = self.by_key.binary_search_by(|(other, _)| other.cmp(key)).ok()?;
        self.by_key[at].1.clone()
    }

    /// Whether a tenant has this id.
    #[must_use]
    pub fn has_id(&self, id: &str) -> bool {
        self.by_key.iter().any(|(_, tenant)| tenant.as_ref().is_some_and(|tenant| tenant.id == id))
    }

    /// Each tenant once, at the name that comes first in its record, in the order of names.
    pub fn shown(&self) -> impl Iterator<Item = (&DispatchKey, &Rc<Tenant>)> {
        let is_first = |key: &DispatchKey| self.firsts.contains(key);
        self.by_key.iter().filter_map(move |(key, tenant)| Some((key, tenant.as_ref().filter(|_| is_first(key))?)))
    }

    /// The faults of the records and names that are not in it.
    #[must_use]
    pub fn left_out(&self) -> &[DirectoryError] {
        &self.left_out
    }
}

impl Tenants for Rc<Directory> {
    async fn behind(&self, key: &DispatchKey) -> Result<Option<Rc<Tenant>>, DirectoryUnavailable> {
        Ok(self.find(key))
    }
}
