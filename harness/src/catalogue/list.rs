//! `harness list`: what there is to run, to inject and to expect, so that a scenario can be written without reading the
//! source.

use scenario::{Checker, ClientKind, Inject, Library, LibraryError, Listed, Selection};

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

/// The text to print.
pub fn render(what: Listing, library: &Library) -> Result<String, LibraryError> {
    match what {
        Listing::Scenarios(selection) => {
            let (scenarios, broken) = library.readable(&selection)?;
            let broken = broken.iter().map(|name| (name.as_str(), BROKEN));
            Ok(aligned(scenarios.iter().map(|scenario| (scenario.id().as_str(), scenario.title())).chain(broken)))
        }
        Listing::Faults => Ok(catalogue("inject", &Inject::CATALOGUE)),
        Listing::Clients => Ok(catalogue("mix", &ClientKind::CATALOGUE)),
        Listing::Checkers => Ok(catalogue("hold", &Checker::CATALOGUE)),
    }
}

/// Names with what they mean, then the same as a scenario writes them.
fn catalogue(key: &str, listed: &[Listed]) -> String {
    let names = aligned(listed.iter().map(|listed| (listed.name, listed.says)));
    let written = listed.iter().map(|listed| format!("  {key}.{} = {}\n", listed.name, listed.example));
    format!("{names}\nIn a scenario:\n\n{}", written.collect::<String>())
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
        render(what, &library).map_err(miette::Report::new).expect("the library is valid")
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
        let list = |what| render(what, &Library::new(&folder));
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
