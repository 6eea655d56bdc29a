//! What holds for all judges.

use super::{testing::*, *};
use reports::{level::Level, verdict::Verdict};
use std::{collections::BTreeSet, path::Path};

#[test]
fn the_rules_are_those_of_the_checkers() {
    let rules: Vec<_> = RULES.iter().map(|rule| rule.checker).collect();
    let checkers: Vec<_> = Checker::CATALOGUE.iter().map(|listed| listed.name).collect();
    assert_eq!(rules, checkers);
    for (rule, listed) in RULES.iter().zip(&Checker::CATALOGUE) {
        let (id, _) = listed.says.split_once(": ").expect("the rule comes first");
        assert_eq!(rule.id, id.trim_end_matches("-…"));
    }
}

#[test]
fn a_hint_names_a_file_that_is_there() {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a member of its workspace, below the harness");
    let missing: BTreeSet<_> =
        RULES.iter().map(|rule| rule.hint.look_at).filter(|file| !root.join(file).is_file()).collect();
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn a_judge_that_panics_is_unknown() {
    let finding = unless_it_panics(|| panic!("index out of bounds"));
    assert_eq!(finding.verdict, Verdict::Unknown);
    assert_eq!(finding.detail, "the judge panicked: index out of bounds");
    let formatted = unless_it_panics(|| panic!("{} events", 3));
    assert_eq!(formatted.detail, "the judge panicked: 3 events");
}

#[test]
fn a_check_says_what_it_rests_on_and_shows_the_fewest_events() {
    let musts = [Must::of_the_file("MONEY-1".to_owned(), Checker::SettleAtMostOnce, None, 0)];
    let twice =
        Story::new().settled("p1", "primary").transfer("p1", "standby").served("p1").settle("p1", "primary", YES);
    let checks = judge(&musts, &twice.history());
    let money = checks.iter().find(|check| check.id == "MONEY-1").expect("it is held");
    assert_eq!((money.verdict, money.level), (Verdict::Fail, Level::Must));
    assert!(money.sources.iter().any(|source| source.contains("x402-foundation/x402#803")), "{:?}", money.sources);
    assert!(!money.hint.cause.is_empty());
    let witness = money.witness.as_ref().expect("a fail has one");
    let lines: Vec<_> = witness.events.iter().map(|event| event.line).collect();
    assert_eq!((lines, witness.others.len()), (vec![2, 4], 1));
    assert!(witness.events[1].text.starts_with("at 3.000 s, money moves: 10000 of payment p1"), "{witness:?}");
}
