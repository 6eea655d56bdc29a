//! COVER-1: every fault took at least one call, and every kill happened. What never bit has shown nothing, so the run is
//! not a pass. Where a kill waited for a stage, the ledger's word after the restart is told: the process may have got
//! further, or the write less far, before it died.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{event::Event, level::Level, summary, verdict::Verdict};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "COVER-1",
    checker: "faults-bit",
    says: "COVER-1: every fault took at least one call, and every kill happened",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident { thread: "larql#287", what: "a gate that 429 runs had passed could not fail" },
        Source::Spec {
            document: "Antithesis, sometimes assertions",
            says: "what the test never exercised is a failure of the test",
        },
    ],
    hint: Hint {
        cause: "the fault's window, call or facilitator is one that the traffic never reaches; it is the scenario that wants mending",
        look_at: "scenarios/README.md",
    },
};

/// The reason why no planted bug breaks the rule.
pub const NO_BUG: &str =
    "It judges the run: whether what was to go wrong did. No mistake of the dispatcher keeps a fault from biting.";

pub fn judge(history: &History) -> Finding {
    let faults = summary::faults(&history.events);
    let mut begun = BTreeMap::new();
    for (line, recorded) in history.lines() {
        if let Event::FaultStarted { fault } = &recorded.event {
            begun.entry(fault).or_insert(line);
        }
    }
    let idle = faults.iter().filter(|summary| summary.hits == 0);
    let violations = idle
        .filter_map(|summary| {
            let fault = &summary.fault;
            let what = format!("{} on {} (number {} of the file) never bit", fault.inject, fault.on, fault.index + 1);
            begun.get(fault).map(|line| Violation::new(what, *line))
        })
        .collect();
    let hits: Vec<_> = faults.iter().map(|summary| format!("{} {}", summary.fault.inject, summary.hits)).collect();
    let finding = Finding::of(faults.len(), "faults", violations);
    let mut detail = match (faults.len(), finding.verdict) {
        (1.., Verdict::Pass) => format!("every fault took calls: {}", hits.join(", ")),
        _ => format!("{}; calls taken: {}", finding.detail, hits.join(", ")),
    };
    let found = found_after_kills(history);
    if !found.is_empty() {
        detail.push_str(&format!("; the ledger afterwards: {}", found.join(", ")));
    }
    finding.with_detail(detail)
}

fn found_after_kills(history: &History) -> Vec<String> {
    let mut kill = None;
    let mut found = Vec::new();
    for recorded in &history.events {
        match &recorded.event {
            Event::DispatcherKilled(killing) => kill = Some(&killing.kill),
            Event::LedgerAfterKill(state) => found.extend(kill.map(|kill| format!("{} {}", kill.inject, state.state))),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_fault_that_took_no_call_is_seen() {
        let bit =
            Story::new().fault("hang").settle_with("p1", "primary", NOTHING, |call| call.fault = Some(fault("hang")));
        assert_eq!(judge(&bit.history()).verdict, Verdict::Pass);
        assert_eq!(shown(&judge(&Story::new().unpaid().fault("hang").history())), [3]);
    }
}
