//! A swarm's outcome for people.

use super::{Failure, Tally};
use crate::called::as_called;
use std::fmt::Write;

/// One broken run, with what repeats it and what makes it small.
#[must_use]
pub fn failure(failure: &Failure) -> String {
    let Failure { seed, rules, run_dir } = failure;
    let harness = as_called();
    format!(
        "BROKEN   seed {seed}: {}\n         repeat  {harness} scenario {run_dir}/scenario.toml --tier sim --seed {seed}\n         shrink  {harness} shrink {run_dir}",
        rules.join(", ")
    )
}

#[must_use]
pub fn render(tally: &Tally) -> String {
    let mut text = String::new();
    let width = tally.rules.keys().map(String::len).max().unwrap_or_default();
    for (rule, verdicts) in &tally.rules {
        writeln!(
            text,
            "  {rule:width$}  held {:>7}  broke {:>5}  unknown {:>5}",
            verdicts.pass, verdicts.fail, verdicts.unknown
        )
        .expect("a string takes whatever it is given");
    }
    let shards = if tally.shards == 1 {
        String::new()
    } else {
        let missing = tally.missing();
        let missing: Vec<_> = missing.iter().map(u64::to_string).collect();
        let missing = if missing.is_empty() { String::new() } else { format!(", without {}", missing.join(", ")) };
        format!("shards {} of {}{missing}; ", tally.of_shards.len(), tally.shards)
    };
    writeln!(
        text,
        "\n{} runs, {} broken; {shards}seed {}\n{} requests in {:.0} simulated seconds; {:.0} requests a second and core",
        tally.runs,
        tally.broken_runs,
        tally.seed,
        tally.requests,
        tally.simulated_s,
        tally.requests_per_second(),
    )
    .expect("a string takes whatever it is given");
    text
}
