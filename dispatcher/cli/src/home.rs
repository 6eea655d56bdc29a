//! Where a seller's tenants lie: one folder for each environment, below `.402claw` in the working directory.
//!
//! Surprising constraint: a file is never written in place. A full disk or a crash leaves the old one whole, and two commands
//! that change the registry wait for each other.

use crate::{exit::Exit, failure::Failure};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

pub const DEFAULT: &str = ".402claw";

/// Which money is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Environment {
    /// Base Sepolia, whose USDC is worth nothing
    Test,
    /// Base
    Prod,
}

impl Environment {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Prod => "prod",
        }
    }

    #[must_use]
    pub fn network(self) -> x402_protocol::Network {
        match self {
            Self::Test => x402_protocol::Network::BaseSepolia,
            Self::Prod => x402_protocol::Network::Base,
        }
    }
}

/// The folder of one environment.
#[derive(Clone, Debug)]
pub struct Home {
    folder: PathBuf,
    pub environment: Environment,
}

/// Held while the registry is changed.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock goes when the file is closed")] File);

impl Home {
    #[must_use]
    pub fn at(folder: &Path, environment: Environment) -> Self {
        Self { folder: folder.join(environment.as_str()), environment }
    }

    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The path of a tenant's Worker, as a folder of its script's modules.
    #[must_use]
    pub fn scripts(&self) -> PathBuf {
        self.path("tenants")
    }

    pub fn make(&self) -> Result<(), Failure> {
        fs::create_dir_all(self.scripts()).map_err(|error| Failure::file("making", &self.folder, &error))
    }

    /// Waits for nobody: who comes second is told.
    pub fn lock(&self) -> Result<Lock, Failure> {
        self.make()?;
        let path = self.path("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| Failure::file("opening", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => {
                let what = "another 402claw is changing these tenants";
                Err(Failure::new(Exit::Busy, what).help("run the same command again once it is done"))
            }
            Err(TryLockError::Error(error)) => Err(Failure::file("locking", &path, &error)),
        }
    }

    pub fn read(&self, name: &str) -> Result<Option<String>, Failure> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::file("reading", &path, &error)),
        }
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        write(&self.path(name), bytes, 0o644)
    }

    /// For keys.
    pub fn write_secret(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        write(&self.path(name), bytes, 0o600)
    }

    /// Adds a line to a file that only ever grows.
    pub fn append(&self, name: &str, line: &str) -> Result<(), Failure> {
        let path = self.path(name);
        let failed = |error: io::Error| Failure::file("adding to", &path, &error);
        self.make()?;
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        // In one piece, so that two who add at once do not mix.
        file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file("writing", path, &error);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let beside = folder.join(format!(".{name}.{}.new", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(mode).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(folder)?.sync_all()
    })();
    written.map_err(|error| {
        // There may be nothing to take away.
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn the_second_who_changes_the_registry_is_told() {
        let folder = Folder::new();
        let home = Home::at(folder.path(), Environment::Test);
        let held = home.lock().unwrap();
        assert_eq!(home.lock().unwrap_err().exit, Exit::Busy);
        drop(held);
        assert!(home.lock().is_ok());
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        let folder = Folder::new();
        let path = folder.path().join("registry.json");
        write(&path, b"old", 0o644).unwrap();
        // A name that cannot be made beside it: as a full disk, it fails before the old file is touched.
        let long = folder.path().join("x".repeat(250));
        assert!(write(&long, b"new", 0o644).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
