//! What holds of the text of all files: heads, long lines, how doc comments open, links between documents, the length of
//! sentences, and names that stand twice.
//!
//! Surprising constraint: the share of long lines is above what it should be. It may fall and never rise, so whoever makes it
//! smaller writes the new one down.

mod names;
mod sentences;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Folders that tools write to, and texts that are others'.
const NOT_OURS: [&str; 7] = ["target", "node_modules", ".git", ".wrangler", "build", "runs", "testdata"];

/// Words that open no doc comment: a reader has to wait for the noun.
const OPENINGS: [&str; 8] = ["What", "Of", "As", "So", "Who", "Where", "That", "Which"];

/// The most doc comments, of a thousand, that open with one of them.
const MOST_OPENINGS: usize = 50;

/// The most lines of Rust that are longer than 120 characters, of ten thousand. It should be 0.
const MOST_LONG: usize = 130;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the harness is a member of its workspace").to_owned()
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !NOT_OURS.contains(&name) {
                files(&path, extension, found);
            }
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
}

/// The path from the workspace's folder, and the text of each file of a kind.
fn texts(extension: &str) -> Vec<(String, String)> {
    let (root, mut found) = (root(), Vec::new());
    files(&root, extension, &mut found);
    found.sort();
    let text = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.strip_prefix(&root).expect("it was found below").display().to_string(), text)
    };
    found.into_iter().map(text).collect()
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let headless: Vec<_> = texts("rs").into_iter().filter(|(_, text)| !text.starts_with("//! ")).collect();
    let headless: BTreeSet<_> = headless.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(headless, BTreeSet::new());
}

#[test]
fn doc_comments_open_with_a_noun_or_a_verb() {
    let (mut all, mut wrong) = (0, 0);
    for (_, text) in texts("rs") {
        let mut before = "";
        for line in text.lines().map(str::trim) {
            if let Some(comment) = line.strip_prefix("/// ")
                && !before.starts_with("///")
            {
                all += 1;
                let first = comment.split([' ', ',', ':']).next().unwrap_or_default();
                wrong += usize::from(OPENINGS.contains(&first));
            }
            before = line;
        }
    }
    let of_a_thousand = wrong * 1_000 / all;
    assert!(of_a_thousand <= MOST_OPENINGS, "{wrong} of {all} open with one of {OPENINGS:?}: {of_a_thousand} of 1,000");
}

#[test]
fn lines_fit_a_screen_more_often_than_before() {
    let (mut all, mut long) = (0, 0);
    for (_, text) in texts("rs") {
        all += text.lines().count();
        long += text.lines().filter(|line| line.chars().count() > 120).count();
    }
    let of_ten_thousand = long * 10_000 / all;
    assert!(of_ten_thousand <= MOST_LONG, "{long} of {all} lines are longer than 120: {of_ten_thousand} of 10,000");
}

#[test]
fn links_in_documents_lead_to_files_that_are_there() {
    let root = root();
    let mut broken = Vec::new();
    for (path, text) in texts("md") {
        let folder = root.join(&path).parent().expect("a file is in a folder").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            let is_elsewhere =
                file.is_empty() || file.contains("://") || file.starts_with("mailto:") || file.contains(' ');
            if !is_elsewhere && !folder.join(file).exists() {
                broken.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}
