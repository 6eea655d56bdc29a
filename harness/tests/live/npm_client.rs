//! A client from npm in a folder beside these tests: a package file, its lock, and scripts that print one JSON object. A payer's
//! is `pay.mjs`, which pays one URL and prints what came back.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub struct NpmClient {
    folder: PathBuf,
}

impl NpmClient {
    /// Installed once per lock file. `takes` is what that costs, for whoever waits.
    pub fn installed(name: &str, takes: &str) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live").join(name);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let lock = fs::read(source.join("package-lock.json")).unwrap();
        fs::create_dir_all(&folder).unwrap();
        for script in fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().path()) {
            if script.extension().is_some_and(|extension| extension == "mjs") {
                fs::copy(&script, folder.join(script.file_name().unwrap())).unwrap();
            }
        }
        let done = folder.join("installed-lock.json");
        if fs::read(&done).ok().as_ref() != Some(&lock) {
            eprintln!("installing the {name} with npm ci (once, {takes})");
            for file in ["package.json", "package-lock.json"] {
                fs::copy(source.join(file), folder.join(file)).unwrap();
            }
            let npm = Command::new("npm")
                .args(["ci", "--omit=optional", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(&folder)
                .status();
            assert!(npm.unwrap().success(), "npm ci failed");
            fs::write(done, lock).unwrap();
        }
        Self { folder }
    }

    pub fn pay(&self, url: &str) -> Value {
        self.run("pay.mjs", &[url])
    }

    /// Returns the output of a script of its folder. Whatever it unpacks, it unpacks there.
    pub fn run(&self, script: &str, arguments: &[&str]) -> Value {
        let output = Command::new("node")
            .arg(script)
            .args(arguments)
            .current_dir(&self.folder)
            .env("TMPDIR", &self.folder)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}
