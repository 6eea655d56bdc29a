//! What is told to the dispatcher alone is seen nowhere else: not in its log, not in what the harness writes down.

use crate::harness::{report, turn};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The file from which wrangler reads the secrets: the one file that has them.
const SECRETS: &str = ".dev.vars";

#[test]
fn a_facilitators_key_and_the_platform_token_are_in_no_log_and_no_event() {
    let _turn = turn();
    let (report, code) = report("facilitator-needs-auth");
    assert_eq!(code, 0, "every sale needs the key, so the key was sent: {report}");
    let run = Path::new(report["run_dir"].as_str().unwrap());
    let secrets = fs::read_to_string(run.join(SECRETS)).unwrap();
    let value = |line: &str| line.split_once('=').map(|(_, value)| value.trim_matches(['\'', '`', '"']).to_owned());
    let secrets: Vec<_> = secrets.lines().map(|line| value(line).expect("a name, and a value in quotes")).collect();
    assert_eq!(secrets.len(), 2);
    let files = files_under(run);
    assert!(files.iter().any(|file| file.ends_with("wrangler.log")));
    for file in files.iter().filter(|file| !file.ends_with(SECRETS)) {
        let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
        assert!(!secrets.iter().any(|secret| text.contains(secret.as_str())), "{} has a secret", file.display());
    }
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}
