//! The run's own copy of the dispatcher bundle. Surprising constraint: `wrangler dev` watches what it serves and restarts
//! the dispatcher on any change, so a build that finishes during a run would look like a crash.

use std::{
    fs, io,
    path::{Path, PathBuf},
};
use system::folders::make_private;

#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("the dispatcher bundle's entry {path} is not a file in a folder")]
    NotAFile { path: PathBuf },
    #[error("copying the dispatcher bundle from {path}")]
    Copy { path: PathBuf, source: io::Error },
}

/// Copies the folder of `index_js` to `target` and gives the entry's path there.
pub fn copy(index_js: &Path, target: &Path) -> Result<PathBuf, BundleError> {
    let (Some(folder), Some(name), true) = (index_js.parent(), index_js.file_name(), index_js.is_file()) else {
        return Err(BundleError::NotAFile { path: index_js.to_path_buf() });
    };
    copy_folder(folder, target).map_err(|source| BundleError::Copy { path: folder.to_path_buf(), source })?;
    Ok(target.join(name))
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    make_private(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
