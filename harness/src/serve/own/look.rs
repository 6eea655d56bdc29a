//! The Workers of a folder, and whether one of them changed since it was looked at.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use namespace::{SETTINGS_FILE, script_files};

/// A single file of one of these is a Worker.
const FILES: [&str; 4] = ["js", "mjs", "ts", "mts"];

/// The files of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnWorker {
    pub name: String,
    /// A folder, or a file.
    pub path: PathBuf,
    /// Path, time of the last change, length.
    pub files: Vec<(PathBuf, Option<SystemTime>, u64)>,
}

impl OwnWorker {
    /// Its `tenant.json`, if it has one: in the folder, or beside the file as `NAME.tenant.json`.
    pub fn settings(&self) -> Option<PathBuf> {
        let file = if self.path.is_dir() {
            self.path.join(SETTINGS_FILE)
        } else {
            self.path.with_file_name(format!("{}.{SETTINGS_FILE}", self.name))
        };
        file.is_file().then_some(file)
    }
}

/// Every Worker of the folder, by name. A folder `a` goes before a file `a.js`.
pub fn look(folder: &Path) -> io::Result<Vec<OwnWorker>> {
    let mut found: BTreeMap<String, OwnWorker> = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = name(&path) else { continue };
        let mut worker = OwnWorker { name: name.clone(), path, files: Vec::new() };
        let files = if worker.path.is_dir() { script_files(&worker.path) } else { Ok(vec![worker.path.clone()]) };
        // A file may be replaced between two looks at it; the next look sees the new one.
        let Ok(files) = files else { continue };
        let beside = worker.settings().filter(|file| !files.contains(file));
        worker.files = files.into_iter().chain(beside).filter_map(stamp).collect();
        let is_folder = worker.path.is_dir();
        if !worker.files.is_empty() && (is_folder || !found.contains_key(&name)) {
            found.insert(name, worker);
        }
    }
    Ok(found.into_values().collect())
}

fn name(path: &Path) -> Option<String> {
    let name = if path.is_dir() {
        path.file_name()?
    } else if path.extension().is_some_and(|extension| FILES.iter().any(|known| extension == *known)) {
        path.file_stem()?
    } else {
        return None;
    };
    let name = name.to_str()?;
    (!name.starts_with('.') && name != "node_modules" && !name.ends_with(".d")).then(|| name.to_owned())
}

fn stamp(path: PathBuf) -> Option<(PathBuf, Option<SystemTime>, u64)> {
    let metadata = fs::metadata(&path).ok()?;
    Some((path, metadata.modified().ok(), metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_files_of_either_language_are_workers() {
        let folder = std::env::temp_dir().join(format!("402claw-own-look-{}", std::process::id()));
        fs::create_dir_all(folder.join("alpha/node_modules/x")).unwrap();
        for (file, text) in [
            ("alpha/index.ts", "a"),
            ("alpha/tenant.json", "{}"),
            ("alpha/node_modules/x/index.js", ""),
            ("beta.ts", "b"),
            ("beta.tenant.json", "{}"),
            ("gamma.mjs", "c"),
            ("types.d.ts", ""),
            ("readme.md", ""),
        ] {
            fs::write(folder.join(file), text).unwrap();
        }
        let seen = look(&folder).unwrap();
        assert_eq!(seen.iter().map(|worker| worker.name.as_str()).collect::<Vec<_>>(), ["alpha", "beta", "gamma"]);
        assert_eq!(seen.iter().map(|worker| worker.files.len()).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(seen.iter().map(|worker| worker.settings().is_some()).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(look(&folder).unwrap(), seen);
        fs::write(folder.join("beta.tenant.json"), r#"{"price":"0.01"}"#).unwrap();
        assert_ne!(look(&folder).unwrap(), seen);
        fs::remove_dir_all(folder).unwrap();
    }
}
