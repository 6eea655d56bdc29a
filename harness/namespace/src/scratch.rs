//! The folder of the processes' folders, removed with this. Surprising constraint: the sockets in there have a limited
//! path, so it lies in the system's temporary folder and has a short name.

use std::{env, fs, io, os::unix::fs::DirBuilderExt, path::PathBuf, process};

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
        // What cannot be removed lies in the system's temporary folder.
        let _left = fs::remove_dir_all(&self.0);
    }
}
