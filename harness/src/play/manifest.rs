//! What a run was made with, kept beside its events: enough to judge it again without the world it came from, to run it
//! again elsewhere, and to say where two machines differ.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the manifest. Raised when a field changes its meaning or goes away; new fields do not raise it.
pub const MANIFEST_SCHEMA: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    /// Version of the harness.
    pub harness: String,
    /// Version of the event lines.
    pub events: u32,
    pub scenario: String,
    /// The name or path under which a person asked for the scenario.
    pub asked_for: String,
    pub tier: String,
    pub seed: u64,
    /// Keccak-256 over the dispatcher's bundle, hex; absent where none was run.
    pub bundle: Option<String>,
    /// Tools by name, as `harness doctor` finds them.
    pub tools: BTreeMap<String, String>,
}

impl Manifest {
    /// In which ways a run with `here` is not a run with this: a line each.
    #[must_use]
    pub fn differences(&self, here: &Self) -> Vec<String> {
        let mut told = Vec::new();
        let mut compare = |what: &str, then: Option<&str>, now: Option<&str>| {
            if then != now {
                let (then, now) = (then.unwrap_or("none"), now.unwrap_or("none"));
                told.push(format!("{what}: {then} then, {now} here"));
            }
        };
        compare("harness", Some(&self.harness), Some(&here.harness));
        compare("event schema", Some(&self.events.to_string()), Some(&here.events.to_string()));
        compare("dispatcher bundle", self.bundle.as_deref(), here.bundle.as_deref());
        let names: std::collections::BTreeSet<_> = self.tools.keys().chain(here.tools.keys()).collect();
        for name in names {
            compare(name, self.tools.get(name).map(String::as_str), here.tools.get(name).map(String::as_str));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_and_nothing_else() {
        let tools = |version: &str| BTreeMap::from([("wrangler".to_owned(), version.to_owned())]);
        let then = Manifest {
            schema: MANIFEST_SCHEMA,
            harness: "0.1.0".to_owned(),
            events: 1,
            scenario: "outage".to_owned(),
            asked_for: "outage".to_owned(),
            tier: "live".to_owned(),
            seed: 42,
            bundle: Some("aa".to_owned()),
            tools: tools("4.156.0"),
        };
        assert_eq!(then.differences(&then), Vec::<String>::new());
        let here = Manifest { bundle: None, tools: tools("5.0.0"), seed: 7, ..then.clone() };
        let told = ["dispatcher bundle: aa then, none here", "wrangler: 4.156.0 then, 5.0.0 here"];
        assert_eq!(then.differences(&here), told);
    }
}
