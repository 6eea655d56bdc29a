//! COVER-1: every fault took at least one call, and every kill happened. What never bit has shown nothing, so the run is
//! not a pass. Where a kill waited for a stage, the ledger's word after the restart is told: the process may have got
//! further, or the write less far, before it died.

use super::{Finding, History};
use reports::{event::Event, summary};

pub fn judge(history: &History) -> Finding {
    let faults = summary::faults(&history.events);
    let idle = faults.iter().filter(|summary| summary.hits == 0);
    let violations = idle
        .map(|summary| {
            let fault = &summary.fault;
            format!("{} on {} (number {} of the file) never bit", fault.inject, fault.on, fault.index + 1)
        })
        .collect();
    let hits: Vec<_> = faults.iter().map(|summary| format!("{} {}", summary.fault.inject, summary.hits)).collect();
    let finding = Finding::of(faults.len(), "faults", violations);
    let mut detail = format!("{}; they bit: {}", finding.detail, hits.join(", "));
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
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_fault_that_took_no_call_is_seen() {
        let bit =
            Story::new().fault("hang").settle_with("p1", "primary", NOTHING, |call| call.fault = Some(fault("hang")));
        assert_eq!(judge(&bit.history()).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().fault("hang").history()).verdict, Verdict::Fail);
    }
}
