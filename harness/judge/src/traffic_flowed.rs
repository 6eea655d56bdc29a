//! COVER-2: requests were answered in every phase, and purchases were served. Rules that held without traffic show nothing.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{event::PurchaseOutcome, level::Level, summary};

pub const RULE: Rule = Rule {
    id: "COVER-2",
    checker: "traffic-flowed",
    says: "COVER-2: requests were answered and purchases served in every phase with traffic",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident { thread: "nextest-rs/nextest#1107", what: "a CI run that ran nothing was green" },
        Source::Incident { thread: "nextest-rs/nextest#1639", what: "a run of zero tests passed" },
    ],
    hint: Hint {
        cause: "the world did not start as the scenario wants it, or a phase has no traffic; it is the scenario that wants mending",
        look_at: "scenarios/README.md",
    },
};

pub fn judge(history: &History) -> Finding {
    let phases = summary::phases(&history.events);
    let mut violations: Vec<_> = phases
        .iter()
        .filter(|phase| phase.requests == phase.failed)
        .map(|phase| {
            let line = history.phase_line(&phase.name).unwrap_or(history.first_line());
            Violation::new(format!("no request was answered in {}", phase.name), line)
        })
        .collect();
    let served = history.purchases().filter(|purchase| purchase.outcome == PurchaseOutcome::Served).count();
    if served == 0 {
        violations.push(Violation::new("no purchase was served", history.first_line()));
    }
    let finding = Finding::of(phases.len(), "phases", violations);
    let detail = format!("{}; {served} of {} purchases were served", finding.detail, history.purchases().count());
    finding.with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_phase_without_an_answer_is_seen() {
        let flowing = Story::new().phase("steady").served("p1").purchase(&["p1"]);
        assert_eq!(judge(&flowing.history()).verdict, Verdict::Pass);
        let dry = Story::new().phase("steady").served("p1").purchase(&["p1"]).phase("outage");
        assert_eq!(shown(&judge(&dry.history())), [5]);
        let unsold = Story::new().phase("steady").unpaid();
        assert_eq!(shown(&judge(&unsold.history())), [1]);
    }
}
