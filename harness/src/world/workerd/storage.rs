//! Where a Worker's Durable Objects are kept under plain workerd: in SQLite, in a folder of its own.

use super::{
    WorkerdError,
    capnp::{list, quoted},
};
use std::path::Path;
use system::folders::make_private;

/// The service, and its folder.
const STORAGE: &str = "storage";

/// The disk that [`of_worker`] names.
pub fn service(dir: &Path) -> Result<String, WorkerdError> {
    let storage = dir.join(STORAGE);
    make_private(&storage).map_err(|source| WorkerdError::Write { path: storage.clone(), source })?;
    Ok(format!("(name = \"{STORAGE}\", disk = (path = {}, writable = true))", quoted(&storage.display().to_string())))
}

/// Adds a Worker's classes: more fields of its struct.
pub fn of_worker(classes: &[&str]) -> String {
    let classes = classes.iter().map(|class| {
        let class = quoted(class);
        format!("(className = {class}, uniqueKey = {class}, enableSql = true)")
    });
    format!(",\n  durableObjectNamespaces = {},\n  durableObjectStorage = (localDisk = \"{STORAGE}\")", list(classes))
}
