//! `harness list`: what there is to run, to inject and to expect, so that a scenario can be written without reading the
//! source.

use scenario::{Checker, ClientKind, Inject, Library, LibraryError, Listed, Scenario, Selection, Tier};
use serde::Serialize;

/// The things that `harness list` lists.
#[derive(Clone, Debug)]
pub enum Listing {
    Scenarios(Selection),
    Faults,
    Clients,
    Checkers,
}

/// The title of a scenario that cannot be read.
const BROKEN: &str = "(cannot be read: `harness explain` says why)";

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub name: String,
    pub says: String,
    /// As a scenario writes it; absent of a scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// Present of a scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<ScenarioEntry>,
}

/// More of a scenario that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScenarioEntry {
    pub profile: &'static str,
    pub tags: Vec<String>,
    pub tiers: Vec<&'static str>,
    pub lasts_s: u64,
}

/// Collects what is to be listed.
pub fn entries(what: Listing, library: &Library) -> Result<Vec<Entry>, LibraryError> {
    match what {
        Listing::Scenarios(selection) => {
            let (scenarios, broken) = library.readable(&selection)?;
            let broken =
                broken.into_iter().map(|name| Entry { name, says: BROKEN.to_owned(), written: None, scenario: None });
            Ok(scenarios.iter().map(of_scenario).chain(broken).collect())
        }
        Listing::Faults => Ok(catalogue("inject", &Inject::CATALOGUE)),
        Listing::Clients => Ok(catalogue("mix", &ClientKind::CATALOGUE)),
        Listing::Checkers => Ok(catalogue("hold", &Checker::CATALOGUE)),
    }
}

fn of_scenario(scenario: &Scenario) -> Entry {
    let tiers = [Tier::Sim, Tier::Live].into_iter().filter(|tier| scenario.runs_in(*tier) && tier.runs(scenario));
    let more = ScenarioEntry {
        profile: scenario.profile().as_str(),
        tags: scenario.tags().iter().map(ToString::to_string).collect(),
        tiers: tiers.map(Tier::as_str).collect(),
        lasts_s: scenario.end().as_secs(),
    };
    let (name, says) = (scenario.id().to_string(), scenario.title().to_owned());
    Entry { name, says, written: None, scenario: Some(more) }
}

fn catalogue(key: &str, listed: &[Listed]) -> Vec<Entry> {
    let entry = |listed: &Listed| Entry {
        name: listed.name.to_owned(),
        says: listed.says.to_owned(),
        written: Some(format!("{key}.{} = {}", listed.name, listed.example)),
        scenario: None,
    };
    listed.iter().map(entry).collect()
}

/// Names with what they mean, then, where there is such a thing, the same as a scenario writes them.
#[must_use]
pub fn render(entries: &[Entry]) -> String {
    let names = aligned(entries.iter().map(|entry| (entry.name.as_str(), entry.says.as_str())));
    let written: String =
        entries.iter().filter_map(|entry| entry.written.as_ref()).map(|written| format!("  {written}\n")).collect();
    if written.is_empty() { names } else { format!("{names}\nIn a scenario:\n\n{written}") }
}

fn aligned<'a>(rows: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> String {
    let width = rows.clone().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.map(|(name, says)| format!("{name:width$}  {says}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(what: Listing) -> String {
        let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        render(&entries(what, &library).map_err(miette::Report::new).expect("the library is valid"))
    }

    #[test]
    fn scenarios_are_listed_with_their_titles() {
        let text = listed(Listing::Scenarios(Selection::default()));
        let outage = text.lines().find(|line| line.starts_with("outage ")).unwrap_or_else(|| panic!("{text}"));
        assert!(outage["outage".len()..].trim_start().starts_with("The primary facilitator "), "{outage}");
        // Aligned: every title begins in the same column.
        let column = outage.find("The primary").unwrap();
        assert!(
            text.lines().all(|line| line.as_bytes()[column - 1] == b' ' && line.as_bytes()[column] != b' '),
            "{text}"
        );
    }

    #[test]
    fn one_that_is_broken_is_marked_and_hides_no_other() {
        let folder = std::env::temp_dir().join(format!("402claw-list-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("outage.toml"), include_str!("../../../scenarios/outage.toml")).unwrap();
        std::fs::write(folder.join("broken.toml"), "garbage").unwrap();
        let list = |what| entries(what, &Library::new(&folder)).map(|entries| render(&entries));
        let text = list(Listing::Scenarios(Selection::default())).map_err(miette::Report::new).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(text.contains("outage  The primary") && text.contains("broken  (cannot be read"), "{text}");
    }

    #[test]
    fn faults_are_listed_with_what_they_do() {
        insta::assert_snapshot!(listed(Listing::Faults));
    }

    #[test]
    fn kinds_of_clients_are_listed_with_what_they_do() {
        insta::assert_snapshot!(listed(Listing::Clients));
    }

    #[test]
    fn checkers_are_listed_with_what_they_hold() {
        insta::assert_snapshot!(listed(Listing::Checkers));
    }
}
