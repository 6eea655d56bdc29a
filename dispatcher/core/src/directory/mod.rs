//! Who is behind a host or a slug. Look-ups are in an ordered map: a million tenants cost twenty comparisons.

mod shapes;

use crate::{
    dispatch_key::DispatchKey,
    tenant::{Available, Tenant, TenantError},
};
use std::{collections::BTreeMap, rc::Rc};

/// The tenants of this deployment, checked.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    by_key: BTreeMap<DispatchKey, Rc<Tenant>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    #[error("line {line}, column {column}: {what}")]
    Json { line: usize, column: usize, what: String },
    #[error("has neither `tenants` nor `byHost`/`bySlug`")]
    Shape,
    #[error(transparent)]
    Tenant(#[from] TenantError),
    #[error("{kind} {name:?} {why}")]
    Key { kind: &'static str, name: String, why: &'static str },
}

impl Directory {
    /// Parses either shape: `{"byHost": {host: tenant}, "bySlug": {slug: tenant}}` or
    /// `{"tenants": [{tenant, "hosts": [], "slug"}]}`.
    pub fn from_json(json: &str, available: &Available) -> Result<Self, DirectoryError> {
        shapes::parse(json, available)
    }

    #[must_use]
    pub fn find(&self, key: &DispatchKey) -> Option<Rc<Tenant>> {
        self.by_key.get(key).cloned()
    }
}
