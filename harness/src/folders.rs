//! Folders that may or may not be there, and the one that everything is in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The harness builds the dispatcher from source, so it works from its own workspace only.
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the harness is a member of its workspace").to_owned()
}

/// Removes a folder with all that is in it, if it is there.
pub fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
