//! The folder of the processes' folders, removed with this. Surprising constraint: the sockets in there have a limited
//! path, so it lies in the system's temporary folder and has a short name.

use std::{
    env, fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn make() -> io::Result<Scratch> {
        let path = env::temp_dir().join(format!("namespace-{}-{:08x}", process::id(), fastrand::u32(..)));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Scratch(path))
    }

    /// An empty folder in it.
    pub fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.0.join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Tries to remove a folder, and the pause between two.
const TRIES: usize = 20;
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// Removes a folder. A process that was just ended may still write into it, so it is tried again. What stays in the end lies
/// in the system's temporary folder.
pub fn remove(folder: &Path) {
    for _ in 0..TRIES {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => thread::sleep(TRY_AGAIN),
            _ => return,
        }
    }
}
