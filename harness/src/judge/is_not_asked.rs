//! COST-4: a facilitator that says it cannot serve an offer is not asked about it.

use super::{Finding, History};
use reports::summary;

pub fn judge(history: &History, facilitator: &str, phase: &str) -> Finding {
    let phases = summary::phases(&history.events);
    let Some(phase) = phases.iter().find(|seen| seen.name == phase) else {
        return Finding::unknown(format!("phase {phase} never was"));
    };
    let during = phase.from_ms * 1000..phase.to_ms * 1000;
    let calls: Vec<_> = history.calls.iter().filter(|call| during.contains(&call.received_us)).collect();
    let asked = calls.iter().filter(|call| call.facilitator == facilitator);
    let violations = asked
        .map(|call| format!("{:?} at {facilitator} at {:.1} s", call.endpoint, call.received_us as f64 / 1e6))
        .collect();
    Finding::of(calls.len(), "calls to facilitators", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_call_in_the_phase_is_seen_and_one_before_it_is_not() {
        let story = || Story::new().settle("p1", "primary", YES).phase("known").settle("p2", "standby", YES);
        let verdict = |story: Story| judge(&story.phase("end").history(), "primary", "known").verdict;
        assert_eq!(verdict(story()), Verdict::Pass);
        assert_eq!(verdict(story().settle("p3", "primary", YES)), Verdict::Fail);
        assert_eq!(verdict(Story::new().phase("known")), Verdict::Unknown);
    }
}
