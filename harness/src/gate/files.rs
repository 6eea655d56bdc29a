//! The files that would be deployed: a built bundle, and the configuration that goes with it.

use super::GateError;
use gate::FileDigest;
use std::{
    fs,
    path::{Path, PathBuf},
};
use system::folders::{make_private, write_private};

/// The kinds of files that a deploy sends; whatever else a build leaves beside them is not.
const DEPLOYED: [&str; 2] = ["js", "wasm"];
const ENTRY: &str = "index.js";
const WASM: &str = "index_bg.wasm";

/// A bundle's files, each with its content.
pub type BundleFiles = Vec<(String, Vec<u8>)>;

/// Reads the bundle in a folder, in the order of its paths.
pub fn bundle_files(folder: &Path) -> Result<BundleFiles, GateError> {
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    files.sort();
    let has = |name: &str| files.iter().any(|(path, _)| path == name);
    if has(ENTRY) && has(WASM) { Ok(files) } else { Err(GateError::NoBundle { path: folder.to_owned() }) }
}

fn collect(root: &Path, folder: &Path, into: &mut BundleFiles) -> Result<(), GateError> {
    let failed = |source| GateError::Read { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(root, &path, into)?;
        } else if path.extension().is_some_and(|extension| DEPLOYED.iter().any(|deployed| extension == *deployed)) {
            let content = fs::read(&path).map_err(|source| GateError::Read { path: path.clone(), source })?;
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            into.push((name, content));
        }
    }
    Ok(())
}

/// Writes a copy, and gives its entry.
pub fn copy_bundle(files: &BundleFiles, into: &Path) -> Result<PathBuf, GateError> {
    make_private(into).map_err(|source| GateError::Write { path: into.to_owned(), source })?;
    for (name, content) in files {
        let path = into.join(name);
        write_private(&path, content).map_err(|source| GateError::Write { path, source })?;
    }
    Ok(into.join(ENTRY))
}

/// The configuration that is deployed with a bundle, by its file's name.
pub fn config_files(wrangler_jsonc: &Path) -> Result<Vec<FileDigest>, GateError> {
    let content = fs::read(wrangler_jsonc);
    let content = content.map_err(|source| GateError::Read { path: wrangler_jsonc.to_owned(), source })?;
    let name = wrangler_jsonc.file_name().unwrap_or_default().to_string_lossy();
    Ok(vec![FileDigest::of(&name, &content)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use system::folders::remove_if_there;

    #[test]
    fn a_copy_has_the_digests_of_what_it_was_made_of() {
        let folder = std::env::temp_dir().join(format!("402claw-gate-files-{}", std::process::id()));
        remove_if_there(&folder).expect("it is ours");
        let built = folder.join("build");
        for (name, text) in [(ENTRY, "js"), (WASM, "wasm"), ("worker/shim.js", "more"), (".made-from", "stamp")] {
            write_private(&built.join(name), text).expect("there is room");
        }
        let files = bundle_files(&built).expect("it is a bundle");
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [ENTRY, WASM, "worker/shim.js"]);
        let copy = folder.join("copy");
        assert_eq!(copy_bundle(&files, &copy).expect("there is room"), copy.join(ENTRY));
        assert_eq!(bundle_files(&copy).expect("it is a bundle"), files);
        fs::remove_file(copy.join(WASM)).expect("it is there");
        assert!(matches!(bundle_files(&copy), Err(GateError::NoBundle { .. })));
        fs::remove_dir_all(folder).expect("it is ours");
    }
}
