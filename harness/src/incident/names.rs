//! Names for the ids of a log. What operators call tenants and facilitators need not be a scenario's name, and ids that
//! differ may come to the same one: an id that is a name already keeps it, whoever else would come to it.

use scenario::{Name, limits::MAX_NAME_BYTES};
use std::collections::{BTreeMap, BTreeSet};

/// By id, each with a name of its own. Where nothing of an id remains, it is called after its `kind`.
#[must_use]
pub fn of(ids: &[String], kind: &str) -> BTreeMap<String, String> {
    let (fine, others): (Vec<_>, Vec<_>) = ids.iter().partition(|id| Name::new(id).is_some());
    let mut taken: BTreeSet<String> = fine.iter().map(|id| (*id).clone()).collect();
    let mut names: BTreeMap<String, String> = fine.iter().map(|id| ((*id).clone(), (*id).clone())).collect();
    for id in others {
        names.entry(id.clone()).or_insert_with(|| {
            let name = free(&words(id), kind, &taken);
            taken.insert(name.clone());
            name
        });
    }
    names
}

/// The part of an id that a name may hold, with a hyphen for each run of what it may not.
fn words(id: &str) -> String {
    let id = id.to_ascii_lowercase();
    let words = id.split(|letter: char| !(letter.is_ascii_lowercase() || letter.is_ascii_digit()));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

fn free(words: &str, kind: &str, taken: &BTreeSet<String>) -> String {
    let plain = cut(words, MAX_NAME_BYTES);
    if !plain.is_empty() && !taken.contains(plain) {
        return plain.to_owned();
    }
    let (base, first) = if words.is_empty() { (kind, 1_u64) } else { (words, 2) };
    let numbered = |n: u64| {
        let number = format!("-{n}");
        format!("{}{number}", cut(base, MAX_NAME_BYTES - number.len()))
    };
    (first..).map(numbered).find(|name| !taken.contains(name)).expect("numbers do not run out")
}

/// `words` has one byte for each letter, so that any place will do; no name ends in a hyphen.
fn cut(words: &str, most: usize) -> &str {
    words[..words.len().min(most)].trim_end_matches('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_gets_a_name_of_its_own() {
        let long = format!("{}_{}", "a".repeat(62), "b".repeat(9));
        let longer = format!("{long}c");
        let ids = ["acme_shop", "Acme Shop", "acme-shop", "x402.org", "CDP", "__", "店", "primary", &long, &longer];
        let ids = ids.map(str::to_owned);
        let names = of(&ids, "tenant");
        let found: Vec<_> = ids.iter().map(|id| names[id].as_str()).collect();
        let a62 = "a".repeat(62);
        let a61 = format!("{}-2", "a".repeat(61));
        assert_eq!(
            found,
            [
                "acme-shop-2",
                "acme-shop-3",
                "acme-shop",
                "x402-org",
                "cdp",
                "tenant-1",
                "tenant-2",
                "primary",
                a62.as_str(),
                a61.as_str()
            ]
        );
        assert!(found.iter().all(|name| Name::new(name).is_some()), "{found:?}");
    }
}
