//! One script as it was deployed: its modules and its settings, read into memory at once, so that a process started later
//! runs the very same version.

use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Every tenant runs on one date unless it names its own, so that a new workerd does not change what tenants see.
const COMPATIBILITY_DATE: &str = "2026-04-01";
/// The platform takes 10 MB after compression; what is larger than this is somebody's `node_modules`.
const MAX_SCRIPT_BYTES: u64 = 64 * 1024 * 1024;
/// Name of the settings beside the modules.
pub const SETTINGS_FILE: &str = "tenant.json";
/// The names under which a folder's main module is looked for, unless its settings name it.
const MAIN: [&str; 4] = ["index.mjs", "index.js", "worker.mjs", "worker.js"];

#[derive(Debug, PartialEq)]
pub struct Script {
    pub name: String,
    /// Grows with every deploy of the name.
    pub generation: u64,
    pub main: String,
    pub modules: Vec<Module>,
    pub settings: Settings,
    /// Set once a process of this very version came to serve.
    pub started: OnceLock<()>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Module {
    /// By which others import it: the path in the folder.
    pub name: String,
    pub kind: ModuleKind,
    pub content: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleKind {
    EsModule,
    CommonJs,
    Json,
    Text,
    Data,
    Wasm,
}

/// `tenant.json`, in the words of a wrangler config.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub main: Option<String>,
    pub compatibility_date: String,
    pub compatibility_flags: Vec<String>,
    /// Strings stay strings, all else is JSON.
    pub vars: BTreeMap<String, Value>,
    /// This and the next three are the dispatcher's, for `serve --tenants`: a namespace has no prices.
    pub plan: Value,
    pub price: Value,
    pub hosts: Value,
    #[serde(rename = "payTo")]
    pub pay_to: Value,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            main: None,
            compatibility_date: COMPATIBILITY_DATE.to_owned(),
            compatibility_flags: Vec::new(),
            vars: BTreeMap::new(),
            plan: Value::Null,
            price: Value::Null,
            hosts: Value::Null,
            pay_to: Value::Null,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("reading {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is not what tenant.json may hold: {source}")]
    Settings { path: PathBuf, source: serde_json::Error },
    #[error("{path} has no main module: none of {}, and no `main` in {SETTINGS_FILE}", MAIN.join(", "))]
    NoMain { path: PathBuf },
    #[error("{path} has no module `{main}`, which its settings call the main one")]
    MainMissing { path: PathBuf, main: String },
    #[error("`{name}` is the name of {}: one of them has to go", listed(paths))]
    SeveralOfOneName { name: String, paths: Vec<PathBuf> },
    #[error("{path} is over {} MB", MAX_SCRIPT_BYTES / (1024 * 1024))]
    TooLarge { path: PathBuf },
}

fn listed(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and of ")
}

impl Script {
    /// The script of a folder, or of one file that is the only module.
    pub fn load(name: &str, path: &Path, generation: u64) -> Result<Script, ScriptError> {
        let mut left = MAX_SCRIPT_BYTES;
        if path.is_file() {
            let main = MAIN[0].to_owned();
            let content = read(path, &mut left)?;
            let modules = vec![Module { name: main.clone(), kind: ModuleKind::EsModule, content }];
            let settings = Settings::default();
            let started = OnceLock::new();
            return Ok(Script { name: name.to_owned(), generation, main, modules, settings, started });
        }
        let settings = settings(&path.join(SETTINGS_FILE))?;
        let mut modules = Vec::new();
        for file in files(path).map_err(|source| ScriptError::Read { path: path.to_owned(), source })? {
            if let Some((name, kind)) = module_of(path, &file) {
                modules.push(Module { name, kind, content: read(&file, &mut left)? });
            }
        }
        let has = |name: &str| modules.iter().any(|module| module.name == name);
        let main = match &settings.main {
            Some(main) if has(main) => main.clone(),
            Some(main) => return Err(ScriptError::MainMissing { path: path.to_owned(), main: main.clone() }),
            None => MAIN
                .into_iter()
                .find(|main| has(main))
                .map(str::to_owned)
                .ok_or(ScriptError::NoMain { path: path.to_owned() })?,
        };
        Ok(Script { name: name.to_owned(), generation, main, modules, settings, started: OnceLock::new() })
    }
}

/// Every file that belongs to a script, in order. What hides, and what was only installed to build it, does not.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") || name == "node_modules" {
                continue;
            }
            if entry.path().is_dir() {
                if !leads_back(&entry)? {
                    folders.push(entry.path());
                }
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a folder is a link to one that it lies in: that would have no end.
fn leads_back(folder: &fs::DirEntry) -> io::Result<bool> {
    if !folder.file_type()?.is_symlink() {
        return Ok(false);
    }
    let (path, to) = (folder.path(), fs::canonicalize(folder.path())?);
    Ok(path.parent().map(fs::canonicalize).transpose()?.is_some_and(|within| within.starts_with(to)))
}

fn settings(path: &Path) -> Result<Settings, ScriptError> {
    match fs::read(path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|source| ScriptError::Settings { path: path.to_owned(), source })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Settings::default()),
        Err(source) => Err(ScriptError::Read { path: path.to_owned(), source }),
    }
}

/// The kind of a module by wrangler's default rules; other files are not uploaded.
fn module_of(folder: &Path, file: &Path) -> Option<(String, ModuleKind)> {
    let name = file.strip_prefix(folder).ok()?.to_str()?.to_owned();
    let kind = match file.extension()?.to_str()? {
        "js" | "mjs" => ModuleKind::EsModule,
        "cjs" => ModuleKind::CommonJs,
        "json" if name != SETTINGS_FILE => ModuleKind::Json,
        "txt" | "html" | "sql" => ModuleKind::Text,
        "bin" => ModuleKind::Data,
        "wasm" => ModuleKind::Wasm,
        _ => return None,
    };
    Some((name, kind))
}

fn read(path: &Path, left: &mut u64) -> Result<Vec<u8>, ScriptError> {
    let failed = |source| ScriptError::Read { path: path.to_owned(), source };
    let bytes = fs::metadata(path).map_err(failed)?.len();
    *left = left.checked_sub(bytes).ok_or(ScriptError::TooLarge { path: path.to_owned() })?;
    fs::read(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::{super::testing::Folder, *};

    #[test]
    fn a_folder_is_its_modules_and_its_settings() {
        let folder = Folder::new();
        folder.write("alpha/worker.js", "export default {}");
        folder.write("alpha/lib/data.json", "[]");
        folder.write("alpha/readme.md", "not a module");
        folder.write("alpha/node_modules/x/index.js", "not a module of the tenant");
        folder.write("alpha/tenant.json", r#"{"compatibility_date":"2026-01-01","vars":{"A":"x","B":[1]}}"#);
        let script = Script::load("alpha", &folder.path().join("alpha"), 3).unwrap();
        assert_eq!((script.main.as_str(), script.generation), ("worker.js", 3));
        assert_eq!(script.modules.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["lib/data.json", "worker.js"]);
        assert_eq!(script.settings.compatibility_date, "2026-01-01");
        assert_eq!(script.settings.vars["B"], serde_json::json!([1]));
    }

    #[test]
    fn a_link_to_where_it_lies_has_an_end() {
        let folder = Folder::new();
        folder.write("alpha/index.js", "export default {}");
        folder.write("shared/lib.js", "");
        std::os::unix::fs::symlink(".", folder.path().join("alpha/self")).unwrap();
        std::os::unix::fs::symlink("../shared", folder.path().join("alpha/lib")).unwrap();
        let alpha = folder.path().join("alpha");
        assert_eq!(files(&alpha).unwrap(), [alpha.join("index.js"), alpha.join("lib/lib.js")]);
    }

    #[test]
    fn a_single_file_is_a_script() {
        let folder = Folder::new();
        folder.write("beta.js", "export default {}");
        let script = Script::load("beta", &folder.path().join("beta.js"), 1).unwrap();
        assert_eq!((script.modules.len(), script.main.as_str()), (1, "index.mjs"));
    }

    #[test]
    fn what_cannot_be_deployed_says_why() {
        let folder = Folder::new();
        let load = |name: &str| Script::load(name, &folder.path().join(name), 1).unwrap_err();
        folder.write("empty/readme.md", "");
        assert!(matches!(load("empty"), ScriptError::NoMain { .. }));
        folder.write("odd/tenant.json", r#"{"compatibilityDate":"2026-01-01"}"#);
        assert!(matches!(load("odd"), ScriptError::Settings { .. }));
        folder.write("lost/tenant.json", r#"{"main":"src/index.js"}"#);
        assert!(matches!(load("lost"), ScriptError::MainMissing { .. }));
        assert!(matches!(load("gone"), ScriptError::Read { .. }));
    }
}
