//! The tool cache: one folder a tool and version, outside `target/` so that `cargo clean` does not cost minutes.
//!
//! A tool is made in a sibling folder and renamed into place: an interrupted set-up leaves a `.part` folder that the
//! next one clears, never a half-installed tool. A lock file beside it keeps two set-ups from making the same tool.

use super::SetupError;
use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
};
use system::folders::remove_if_there;

#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// `HARNESS_CACHE`, else `XDG_CACHE_HOME/402claw`, else `~/.cache/402claw`.
    pub fn from_env(var: impl Fn(&str) -> Option<OsString>) -> Result<Self, SetupError> {
        let set = |name: &str| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = set("HARNESS_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("402claw")))
            .or_else(|| set("HOME").map(|home| home.join(".cache/402claw")))
            .ok_or(SetupError::NoCacheFolder)?;
        // A tool's wrapper script and PATH entries name the cache, so it must not depend on the working directory.
        let root = std::path::absolute(&root).map_err(SetupError::io("cannot resolve", &root))?;
        Ok(Self { root })
    }

    /// The path of the tool with this key, once it is there.
    pub fn slot(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// A folder that builds share and that may be deleted at any time.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.root.join("scratch").join(name)
    }

    /// Makes the tool `key` by filling a fresh folder, unless another process made it meanwhile.
    pub fn fill(&self, key: &str, make: impl FnOnce(&Path) -> Result<(), SetupError>) -> Result<PathBuf, SetupError> {
        fs::create_dir_all(self.root.join("logs")).map_err(SetupError::io("cannot create", &self.root))?;
        let lock_path = self.root.join(format!("{key}.lock"));
        let lock = File::create(&lock_path).map_err(SetupError::io("cannot create", &lock_path))?;
        lock.lock().map_err(SetupError::io("cannot lock", &lock_path))?;

        let slot = self.slot(key);
        if slot.is_dir() {
            return Ok(slot);
        }
        let part = self.root.join(format!("{key}.part"));
        clear(&part)?;
        fs::create_dir_all(&part).map_err(SetupError::io("cannot create", &part))?;
        make(&part)?;
        fs::rename(&part, &slot).map_err(SetupError::io("cannot rename", &part))?;
        Ok(slot)
    }
}

/// Removes a folder if it is there.
pub fn clear(folder: &Path) -> Result<(), SetupError> {
    remove_if_there(folder).map_err(SetupError::io("cannot remove", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str) -> Cache {
        let root = std::env::temp_dir().join(format!("harness-cache-test-{}-{name}", std::process::id()));
        Cache { root }
    }

    #[test]
    fn the_harness_variable_wins_over_xdg_and_home() {
        let all = |name: &str| Some(OsString::from(format!("/{name}")));
        let no_harness = |name: &str| if name == "HARNESS_CACHE" { Some(OsString::new()) } else { all(name) };
        let only_home = |name: &str| if name == "HOME" { all(name) } else { None };
        assert_eq!(Cache::from_env(all).unwrap().root, Path::new("/HARNESS_CACHE"));
        assert_eq!(Cache::from_env(no_harness).unwrap().root, Path::new("/XDG_CACHE_HOME/402claw"));
        assert_eq!(Cache::from_env(only_home).unwrap().root, Path::new("/HOME/.cache/402claw"));
        assert!(Cache::from_env(|_| None).is_err());
    }

    #[test]
    fn a_tool_whose_making_failed_is_absent_and_is_made_afresh_the_next_time() {
        let cache = cache("failed");
        let failed = cache.fill("tool-1", |part| {
            fs::write(part.join("rest"), "half").unwrap();
            Err(SetupError::Interrupted { step: "tool" })
        });
        assert!(failed.is_err());
        assert!(!cache.slot("tool-1").exists());
        let slot = cache
            .fill("tool-1", |part| fs::write(part.join("bin"), "whole").map_err(SetupError::io("write", part)))
            .unwrap();
        assert!(slot.join("bin").is_file());
        assert!(!slot.join("rest").exists());
        clear(&cache.root).unwrap();
    }

    #[test]
    fn a_tool_that_is_there_is_not_made_again() {
        let cache = cache("twice");
        cache.fill("tool-1", |_| Ok(())).unwrap();
        cache.fill("tool-1", |_| panic!("made twice")).unwrap();
        clear(&cache.root).unwrap();
    }
}
