//! A swarm as a report: a check a rule, over all runs. A rule that no run had anything to judge by counts for nothing.

use super::{Tally, Verdicts, exit};
use reports::{
    level::Level,
    report::{Check, Report},
    verdict::Verdict,
};

/// Broken runs that a check names.
const MOST_NAMED: usize = 3;

#[must_use]
pub fn report(tally: &Tally) -> Report {
    let mut checks: Vec<Check> = tally.rules.iter().map(|(rule, verdicts)| check(tally, rule, *verdicts)).collect();
    // One that died of a panic broke no rule by name.
    for failure in
        tally.failures.iter().filter(|failure| failure.rules.iter().any(|rule| !tally.rules.contains_key(rule)))
    {
        let detail = format!("seed {}: {}, in {}", failure.seed, failure.rules.join(", "), failure.run_dir);
        checks.push(Check::of("SWARM-READ", "runs-can-be-read", "a run ends in order", Verdict::Fail, &detail));
    }
    let missing: Vec<_> = tally.missing().iter().map(u64::to_string).collect();
    if tally.shards > 1 {
        let verdict = if missing.is_empty() { Verdict::Pass } else { Verdict::Unknown };
        let detail =
            if missing.is_empty() { "all are here".to_owned() } else { format!("without {}", missing.join(", ")) };
        checks.push(Check::of("SWARM-SHARDS", "every-shard-is-here", "every shard was told of", verdict, &detail));
    }
    let title = format!("{} drawn scenarios of seed {}, {} broken", tally.runs, tally.seed, tally.broken_runs);
    Report::of_checks("swarm", &title, checks, exit(tally).code())
}

fn check(tally: &Tally, rule: &str, verdicts: Verdicts) -> Check {
    let Verdicts { pass, fail, unknown } = verdicts;
    let (verdict, level) = match (fail, pass) {
        (1.., _) => (Verdict::Fail, Level::Must),
        (0, 1..) => (Verdict::Pass, Level::Must),
        (0, 0) => (Verdict::Unknown, Level::Observe),
    };
    let broken = tally.failures.iter().filter(|failure| failure.rules.iter().any(|broken| broken == rule));
    let named: String = broken.take(MOST_NAMED).map(|one| format!("; seed {} in {}", one.seed, one.run_dir)).collect();
    let detail = format!("held in {pass} runs, broke in {fail}, nothing to judge by in {unknown}{named}");
    Check { level, ..Check::of(rule, "swarm", "it holds in every drawn run", verdict, &detail) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarm::Failure;

    #[test]
    fn a_rule_that_broke_in_one_run_of_many_is_a_fail_that_names_it() {
        let mut tally = Tally::new(7, 0, 1);
        tally.runs = 2;
        for verdict in [Verdict::Pass, Verdict::Fail] {
            tally.judged("MONEY-1", verdict);
        }
        tally.judged("ISO-1", Verdict::Unknown);
        tally.judged("LIVE-1", Verdict::Pass);
        assert_eq!(report(&tally).verdict, Verdict::Fail);
        tally.failures.push(Failure { seed: 9, rules: vec!["MONEY-1".to_owned()], run_dir: "runs/swarm-9".to_owned() });
        let told = report(&tally);
        let money = told.checks.iter().find(|check| check.id == "MONEY-1").expect("it was judged");
        assert!(money.detail.ends_with("; seed 9 in runs/swarm-9"), "{}", money.detail);
    }

    #[test]
    fn a_missing_shard_and_nothing_at_all_are_no_pass() {
        let mut tally = Tally::new(7, 0, 2);
        tally.judged("LIVE-1", Verdict::Pass);
        assert_eq!(report(&tally).verdict, Verdict::Unknown);
        assert_eq!(report(&Tally::new(7, 0, 1)).verdict, Verdict::Unknown);
    }
}
