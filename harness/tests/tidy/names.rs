//! Names of public types that stand in more than one crate.
//!
//! Surprising constraint: there are many, and most cannot be confused, for no file imports both. Their number may fall and never
//! rise, so whoever makes it smaller writes the new one down.

use super::texts;
use std::collections::{BTreeMap, BTreeSet};

/// The most names that public types of two crates share.
const MOST_SHARED: usize = 170;

/// Words before the name of a type that others may use.
const KINDS: [&str; 4] = ["pub struct ", "pub enum ", "pub trait ", "pub type "];

#[test]
fn no_more_names_are_shared_by_types_of_two_crates_than_before() {
    let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in texts("rs") {
        let Some((of, file)) = path.split_once("/src/") else { continue };
        if file.contains("tests") || file.contains("testing") {
            continue;
        }
        for name in types(&text) {
            crates.entry(name.to_owned()).or_default().insert(of.to_owned());
        }
    }
    let shared: Vec<_> = crates.iter().filter(|(_, of)| of.len() > 1).map(|(name, _)| name.as_str()).collect();
    assert!(crates.len() > 500, "the names were not read: {}", crates.len());
    assert!(shared.len() <= MOST_SHARED, "{} names stand in two crates or more: {}", shared.len(), shared.join(", "));
}

/// The public types at a file's own level, its tests left out.
fn types(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let named = |line: &'_ str| KINDS.iter().find_map(|kind| Some(kind.len()).filter(|_| line.starts_with(kind)));
    code.lines().filter_map(move |line| {
        let rest = &line[named(line)?..];
        rest.split(|letter: char| !letter.is_alphanumeric()).next()
    })
}

#[test]
fn a_type_is_read_where_it_is_public_and_no_test() {
    let text = "pub struct One<T>;\nstruct Two;\n    pub enum Three {}\npub trait Four: X {}\n#[cfg(test)]\nmod tests {\npub enum Five {}";
    assert_eq!(types(text).collect::<Vec<_>>(), ["One", "Four"]);
}
