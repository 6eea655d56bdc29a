//! Folders: the checkout that a command works in, the one that runs are kept in, and those that hold secrets.
//!
//! Surprising constraint: a checkout may be copied, and its binary run elsewhere. So where things are is looked up from the
//! working directory and then from the program's own file, and the folder that the program was compiled in comes last.

use std::{
    env, fs,
    fs::{DirBuilder, File, OpenOptions, Permissions},
    io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

/// A file that every checkout has: the dispatcher is built from there.
const CHECKOUT: &str = "dispatcher/worker/wrangler.jsonc";

/// A file that every folder with the scenarios has.
const SCENARIOS: &str = "scenarios/outage.toml";

/// The modes that let the owner in alone.
const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;
const OF_OTHERS: u32 = 0o077;

static RUNS: OnceLock<PathBuf> = OnceLock::new();
static BUNDLE: OnceLock<PathBuf> = OnceLock::new();

/// Folders that nobody looks into once the command is over.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The checkout that the dispatcher is built from.
pub fn workspace_root() -> PathBuf {
    beside(CHECKOUT)
}

/// The folder that has the scenarios in `scenarios/`.
pub fn scenarios_root() -> PathBuf {
    beside(SCENARIOS)
}

/// The folder of the bundle that is to be run in place of the checkout's own.
pub fn given_bundle() -> Option<PathBuf> {
    BUNDLE.get().cloned()
}

/// Takes the bundle from there from now on. The command line says so once, before anything runs.
pub fn take_bundle_from(folder: &Path) {
    // A second call would be of a second command line, which a process does not have.
    let _ = BUNDLE.set(folder.to_owned());
}

/// The folder that runs are kept in, unless a command was told another: `runs/` beside the scenarios that were found. Never in the
/// tree that compiled the program, nor in an installation, which may be another's.
pub fn runs() -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    RUNS.get().cloned().unwrap_or_else(|| scenarios_of_ones_own().unwrap_or(here).join("runs"))
}

/// The folder that has the scenarios in `scenarios/` and is a person's own to write to: at or above the working directory, or
/// the checkout that the program is in.
pub fn scenarios_of_ones_own() -> Option<PathBuf> {
    let (here, program) = (env::current_dir().unwrap_or_default(), env::current_exe().unwrap_or_default());
    own(&here, &program)
}

fn own(here: &Path, program: &Path) -> Option<PathBuf> {
    find(&[here], SCENARIOS).or_else(|| find(&[program], CHECKOUT).filter(|root| !root.join("prebuilt").is_dir()))
}

/// Keeps runs there from now on. The command line says so once, before anything runs.
pub fn keep_runs_in(folder: &Path) {
    // A second call would be of a second command line, which a process does not have.
    let _ = RUNS.set(folder.to_owned());
}

/// Has the folder removed even if the command is ended before it can do so.
pub fn is_temporary(folder: &Path) {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).push(folder.to_owned());
}

/// Removes what is temporary, for a process that is about to end. What is still in use may stay in part.
pub fn remove_temporary() {
    for folder in TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let _in_use = remove_if_there(&folder);
    }
}

fn beside(marker: &str) -> PathBuf {
    let (here, program) = (env::current_dir().unwrap_or_default(), env::current_exe().unwrap_or_default());
    let compiled_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    find(&[&here, &program, compiled_in], marker).unwrap_or_else(|| {
        compiled_in.ancestors().nth(2).expect("this crate stands below the harness, in its workspace").to_owned()
    })
}

/// The first folder, at or above one of these paths, that has the file.
fn find(starts: &[&Path], marker: &str) -> Option<PathBuf> {
    let has_it = |folder: &&Path| folder.is_absolute() && folder.join(marker).is_file();
    starts.iter().find_map(|start| start.ancestors().find(has_it)).map(Path::to_owned)
}

/// Makes a folder for the owner alone, with those above it that are missing.
pub fn make_private(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Tells whether a folder is the owner's alone. An empty one is made so.
pub fn is_private(folder: &Path) -> io::Result<bool> {
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & OF_OTHERS == 0 {
        return Ok(true);
    }
    if fs::read_dir(folder)?.next().is_some() {
        return Ok(false);
    }
    fs::set_permissions(folder, Permissions::from_mode(PRIVATE_FOLDER))?;
    Ok(true)
}

/// A new, empty file for the owner alone, whatever was there before and whatever the umask.
pub fn private_file(path: &Path) -> io::Result<File> {
    private(path, OpenOptions::new().write(true).truncate(true))
}

/// A file for the owner alone, to be added to.
pub fn private_log(path: &Path) -> io::Result<File> {
    private(path, OpenOptions::new().append(true))
}

/// Writes a file for the owner alone, and the folders above it that are missing.
pub fn write_private(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_private)?;
    private_file(path)?.write_all(bytes.as_ref())
}

fn private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = options.create(true).mode(PRIVATE_FILE).open(path)?;
    // One that was there before keeps the mode that it had. Only a plain file is ours to close.
    let found = file.metadata()?;
    if found.is_file() && found.permissions().mode() & OF_OTHERS != 0 {
        file.set_permissions(Permissions::from_mode(PRIVATE_FILE))?;
    }
    Ok(file)
}

/// Removes a folder with all that is in it, if it is there.
pub fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("402claw-folders-{name}-{}", std::process::id()));
            remove_if_there(&path).unwrap();
            fs::create_dir_all(&path).unwrap();
            Self(path.canonicalize().unwrap())
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _left = fs::remove_dir_all(&self.0);
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_copied_checkout_is_found_before_the_one_that_compiled_the_program() {
        let folder = Temporary::new("find");
        let checkouts = ["compiled", "copied"].map(|name| folder.0.join(name));
        for checkout in &checkouts {
            write_private(&checkout.join(SCENARIOS), "").unwrap();
            fs::create_dir_all(checkout.join("target/debug")).unwrap();
        }
        let [compiled, copied] = &checkouts;
        let program = copied.join("target/debug/harness");
        let outside = folder.0.as_path();
        let found = |here: &Path| find(&[here, &program, &compiled.join("harness")], SCENARIOS);
        assert_eq!(found(&copied.join("scenarios")).as_ref(), Some(copied), "from within");
        assert_eq!(found(&compiled.join("target")).as_ref(), Some(compiled), "the working directory comes first");
        assert_eq!(found(outside).as_ref(), Some(copied), "then the program's own");
        let moved = Path::new("/usr/bin/harness");
        assert_eq!(find(&[outside, moved, &compiled.join("harness")], SCENARIOS).as_ref(), Some(compiled));
        assert_eq!(find(&[outside, moved], SCENARIOS), None);
    }

    #[test]
    fn nothing_is_written_to_an_installation_or_to_the_tree_that_compiled_the_program() {
        let folder = Temporary::new("own");
        let installed = folder.0.join("opt");
        for file in [SCENARIOS, CHECKOUT, "prebuilt/dispatcher/index.js"] {
            write_private(&installed.join(file), "").unwrap();
        }
        let (program, work) = (installed.join("bin/harness"), folder.0.join("work"));
        fs::create_dir_all(&work).unwrap();
        assert_eq!(own(&work, &program), None);
        write_private(&work.join(SCENARIOS), "").unwrap();
        assert_eq!(own(&work, &program), Some(work));
    }

    #[test]
    fn what_is_private_is_so_from_its_first_moment_and_whatever_was_there() {
        let folder = Temporary::new("private");
        let deep = folder.0.join("a/b/secret");
        write_private(&deep, "s").unwrap();
        assert_eq!((mode(&deep), mode(&folder.0.join("a")), mode(&folder.0.join("a/b"))), (0o600, 0o700, 0o700));

        let open = folder.0.join("open");
        fs::write(&open, "old").unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o644)).unwrap();
        private_log(&open).unwrap().write_all(b" and new").unwrap();
        assert_eq!((mode(&open), fs::read_to_string(&open).unwrap().as_str()), (0o600, "old and new"));
    }

    #[test]
    fn an_empty_folder_is_made_private_and_a_used_one_is_left() {
        let folder = Temporary::new("used");
        fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).unwrap();
        assert!(is_private(&folder.0).unwrap());
        assert_eq!(mode(&folder.0), 0o700);
        fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.0.join("x"), "").unwrap();
        assert!(!is_private(&folder.0).unwrap());
        assert_eq!(mode(&folder.0), 0o755);
    }
}
