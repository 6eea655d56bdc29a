//! What must hold of all that the users did: that each journey was walked, that nothing was answered wrongly, and that the books
//! balance between users and chain.

use std::collections::BTreeSet;

use gate::{CheckRecord, Outcome};
use reports::{report::Check, verdict::Verdict};

use super::shared::Books;
use crate::{open, report::Latency, server::check};

/// By the users' own account.
pub fn of_users(books: &Books, most_wrong: f64, journeys: &[&str]) -> Vec<CheckRecord> {
    let Books { requests, wrong, first_wrong, walked, .. } = books;
    let share = *wrong as f64 / (*requests).max(1) as f64;
    let first = first_wrong.as_deref().map(|first| format!(", the first: {first}")).unwrap_or_default();
    let errors = if share > most_wrong { Outcome::Fail } else { Outcome::Pass };
    let idle: Vec<&str> = journeys.iter().copied().filter(|journey| !walked.contains_key(journey)).collect();
    let told: Vec<String> = walked.iter().map(|(journey, count)| format!("{journey} {count}")).collect();
    vec![
        check(
            "LOAD-ERRORS",
            "the share of wrong answers is within its budget",
            errors,
            format!("{wrong} of {requests} answers were wrong{first}"),
        ),
        check(
            "LOAD-JOURNEYS",
            "every journey was walked to its end",
            if idle.is_empty() { Outcome::Pass } else { Outcome::Unknown },
            if idle.is_empty() { told.join(", ") } else { format!("nobody walked {}", idle.join(", ")) },
        ),
    ]
}

/// `moved` are the payments whose money moved, by the chain.
pub fn of_chain(books: &Books, moved: &BTreeSet<String>) -> CheckRecord {
    let served: BTreeSet<&String> = books.served.iter().collect();
    let given_up: BTreeSet<&String> = books.given_up.iter().collect();
    let unpaid: Vec<&&String> = served.iter().filter(|payment| !moved.contains(**payment)).collect();
    let lost: Vec<&String> = moved.iter().filter(|payment| !served.contains(payment)).collect();
    let charged = lost.iter().filter(|payment| given_up.contains(**payment)).count();
    let outcome = match () {
        () if served.is_empty() => Outcome::Unknown,
        () if unpaid.is_empty() && lost.is_empty() => Outcome::Pass,
        () => Outcome::Fail,
    };
    let detail = format!(
        "{} payments moved money and {} were served; {} served without money, {} moved money and were never served, {charged} of them \
         for what is refused",
        moved.len(),
        served.len(),
        unpaid.len(),
        lost.len()
    );
    check("LOAD-BOOKS", "whoever paid was served, and nobody else", outcome, detail)
}

/// A rule of the harness, as the load tests tell theirs.
pub fn of_rule(rule: &Check) -> CheckRecord {
    let outcome = match rule.verdict {
        Verdict::Pass => Outcome::Pass,
        Verdict::Fail => Outcome::Fail,
        Verdict::Unknown => Outcome::Unknown,
    };
    let detail = rule.witness.as_ref().map_or(&rule.detail, |witness| &witness.what);
    check(&rule.id, &rule.name, outcome, detail.clone())
}

pub fn latencies(books: &Books) -> Vec<Latency> {
    let of = |((route, tenant, phase), took): (&super::shared::Key, &hdrhistogram::Histogram<u64>)| {
        let at = open::quantiles(took)?;
        let [server, route, tenant, phase] = ["live", route, tenant, phase].map(|word| word.to_owned());
        Some(Latency { server, route, tenant, phase, count: took.len(), at })
    };
    books.took.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(served: &[&str], given_up: &[&str]) -> Books {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Books { served: own(served), given_up: own(given_up), ..Books::default() }
    }

    #[test]
    fn who_was_charged_and_never_served_is_missed() {
        let moved = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(of_chain(&books(&["a", "b"], &[]), &moved(&["a", "b"])).outcome, Outcome::Pass);
        assert_eq!(of_chain(&books(&["a"], &["b"]), &moved(&["a", "b"])).outcome, Outcome::Fail);
        assert_eq!(of_chain(&books(&["a", "b"], &[]), &moved(&["a"])).outcome, Outcome::Fail);
        assert_eq!(of_chain(&books(&[], &[]), &moved(&[])).outcome, Outcome::Unknown);
    }

    #[test]
    fn a_journey_that_nobody_walked_is_no_pass() {
        let mut seen = books(&[], &[]);
        seen.walked.insert("browse", 1);
        let outcome = |journeys: &[&str]| of_users(&seen, 0.0, journeys)[1].outcome;
        assert_eq!(outcome(&["browse"]), Outcome::Pass);
        assert_eq!(outcome(&["browse", "buy"]), Outcome::Unknown);
    }
}
