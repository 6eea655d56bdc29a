//! The copy of the workspace's sources that has the bugs in it. It stands below `target`, so that no build for use and no
//! commit can meet it, and a file whose text stays is not written again, so that cargo compiles only what changed.

use super::{CRATES, Texts};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The copy, from the workspace's folder.
const COPY: &str = "target/selftest/src";

/// The folders and files that are copied: everything that the harness and the Worker are built from, and what a
/// self-test reads.
const PARTS: [&str; 8] =
    ["Cargo.toml", "Cargo.lock", "clippy.toml", "dispatcher", "harness", "loadtests", "reports", "scenarios"];

/// Folders that builds and tools write to, in the sources and in the copy.
const NOT_SOURCE: [&str; 4] = ["build", "target", "node_modules", ".wrangler"];

/// The harness's manifest.
const MANIFEST: &str = "harness/Cargo.toml";

/// The workspace's manifest.
const WORKSPACE: &str = "Cargo.toml";

/// The program that the copy's harness is. It has a name of its own, because the two share cargo's target folder.
pub const PROGRAM: &str = "harness-selftest";

/// The copy of a workspace.
pub fn folder(workspace: &Path) -> PathBuf {
    workspace.join(COPY)
}

/// The sources in which bugs can be planted.
pub fn sources(workspace: &Path) -> io::Result<Texts> {
    let mut texts = Texts::new();
    for of in &CRATES {
        for file in files(workspace, of.sources.trim_end_matches('/'))? {
            if file.ends_with(".rs") {
                texts.insert(file.clone(), read(fs::read_to_string, &workspace.join(&file))?);
            }
        }
    }
    Ok(texts)
}

/// Brings the copy up to date, with these texts in the place of the workspace's.
pub fn write(workspace: &Path, planted: &Texts) -> io::Result<()> {
    let copy = folder(workspace);
    let mut wanted = Vec::new();
    for part in PARTS {
        wanted.extend(files(workspace, part)?);
    }
    for file in &wanted {
        let bytes = match planted.get(file) {
            Some(text) => text.clone().into_bytes(),
            None if file == MANIFEST => manifest(&read(fs::read_to_string, &workspace.join(file))?)?.into_bytes(),
            None if file == WORKSPACE => quiet(&read(fs::read_to_string, &workspace.join(file))?).into_bytes(),
            None => read(fs::read, &workspace.join(file))?,
        };
        let to = copy.join(file);
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(&copy))?;
        fs::write(&to, bytes)?;
    }
    for part in PARTS {
        if copy.join(part).exists() {
            for file in files(&copy, part)?.iter().filter(|file| !wanted.contains(file)) {
                fs::remove_file(copy.join(file))?;
            }
        }
    }
    Ok(())
}

/// The harness's manifest with a program of another name.
fn manifest(text: &str) -> io::Result<String> {
    let package = "[package]\n";
    if !text.starts_with(package) {
        let why = format!("{MANIFEST} does not begin with [package]");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let rest = text.replacen(package, "[package]\nautobins = false\n", 1);
    // The copy has one program, and not the one that `cargo run` is to choose.
    let rest: String = rest.split_inclusive('\n').filter(|line| !line.starts_with("default-run")).collect();
    Ok(format!("{rest}\n[[bin]]\nname = \"{PROGRAM}\"\npath = \"src/main.rs\"\n"))
}

/// The workspace's manifest without warnings: wrong code leaves names unused, and an error would drown among them.
fn quiet(text: &str) -> String {
    let lints = "[workspace.lints.rust]\n";
    text.replacen(lints, &format!("{lints}warnings = {{ level = \"allow\", priority = -1 }}\n"), 1)
}

/// The files at and below a path, which is from `root`, as are they.
fn files(root: &Path, path: &str) -> io::Result<Vec<String>> {
    let at = root.join(path);
    if !at.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in read(fs::read_dir, &at)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| !NOT_SOURCE.contains(name)) else { continue };
        found.extend(files(root, &format!("{path}/{name}"))?);
    }
    found.sort();
    Ok(found)
}

/// An error says which file it is about.
fn read<T>(how: impl Fn(PathBuf) -> io::Result<T>, path: &Path) -> io::Result<T> {
    how(path.to_owned()).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use system::folders::remove_if_there;

    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let root = std::env::temp_dir().join(format!("harness-copy-test-{}-{test}", std::process::id()));
            remove_if_there(&root).expect("it is ours");
            let folder = Self(root);
            for part in PARTS {
                folder.put(&format!("{part}{}", if part.contains('.') { "" } else { "/keep" }), part);
            }
            folder.put(MANIFEST, "[package]\nname = \"harness\"\ndefault-run = \"harness\"\n");
            folder
        }

        fn put(&self, file: &str, text: &str) {
            let path = self.0.join(file);
            fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("it is ours");
            fs::write(path, text).expect("it is ours");
        }

        fn copied(&self, file: &str) -> Option<String> {
            fs::read_to_string(folder(&self.0).join(file)).ok()
        }

        fn write(&self, planted: &[(&str, &str)]) {
            let planted = planted.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
            write(&self.0, &planted).expect("it is ours");
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = remove_if_there(&self.0);
        }
    }

    #[test]
    fn a_copy_has_the_sources_the_planted_texts_and_nothing_that_is_gone() {
        let root = Folder::new("follows");
        for file in ["dispatcher/core/src/a.rs", "dispatcher/core/src/b.rs", "dispatcher/worker/build/index.js"] {
            root.put(file, "right");
        }
        root.write(&[("dispatcher/core/src/a.rs", "wrong")]);
        assert_eq!(root.copied("dispatcher/core/src/a.rs").as_deref(), Some("wrong"));
        assert_eq!(root.copied("dispatcher/core/src/b.rs").as_deref(), Some("right"));
        assert_eq!(root.copied("dispatcher/worker/build/index.js"), None, "no source");

        fs::remove_file(root.0.join("dispatcher/core/src/b.rs")).expect("it is ours");
        fs::create_dir_all(folder(&root.0).join("dispatcher/worker/build")).expect("it is ours");
        fs::write(folder(&root.0).join("dispatcher/worker/build/index.js"), "built").expect("it is ours");
        root.write(&[]);
        assert_eq!(root.copied("dispatcher/core/src/a.rs").as_deref(), Some("right"));
        assert_eq!(root.copied("dispatcher/core/src/b.rs"), None);
        assert_eq!(root.copied("dispatcher/worker/build/index.js").as_deref(), Some("built"), "the copy's own build");
    }

    #[test]
    fn a_file_that_stays_is_not_written_again() {
        let root = Folder::new("stays");
        root.write(&[]);
        let written =
            || fs::metadata(folder(&root.0).join("Cargo.lock")).and_then(|meta| meta.modified()).expect("it is there");
        let before = written();
        root.write(&[]);
        assert_eq!(written(), before);
    }

    #[test]
    fn the_copys_program_has_a_name_of_its_own() {
        let root = Folder::new("program");
        root.write(&[]);
        let manifest = root.copied(MANIFEST).expect("it is copied");
        let manifest: toml::Table = manifest.parse().expect("it is TOML");
        assert_eq!(manifest["package"]["autobins"].as_bool(), Some(false));
        assert!(manifest["package"].get("default-run").is_none(), "it names a program that the copy has not");
        assert_eq!(manifest["bin"][0]["name"].as_str(), Some(PROGRAM));
    }

    #[test]
    fn the_copy_is_compiled_without_warnings() {
        let root = Folder::new("quiet");
        root.put(WORKSPACE, "[workspace.lints.rust]\nunsafe_code = \"deny\"\n");
        root.write(&[]);
        let manifest: toml::Table = root.copied(WORKSPACE).expect("it is copied").parse().expect("it is TOML");
        let lints = &manifest["workspace"]["lints"]["rust"];
        assert_eq!((lints["warnings"]["level"].as_str(), lints["unsafe_code"].as_str()), (Some("allow"), Some("deny")));
    }
}
