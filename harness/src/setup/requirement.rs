//! What every requirement says of itself. `found` must not change anything and must be fast: `doctor` and every run
//! call it for each requirement.

use std::path::PathBuf;

use super::{SetupError, Site};

/// One thing the harness needs. One file each, named as `doctor` names it.
pub trait Requirement: Sync {
    /// The name in the table and in progress lines.
    fn name(&self) -> &'static str;
    /// The version or property that is wanted.
    fn wanted(&self) -> String;
    /// Its path, if it is there.
    fn found(&self, site: &Site) -> Option<Found>;
    /// The way out for a person if `harness setup` cannot.
    fn mend(&self) -> &'static str;
    /// The steps of providing it, and how long that usually takes.
    fn doing(&self) -> &'static str;
    /// Puts it into the cache.
    fn provide(&self, site: &Site) -> Result<(), SetupError>;
}

/// A requirement that is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Version, or a word on what it is.
    pub what: String,
    /// The file or folder to use.
    pub path: PathBuf,
}
