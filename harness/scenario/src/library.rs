//! The scenarios that come with the project: `scenarios/<id>.toml`, and past failures under `scenarios/regressions/`, which
//! come first wherever several are run. A path to any other TOML file works wherever a name does.

use super::{Scenario, library_error::LibraryError, selection::Selection};
use grammar::{InvalidScenario, Name, limits::MAX_FILE_BYTES, nearest};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use system::folders::scenarios_root;

/// A folder of scenarios.
#[derive(Clone, Debug)]
pub struct Library {
    folder: PathBuf,
}

impl Library {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The `scenarios` folder at or above the working directory; failing that, the one of the checkout that the program is in.
    pub fn find() -> Self {
        Self::new(scenarios_root().join("scenarios"))
    }

    /// The path of the language's JSON Schema.
    pub fn schema(&self) -> PathBuf {
        self.folder.join("schema.json")
    }

    /// The path of the report's JSON Schema: in the crate that writes it.
    pub fn report_schema(&self) -> PathBuf {
        self.beside("reports/schema.json")
    }

    /// The path of the list of known failures: beside the folder, in which every TOML file is a scenario.
    pub fn known(&self) -> PathBuf {
        self.beside("known.toml")
    }

    /// The folder of the bugs that a self-test plants.
    pub fn bugs(&self) -> PathBuf {
        self.beside("harness/bugs")
    }

    fn beside(&self, name: &str) -> PathBuf {
        match self.folder.parent() {
            Some(parent) if self.folder.file_name().is_some() => parent.join(name),
            _ => self.folder.join("..").join(name),
        }
    }

    /// The path of a scenario of that name, whether or not it is there.
    pub fn path(&self, name: &Name) -> PathBuf {
        self.folder.join(name.as_str()).with_extension("toml")
    }

    /// Loads by name, or by path where `which` ends in `.toml`.
    pub fn load(&self, which: &str) -> Result<Scenario, LibraryError> {
        if Path::new(which).extension().is_some_and(|extension| extension == "toml") {
            return load(Path::new(which));
        }
        let files = self.files()?;
        let Some((name, path)) = files.iter().find(|(name, _)| name == which) else {
            let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
            let meant = nearest(which, &names).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            // All hundred of them would be a page.
            let help = format!("{meant}`harness list` shows the {} there are; a path ends in .toml", names.len());
            return Err(LibraryError::Unknown { name: which.to_owned(), help });
        };
        load_named(name, path)
    }

    /// The file of the scenario of that name.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        self.files().ok()?.into_iter().find(|(known, _)| known == name).map(|(_, file)| file)
    }

    /// The scenarios that are meant, by name; at least one.
    pub fn select(&self, selection: &Selection) -> Result<Vec<Scenario>, LibraryError> {
        selection.of(self.scenarios()?)
    }

    /// Every scenario of the library: past failures first, each by name.
    pub fn scenarios(&self) -> Result<Vec<Scenario>, LibraryError> {
        self.files()?.iter().map(|(name, path)| load_named(name, path)).collect()
    }

    /// The scenarios that are meant and can be read, and the names of all that cannot be.
    pub fn readable(&self, selection: &Selection) -> Result<(Vec<Scenario>, Vec<String>), LibraryError> {
        let (mut scenarios, mut broken) = (Vec::new(), Vec::new());
        for (name, path) in self.files()? {
            match load_named(&name, &path) {
                Ok(scenario) => scenarios.push(scenario),
                Err(_) => broken.push(name),
            }
        }
        match selection.of(scenarios) {
            // Nobody knows whether those that cannot be read would have been among them.
            Err(_) if !broken.is_empty() => Ok((Vec::new(), broken)),
            selected => Ok((selected?, broken)),
        }
    }

    /// The folder of past failures.
    pub fn regressions(&self) -> PathBuf {
        self.folder.join("regressions")
    }

    /// The scenarios that can be asked for by name.
    pub fn names(&self) -> Result<Vec<String>, LibraryError> {
        Ok(self.files()?.into_iter().map(|(name, _)| name).collect())
    }

    /// Names and files, past failures first.
    fn files(&self) -> Result<Vec<(String, PathBuf)>, LibraryError> {
        let regressions = self.regressions();
        let mut files = if regressions.is_dir() { files_in(&regressions)? } else { Vec::new() };
        files.extend(files_in(&self.folder)?);
        Ok(files)
    }
}

/// By name.
fn files_in(folder: &Path) -> Result<Vec<(String, PathBuf)>, LibraryError> {
    let unreadable = |source| LibraryError::NoLibrary { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            files.extend(name.map(|name| (name, path)));
        }
    }
    files.sort();
    Ok(files)
}

/// Loads a scenario of the library, whose name is its file's: reports and known failures would else go by another one.
fn load_named(name: &str, path: &Path) -> Result<Scenario, LibraryError> {
    let scenario = load(path)?;
    match scenario.misnamed(name) {
        Some(problem) => Err(InvalidScenario::new(&shown(path), scenario.source(), vec![problem]).into()),
        None => Ok(scenario),
    }
}

/// The path as errors show it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.as_deref().and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(path).display().to_string()
}

fn load(path: &Path) -> Result<Scenario, LibraryError> {
    let unreadable = |source| LibraryError::Unreadable { path: path.to_owned(), source };
    let shown = shown(path);
    // Looked at before it is read, so that a huge file given by mistake costs nothing.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    // A pipe that nobody writes to would be waited for without end.
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("it is no regular file")));
    }
    let bytes = metadata.len();
    if bytes > MAX_FILE_BYTES as u64 {
        return Err(InvalidScenario::too_big(&shown, bytes).into());
    }
    Ok(Scenario::parse(&shown, &fs::read_to_string(path).map_err(unreadable)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_unlike_its_files_name_is_refused_in_the_library_and_taken_by_path() {
        let folder = std::env::temp_dir().join(format!("402claw-library-{}", std::process::id()));
        let path = folder.join("other.toml");
        fs::create_dir_all(&folder).expect("a folder can be made");
        fs::write(&path, include_str!("tests/good.toml")).expect("there is room");
        let library = Library::new(&folder);
        for refused in [library.load("other").map(drop), library.scenarios().map(drop)] {
            let said = format!("{:?}", miette::Report::new(refused.expect_err("its id is another")));
            assert!(said.contains("the file is called other.toml") && said.contains("write id = \"other\""), "{said}");
        }
        assert!(library.load(&path.display().to_string()).is_ok());
        fs::remove_dir_all(folder).expect("it is ours");
    }
}
