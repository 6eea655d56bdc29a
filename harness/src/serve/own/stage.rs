//! Brings a Worker into the form that the namespace runs: plain modules as they are, TypeScript and what imports packages through
//! esbuild. A version that cannot be built changes nothing of the one before.

use serde_json::{Map, Value, json};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

use super::look::OwnWorker;
use namespace::{SETTINGS_FILE, script_files};
use system::folders::{make_private, remove_if_there, write_private};
use system::output::errln;

/// The names under which a folder's main module is looked for, unless its settings name it.
const MAIN: [&str; 8] =
    ["index.mjs", "index.js", "worker.mjs", "worker.js", "index.ts", "worker.ts", "src/index.ts", "src/index.js"];
const WRANGLER: [&str; 3] = ["wrangler.jsonc", "wrangler.json", "wrangler.toml"];
/// The keys of a wrangler configuration, and of `tenant.json`, that the namespace reads.
const READ: [&str; 3] = ["compatibility_date", "compatibility_flags", "vars"];
/// The main module of what esbuild made.
const BUNDLE: &str = "index.mjs";

#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is not valid: {why}", path.display())]
    Settings { path: PathBuf, why: String },
    #[error("no main module: none of {}, and no `main` in {SETTINGS_FILE} or a wrangler configuration", MAIN.join(", "))]
    NoMain,
    #[error("there is no {main}, which {} calls the main module", of.display())]
    MainMissing { main: String, of: PathBuf },
    #[error("esbuild cannot be run: {0}")]
    Esbuild(io::Error),
    #[error("it cannot be built:\n{0}")]
    Built(String),
}

/// Makes the folder that the namespace looks at.
#[derive(Clone, Debug)]
pub struct Stager {
    pub esbuild: PathBuf,
    /// The namespace's.
    pub to: PathBuf,
    /// Beside it.
    pub scratch: PathBuf,
}

/// The modules of a Worker.
#[derive(Debug, PartialEq)]
struct Plan {
    main: PathBuf,
    /// For the namespace.
    settings: Map<String, Value>,
    is_built: bool,
}

impl Stager {
    /// Stages the Worker's present version.
    pub async fn stage(&self, worker: &OwnWorker) -> Result<(), StageError> {
        let plan = plan(worker)?;
        let part = self.scratch.join(&worker.name);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| StageError::File { path, source }
        };
        remove_if_there(&part).and_then(|()| make_private(&part)).map_err(failed(&part))?;
        let mut settings = plan.settings;
        let root = if worker.path.is_dir() { worker.path.clone() } else { parent(&worker.path) };
        if plan.is_built {
            self.bundle(&root, &plan.main, &part.join(BUNDLE)).await?;
            settings.insert("main".to_owned(), BUNDLE.into());
        } else {
            let files = if worker.path.is_dir() {
                script_files(&worker.path).map_err(failed(&worker.path))?
            } else {
                vec![worker.path.clone()]
            };
            for file in files {
                let within = file.strip_prefix(&root).unwrap_or(&file);
                let bytes = fs::read(&file).map_err(failed(&file))?;
                write_private(&part.join(within), bytes).map_err(failed(&file))?;
            }
            let main = plan.main.strip_prefix(&root).unwrap_or(&plan.main).display().to_string();
            settings.insert("main".to_owned(), main.into());
        }
        write_private(&part.join(SETTINGS_FILE), json!(settings).to_string()).map_err(failed(&part))?;
        make_private(&self.to).map_err(failed(&self.to))?;
        let place = self.to.join(&worker.name);
        // A look between the two sees no Worker, and only two looks that agree are a deploy.
        remove_if_there(&place).map_err(failed(&place))?;
        fs::rename(&part, &place).map_err(failed(&place))
    }

    /// Stages each, and says of those that cannot be why. Makes the namespace's folder, whatever comes of them.
    pub async fn stage_all(&self, workers: &[OwnWorker]) -> io::Result<()> {
        make_private(&self.to)?;
        for worker in workers {
            if let Err(error) = self.stage(worker).await {
                errln!("`{}` cannot run: {error}", worker.name);
            }
        }
        Ok(())
    }

    /// Takes a Worker away that is gone.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        remove_if_there(&self.to.join(name))
    }

    async fn bundle(&self, root: &Path, main: &Path, to: &Path) -> Result<(), StageError> {
        let output = Command::new(&self.esbuild)
            .arg(main)
            // What wrangler passes for a Worker.
            .args(["--bundle", "--format=esm", "--platform=neutral", "--target=es2024"])
            .args(["--main-fields=browser,module,main", "--conditions=workerd,worker,browser"])
            .args(["--external:node:*", "--external:cloudflare:*", "--log-level=warning", "--color=false"])
            .arg(format!("--outfile={}", to.display()))
            .current_dir(root)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(StageError::Esbuild)?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if output.status.success() { Ok(()) } else { Err(StageError::Built(said)) }
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new(".")).to_owned()
}

fn plan(worker: &OwnWorker) -> Result<Plan, StageError> {
    let own = worker.settings().map(|file| Ok((read_json(&file)?, file))).transpose()?;
    let is_typescript =
        |path: &Path| path.extension().is_some_and(|ext| ["ts", "mts", "tsx"].iter().any(|t| ext == *t));
    if !worker.path.is_dir() {
        let settings = own.map(|(settings, _)| only_read(&settings)).unwrap_or_default();
        let is_built = is_typescript(&worker.path);
        return Ok(Plan { main: worker.path.clone(), settings, is_built });
    }
    let wrangler = WRANGLER.iter().map(|name| worker.path.join(name)).find(|file| file.is_file());
    let wrangler = wrangler.map(|file| Ok::<_, StageError>((read_json(&file)?, file))).transpose()?;
    let mut settings = wrangler.as_ref().map(|(settings, _)| only_read(settings)).unwrap_or_default();
    settings.extend(own.iter().flat_map(|(settings, _)| only_read(settings)));
    let named = own.iter().chain(&wrangler).find_map(|(settings, file)| {
        let main = settings.get("main")?.as_str()?;
        Some((main.to_owned(), file.clone()))
    });
    let main = match named {
        Some((main, of)) => {
            let path = worker.path.join(&main);
            if !path.is_file() {
                return Err(StageError::MainMissing { main, of });
            }
            path
        }
        None => MAIN.iter().map(|main| worker.path.join(main)).find(|main| main.is_file()).ok_or(StageError::NoMain)?,
    };
    let is_built = is_typescript(&main) || worker.path.join("node_modules").is_dir();
    Ok(Plan { main, settings, is_built })
}

fn only_read(settings: &Map<String, Value>) -> Map<String, Value> {
    let read = settings.iter().filter(|(key, _)| READ.contains(&key.as_str()));
    read.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Reads JSON with comments, or TOML where the name says so.
fn read_json(file: &Path) -> Result<Map<String, Value>, StageError> {
    let text = fs::read_to_string(file).map_err(|source| StageError::File { path: file.to_owned(), source })?;
    let invalid = |why: String| StageError::Settings { path: file.to_owned(), why };
    let value: Value = if file.extension().is_some_and(|extension| extension == "toml") {
        toml::from_str(&text).map_err(|error| invalid(error.message().to_owned()))?
    } else {
        let read = jsonc_parser::parse_to_serde_value::<Value>(&text, &Default::default());
        read.map_err(|error| invalid(error.to_string()))?
    };
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(invalid("it is no object".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::look::look;
    use super::*;

    fn planned(files: &[(&str, &str)]) -> Result<Plan, StageError> {
        static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("402claw-own-stage-{}-{count}", std::process::id()));
        for (file, text) in files {
            write_private(&folder.join(file), text).unwrap();
        }
        let found = plan(&look(&folder).unwrap()[0]);
        fs::remove_dir_all(&folder).unwrap();
        found.map(|plan| Plan { main: plan.main.strip_prefix(&folder).unwrap().to_owned(), ..plan })
    }

    #[test]
    fn the_main_module_is_what_the_settings_name_or_what_is_usual() {
        let main = |files| planned(files).map(|plan| (plan.main.display().to_string(), plan.is_built)).unwrap();
        assert_eq!(main(&[("a.js", "")]), ("a.js".to_owned(), false));
        assert_eq!(main(&[("a.ts", "")]), ("a.ts".to_owned(), true));
        assert_eq!(main(&[("a/index.js", ""), ("a/lib.js", "")]), ("a/index.js".to_owned(), false));
        assert_eq!(main(&[("a/src/index.ts", "")]), ("a/src/index.ts".to_owned(), true));
        assert!(main(&[("a/index.js", ""), ("a/node_modules/x/index.js", "")]).1);
        let by_wrangler =
            [("a/wrangler.jsonc", "{ // its\n \"main\": \"app/w.ts\", \"name\": \"x\" }"), ("a/app/w.ts", "")];
        assert_eq!(main(&by_wrangler), ("a/app/w.ts".to_owned(), true));
        let by_toml = [("a/wrangler.toml", "main = \"w.js\"\ncompatibility_date = \"2026-01-01\""), ("a/w.js", "")];
        let plan = planned(&by_toml).unwrap();
        assert_eq!((plan.settings["compatibility_date"].as_str(), plan.settings.len()), (Some("2026-01-01"), 1));
    }

    #[test]
    fn what_cannot_be_run_says_why() {
        let why = |files| planned(files).unwrap_err().to_string();
        assert!(why(&[("a/readme.md", "")]).starts_with("no main module"));
        assert!(why(&[("a/index.js", ""), ("a/tenant.json", "{\"main\":\"x.ts\"}")]).starts_with("there is no x.ts"));
        assert!(why(&[("a/index.js", ""), ("a/tenant.json", "{")]).contains("tenant.json is not valid"));
    }
}
