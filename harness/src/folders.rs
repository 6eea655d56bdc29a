//! Folders that may or may not be there.

use std::{fs, io, path::Path};

/// Removes a folder with all that is in it, if it is there.
pub fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
