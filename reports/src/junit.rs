//! JUnit's XML, for a CI's list of tests: a suite for each run, a case for each rule. A rule that could not be judged is an
//! error there, since a skipped case would read as green; one that does not count is skipped, and says why.

use std::io::Write;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use crate::{
    report::{Check, Report},
    terminal::plain,
    verdict::Verdict,
};

/// How many events of a witness a case shows; the JSON report has all of them.
const MAX_WITNESSES: usize = 20;

pub fn render(reports: &[&Report], to: impl Write) -> Result<(), quick_junit::SerializeError> {
    let mut all = quick_junit::Report::new("harness");
    // Its default is a fresh one for each, and no two reports of one run would be alike.
    all.uuid = None;
    for report in reports {
        all.add_test_suite(suite(report));
    }
    all.serialize(to)
}

fn suite(report: &Report) -> TestSuite {
    let name = match report.tier.as_str() {
        "" => report.scenario.clone(),
        tier => format!("{} ({tier})", report.scenario),
    };
    let mut suite = TestSuite::new(name);
    for (name, value) in [
        ("title", report.title.clone()),
        ("verdict", report.verdict.as_str().to_owned()),
        ("exit-code", report.exit_code.to_string()),
        ("seed", report.seed.to_string()),
        ("run", report.run_dir.clone()),
        ("replay", report.replay.clone()),
    ] {
        suite.add_property(Property::new(name, plain(&value)));
    }
    suite.add_test_cases(report.checks.iter().map(|check| case(check, report)));
    if !is_explained(report) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message("no rule broke, but too little happened to judge by");
        suite.add_test_case(named("the run came to something", report, status));
    }
    suite
}

/// Whether the cases of its rules show what the run came to.
fn is_explained(report: &Report) -> bool {
    let counted = report.checks.iter().filter_map(|check| check.counts_as(report.gate));
    Verdict::merge(counted) == report.verdict
        && (report.verdict == Verdict::Pass || report.checks.iter().any(|check| is_red(check, report)))
}

fn is_red(check: &Check, report: &Report) -> bool {
    check.counts_as(report.gate).is_some_and(|verdict| verdict != Verdict::Pass)
}

fn case(check: &Check, report: &Report) -> TestCase {
    let mut status = match (check.counts_as(report.gate), check.verdict) {
        (Some(Verdict::Fail), _) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        (Some(Verdict::Unknown), _) => TestCaseStatus::non_success(NonSuccessKind::Error),
        (None, Verdict::Pass) => TestCaseStatus::success(),
        (Some(Verdict::Pass), Verdict::Pass) => TestCaseStatus::success(),
        // A failure that is known, or one that is weaker than the gate.
        _ => TestCaseStatus::skipped(),
    };
    let mut message = plain(&check.detail);
    if let Some(known) = &check.known {
        message = format!("{message} (known until {}, {})", plain(&known.until), plain(&known.owner));
    }
    if !matches!(status, TestCaseStatus::Success { .. }) {
        status.set_message(message);
        status.set_type(plain(&check.name));
        status.set_description(told(check));
    }
    let mut case = named(&format!("{}: {}", check.id, check.expected), report, status);
    for (name, value) in [("rule", check.rule()), ("level", check.level.as_str()), ("class", check.class.as_str())] {
        case.add_property(Property::new(name, value));
    }
    case
}

fn named(name: &str, report: &Report, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(plain(name), status);
    case.set_classname(plain(&report.scenario));
    case
}

/// The body of a case that did not pass.
fn told(check: &Check) -> String {
    let mut lines = vec![format!("expected: {}", plain(&check.expected)), format!("seen: {}", plain(&check.detail))];
    if let Some(witness) = &check.witness {
        lines.push(plain(&witness.what));
        let shown = witness.events.iter().take(MAX_WITNESSES);
        lines.extend(shown.map(|event| format!("  line {} {}", event.line, plain(&event.text))));
        lines.extend(witness.others.iter().map(|other| format!("also: {}", plain(other))));
    }
    lines.extend(check.sources.iter().map(|source| format!("source: {}", plain(source))));
    if !check.hint.is_empty() {
        lines.push(format!("hint: {}; look at {} first", plain(&check.hint.cause), plain(&check.hint.look_at)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, passing};

    fn rendered(reports: &[&Report]) -> String {
        let mut out = Vec::new();
        render(reports, &mut out).expect("a list takes all of it");
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn a_fail_is_a_failure_an_unknown_an_error_and_what_does_not_count_is_skipped() {
        insta::assert_snapshot!(rendered(&[&passing(), &failing()]));
    }

    #[test]
    fn a_run_in_which_nothing_happened_is_no_green_suite() {
        let mut idle = passing();
        idle.phases.clear();
        idle.verdict = Verdict::Unknown;
        assert!(rendered(&[&idle]).contains(r#"errors="1""#), "every rule held, and nothing was looked at");
        let nothing = Report::of_checks("load", "nothing ran", Vec::new(), 13);
        assert!(rendered(&[&nothing]).contains(r#"errors="1""#));
    }
}
