//! Joins what the shards of one swarm came to.

use super::{Misfit, Tally};
use std::{io, path::PathBuf};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum MergeError {
    #[error("{path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is no result of a swarm: {source}")]
    #[diagnostic(help("`harness swarm --out FILE` writes one"))]
    Shape { path: PathBuf, source: serde_json::Error },
    #[error("{path} does not belong to the files before it: {source}")]
    Misfit { path: PathBuf, source: Misfit },
}

/// The files, of which there is at least one.
pub fn merge(paths: &[PathBuf]) -> Result<Option<Tally>, MergeError> {
    let mut all: Option<Tally> = None;
    for path in paths {
        let text = std::fs::read(path).map_err(|source| MergeError::Read { path: path.clone(), source })?;
        let tally: Tally =
            serde_json::from_slice(&text).map_err(|source| MergeError::Shape { path: path.clone(), source })?;
        match &mut all {
            None => all = Some(tally),
            Some(all) => all.join(tally).map_err(|source| MergeError::Misfit { path: path.clone(), source })?,
        }
    }
    Ok(all)
}
