//! The scripts of the namespace: one folder, or one .js/.mjs file, each, in a folder that is looked at again and again.
//! Whatever changes there is a deploy; nothing has to be told or restarted.
//!
//! Surprising constraints: files are written piece by piece, so a change counts once two looks in a row see the same; and the
//! platform refuses to upload what does not start, so a version that does is not given up for one that was not seen to.

use super::script::{Script, ScriptError, files};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, sleep};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// A look at thousands of files takes a while; looking must not take more of a core than one part in so many.
const PAUSE_PER_LOOK: u32 = 20;

#[derive(Debug)]
pub struct Deploys {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    scripts: BTreeMap<String, Deployed>,
    /// The files that the last look saw.
    seen: Snapshot,
    generation: u64,
}

#[derive(Debug)]
struct Deployed {
    found: Found,
    generation: u64,
    /// Read at the first dispatch.
    script: Option<Arc<Script>>,
}

type Snapshot = BTreeMap<String, Found>;

/// The files of one name. A folder `a`, `a.js` and `a.mjs` have the same, and then none of them is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Found {
    paths: Vec<PathBuf>,
    files: Files,
}

/// Path, time of the last change, length.
type Files = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// The news of a look.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    Deployed(String),
    Removed(String),
    /// In place of a version that runs: to be `deployed` once it was seen to start.
    Uploaded(Upload),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Upload {
    pub name: String,
    paths: Vec<PathBuf>,
    generation: u64,
}

impl Upload {
    pub fn load(&self) -> Result<Script, ScriptError> {
        load(&self.name, &self.paths, self.generation)
    }
}

impl Deploys {
    pub fn of(folder: &Path) -> io::Result<Deploys> {
        let folder = fs::canonicalize(folder)?;
        let seen = look(&folder)?;
        let mut state = State { seen: seen.clone(), ..State::default() };
        state.deploy(seen);
        Ok(Deploys { folder, state: Mutex::new(state) })
    }

    pub fn names(&self) -> Vec<String> {
        self.state().scripts.keys().cloned().collect()
    }

    /// The version of a script that is deployed now, or `None` if the namespace has none of this name.
    pub fn get(&self, name: &str) -> Option<Result<Arc<Script>, ScriptError>> {
        let mut state = self.state();
        let deployed = state.scripts.get_mut(name)?;
        if let Some(script) = &deployed.script {
            return Some(Ok(Arc::clone(script)));
        }
        Some(load(name, &deployed.found.paths, deployed.generation).map(|script| {
            let script = Arc::new(script);
            deployed.script = Some(Arc::clone(&script));
            script
        }))
    }

    /// Puts an upload in the place of the version before.
    pub fn deployed(&self, script: Arc<Script>) {
        if let Some(deployed) = self.state().scripts.get_mut(&script.name) {
            deployed.generation = script.generation;
            deployed.script = Some(script);
        }
    }

    /// Looks for deploys, for ever. The next look waits until each of what this one found was taken care of.
    pub async fn watch<F: Future<Output = ()>>(self: Arc<Deploys>, take_care: impl Fn(Change) -> F) {
        let mut pause = PAUSE;
        loop {
            sleep(pause).await;
            let (deploys, began) = (Arc::clone(&self), Instant::now());
            // A folder that cannot be read in this moment may be back in the next; what was deployed stays.
            let seen = tokio::task::spawn_blocking(move || look(&deploys.folder)).await;
            pause = PAUSE.max(began.elapsed() * PAUSE_PER_LOOK);
            let Ok(Ok(seen)) = seen else { continue };
            let changes = self.state().see(seen);
            for change in changes {
                take_care(change).await;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn see(&mut self, seen: Snapshot) -> Vec<Change> {
        if seen == self.seen {
            return self.deploy(seen);
        }
        self.seen = seen;
        Vec::new()
    }

    fn deploy(&mut self, seen: Snapshot) -> Vec<Change> {
        let mut changes = Vec::new();
        let gone: Vec<String> = self.scripts.keys().filter(|name| !seen.contains_key(*name)).cloned().collect();
        for name in gone {
            self.scripts.remove(&name);
            changes.push(Change::Removed(name));
        }
        for (name, found) in seen {
            let generation = self.generation + 1;
            match self.scripts.get_mut(&name) {
                Some(known) if known.found == found => continue,
                Some(known) if known.runs() => {
                    known.found = found.clone();
                    changes.push(Change::Uploaded(Upload { name, paths: found.paths, generation }));
                }
                _ => {
                    self.scripts.insert(name.clone(), Deployed { found, generation, script: None });
                    changes.push(Change::Deployed(name));
                }
            }
            self.generation = generation;
        }
        changes
    }
}

impl Deployed {
    fn runs(&self) -> bool {
        self.script.as_ref().is_some_and(|script| script.started.get().is_some())
    }
}

fn load(name: &str, paths: &[PathBuf], generation: u64) -> Result<Script, ScriptError> {
    match paths {
        [path] => Script::load(name, path, generation),
        several => Err(ScriptError::SeveralOfOneName { name: name.to_owned(), paths: several.to_vec() }),
    }
}

fn look(folder: &Path) -> io::Result<Snapshot> {
    let mut seen = Snapshot::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = script_name(&path) else { continue };
        let files = if path.is_dir() { files(&path) } else { Ok(vec![path.clone()]) };
        // A file may be replaced between two looks at it; the next look sees the new one.
        let Ok(files) = files else { continue };
        let files: Files = files.into_iter().filter_map(stamp).collect();
        if !files.is_empty() {
            let found = seen.entry(name).or_default();
            found.paths.push(path);
            found.files.extend(files);
        }
    }
    for found in seen.values_mut() {
        found.paths.sort();
        found.files.sort();
    }
    Ok(seen)
}

fn script_name(path: &Path) -> Option<String> {
    let name = if path.is_dir() {
        path.file_name()?
    } else if path.extension().is_some_and(|extension| extension == "js" || extension == "mjs") {
        path.file_stem()?
    } else {
        return None;
    };
    let name = name.to_str()?;
    (!name.starts_with('.') && name != "node_modules").then(|| name.to_owned())
}

fn stamp(path: PathBuf) -> Option<(PathBuf, Option<SystemTime>, u64)> {
    let metadata = fs::metadata(&path).ok()?;
    Some((path, metadata.modified().ok(), metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::{super::testing::Folder, *};

    fn source(deploys: &Deploys, name: &str) -> String {
        let script = deploys.get(name).unwrap().unwrap();
        String::from_utf8(script.modules[0].content.clone()).unwrap()
    }

    fn look_twice(deploys: &Deploys) -> Vec<Change> {
        let first = deploys.state().see(look(&deploys.folder).unwrap());
        assert_eq!(first, [], "a change must be seen twice");
        deploys.state().see(look(&deploys.folder).unwrap())
    }

    #[test]
    fn folders_and_script_files_are_scripts() {
        let folder = Folder::new();
        folder.write("alpha/index.mjs", "a");
        folder.write("beta.js", "b");
        folder.write("readme.md", "not a script");
        folder.write(".git/config.js", "not a script");
        let deploys = Deploys::of(folder.path()).unwrap();
        assert_eq!(deploys.names(), ["alpha", "beta"]);
        assert!(deploys.get("../alpha").is_none());
        assert!(deploys.get("gamma").is_none());
    }

    #[test]
    fn a_deploy_is_a_new_generation_and_leaves_the_others_alone() {
        let folder = Folder::new();
        folder.write("alpha/index.mjs", "one");
        folder.write("beta.js", "b");
        let deploys = Deploys::of(folder.path()).unwrap();
        let (alpha, beta) = (deploys.get("alpha").unwrap().unwrap(), deploys.get("beta").unwrap().unwrap());
        folder.write("alpha/index.mjs", "another");
        folder.write("gamma/index.js", "g");
        assert_eq!(look_twice(&deploys), [Change::Deployed("alpha".into()), Change::Deployed("gamma".into())]);
        assert_eq!(source(&deploys, "alpha"), "another");
        assert!(deploys.get("alpha").unwrap().unwrap().generation > alpha.generation);
        assert_eq!(deploys.get("beta").unwrap().unwrap(), beta);
    }

    #[test]
    fn a_version_that_runs_stays_until_the_next_one_does() {
        let folder = Folder::new();
        folder.write("alpha.mjs", "one");
        let deploys = Deploys::of(folder.path()).unwrap();
        deploys.get("alpha").unwrap().unwrap().started.set(()).unwrap();
        folder.write("alpha.mjs", "another");
        let [Change::Uploaded(upload)] = &look_twice(&deploys)[..] else { panic!("it has to be tried out") };
        assert_eq!(source(&deploys, "alpha"), "one");
        assert_eq!(deploys.state().see(look(&deploys.folder).unwrap()), [], "nobody is asked twice");
        deploys.deployed(Arc::new(upload.load().unwrap()));
        assert_eq!(source(&deploys, "alpha"), "another");
    }

    #[test]
    fn what_has_one_name_twice_is_not_run() {
        let folder = Folder::new();
        folder.write("alpha.mjs", "a");
        folder.write("alpha/index.js", "b");
        let deploys = Deploys::of(folder.path()).unwrap();
        let error = deploys.get("alpha").unwrap().unwrap_err();
        assert!(matches!(&error, ScriptError::SeveralOfOneName { paths, .. } if paths.len() == 2), "{error}");
        fs::remove_file(folder.path().join("alpha.mjs")).unwrap();
        look_twice(&deploys);
        assert_eq!(source(&deploys, "alpha"), "b");
    }

    #[test]
    fn what_is_taken_away_is_not_found_any_more() {
        let folder = Folder::new();
        folder.write("alpha.mjs", "a");
        let deploys = Deploys::of(folder.path()).unwrap();
        fs::remove_file(folder.path().join("alpha.mjs")).unwrap();
        assert_eq!(look_twice(&deploys), [Change::Removed("alpha".into())]);
        assert!(deploys.get("alpha").is_none());
    }

    #[test]
    fn a_script_that_cannot_be_read_is_told_at_its_dispatch_until_it_is_mended() {
        let folder = Folder::new();
        folder.write("alpha/tenant.json", "{");
        let deploys = Deploys::of(folder.path()).unwrap();
        assert!(matches!(deploys.get("alpha"), Some(Err(ScriptError::Settings { .. }))));
        folder.write("alpha/tenant.json", "{}");
        folder.write("alpha/index.js", "mended");
        look_twice(&deploys);
        assert_eq!(source(&deploys, "alpha"), "mended");
    }
}
