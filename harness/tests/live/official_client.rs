//! The official TypeScript client pays a tenant of a served world and gets its content.

use crate::{harness::turn, served::Served};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The client's packages, installed once per lock file.
fn installed() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/official-client");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("official-client");
    let lock = fs::read(source.join("package-lock.json")).unwrap();
    fs::create_dir_all(&folder).unwrap();
    fs::copy(source.join("pay.mjs"), folder.join("pay.mjs")).unwrap();
    let done = folder.join("installed-lock.json");
    if fs::read(&done).ok().as_ref() != Some(&lock) {
        eprintln!("installing the official client with npm ci (once, about 15 s, 92 MB)");
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
    folder
}

#[test]
fn the_official_typescript_client_pays_and_gets_the_content() {
    let _turn = turn();
    let folder = installed();
    let served = Served::start();
    let output = Command::new("node")
        .arg("pay.mjs")
        .arg(format!("{}/t/acme/quote?symbol=X", served.url))
        .current_dir(&folder)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let got: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(got["status"], 200, "{got}");
    assert_eq!(got["receipt"]["success"], true);
    assert_eq!(got["receipt"]["network"], "eip155:84532");
    assert_eq!(got["receipt"]["payer"], got["payer"]);
    assert!(got["body"].as_str().unwrap().contains("/quote?symbol=X"), "{got}");
}
