//! A tenant's place in the public catalogue, as its record says it.

use crate::free_paths::is_path;
use serde::Deserialize;

/// A record's word on its place in the catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogueRecord {
    /// Whether it stands in no catalogue.
    #[serde(default)]
    pub hidden: bool,
    /// The path that a buyer begins with, such as `/v1/records`; absent: the root.
    #[serde(default)]
    pub path: Option<String>,
}

/// A tenant's place in the catalogue, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// With the path that a buyer begins with.
    At(String),
    Hidden,
}

impl CatalogueRecord {
    pub fn check(self) -> Result<Shown, String> {
        match self {
            Self { hidden: true, .. } => Ok(Shown::Hidden),
            Self { path: None, .. } => Ok(Shown::At("/".to_owned())),
            Self { path: Some(path), .. } if is_path(&path) => Ok(Shown::At(path)),
            Self { path: Some(path), .. } => Err(format!("is {path:?}, no path as a request has it")),
        }
    }
}
