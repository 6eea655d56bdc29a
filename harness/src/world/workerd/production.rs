//! What the deployed configuration says of the runtime: its date, its flags, its Durable Objects and its variables. Read from
//! the file that ships, so that a new binding is served here too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jsonc_parser::ParseOptions;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Production {
    pub compatibility_date: String,
    #[serde(default)]
    pub compatibility_flags: Vec<String>,
    #[serde(default)]
    pub durable_objects: DurableObjects,
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
    pub dispatch_namespaces: [DispatchNamespace; 1],
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct DurableObjects {
    pub bindings: Vec<DurableObject>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct DurableObject {
    pub name: String,
    pub class_name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct DispatchNamespace {
    pub binding: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ProductionError {
    #[error("reading the dispatcher's production config {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("the dispatcher's production config is not JSONC: {0}")]
    Syntax(#[from] jsonc_parser::errors::ParseError),
    #[error("the dispatcher's production config has another shape: {0}")]
    Shape(#[from] serde_json::Error),
}

impl Production {
    pub fn read(path: &Path) -> Result<Self, ProductionError> {
        let text =
            fs::read_to_string(path).map_err(|source| ProductionError::Read { path: path.to_path_buf(), source })?;
        let value: serde_json::Value = jsonc_parser::parse_to_serde_value(&text, &ParseOptions::default())?;
        Ok(serde_json::from_value(value)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_that_ships_can_be_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dispatcher/worker/wrangler.jsonc");
        let production = Production::read(&path).unwrap();
        assert_eq!(production.dispatch_namespaces[0].binding, "DISPATCHER");
        assert!(production.durable_objects.bindings.iter().any(|object| object.class_name == "SettlementLedger"));
    }
}
