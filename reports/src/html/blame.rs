//! Where and when a rule was broken, under which circumstances, and whose fault that is. Said from what the report and the
//! events have; a person may come to another view with the witness beside it.

use crate::{
    class::Class,
    event::{Event, Recorded},
    html::{axis::clock, clean, picture::moment},
    report::{Check, FaultSummary, Report},
    verdict::Verdict,
};

/// The time for which an event that is over may still be the reason.
const RECENT_US: u64 = 10_000_000;

/// When a rule was seen to be broken: the last of its witness's events shows it.
pub fn when(check: &Check, events: &[Recorded]) -> Option<u64> {
    let witness = check.witness.as_ref()?;
    witness.events.iter().filter_map(|event| events.get(event.line.checked_sub(1)?)).map(moment).max()
}

/// The events at a moment of the run.
pub fn circumstances(report: &Report, events: &[Recorded], at_us: u64) -> String {
    let mut told = Vec::new();
    let at_ms = at_us / 1000;
    // A phase that has ended by then is followed by one that began.
    if let Some(phase) = report.phases.iter().rev().find(|phase| phase.from_ms <= at_ms) {
        told.push(format!("in phase {}", clean(&phase.name)));
    }
    let name = |fault: &FaultSummary| format!("{} on {}", clean(&fault.fault.inject), clean(&fault.fault.on));
    let on: Vec<_> =
        report.faults.iter().filter(|fault| (fault.from_ms..=fault.to_ms).contains(&at_ms)).map(name).collect();
    let ended = report.faults.iter().filter_map(|fault| Some((at_ms.checked_sub(fault.to_ms)?, fault)));
    let ended = ended.filter(|(ago, _)| ago * 1000 <= RECENT_US).min_by_key(|(ago, _)| *ago);
    match (on.as_slice(), ended) {
        ([], Some((ago, fault))) => told.push(format!("{} after {} ended", clock(ago * 1000), name(fault))),
        ([], None) => {}
        (on, _) => told.push(format!("while {} was on", on.join(" and "))),
    }
    let killed = events.iter().filter(|recorded| matches!(recorded.event, Event::DispatcherKilled(_)));
    let ago = killed.filter_map(|recorded| at_us.checked_sub(recorded.at_us)).min().filter(|ago| *ago <= RECENT_US);
    told.extend(ago.map(|ago| format!("{} after the dispatcher was killed", clock(ago))));
    told.join(", ")
}

/// Whose fault it is that a rule did not hold.
pub fn whose(check: &Check, report: &Report) -> &'static str {
    match (check.verdict, check.class) {
        (Verdict::Pass, _) => "nobody's: it held",
        (Verdict::Unknown, _) => "nobody's so far: what happened was not enough to judge by",
        (Verdict::Fail, Class::Coverage) => {
            "the run's own, and not the dispatcher's: the scenario or the harness did not do what the run was for"
        }
        (Verdict::Fail, _) if report.phases.is_empty() => "that of what was judged",
        (Verdict::Fail, _) => {
            "the dispatcher's: facilitators, tenants and callers did what the scenario has them do, and the rule is about what \
             the dispatcher makes of that"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, history};

    #[test]
    fn what_was_on_or_has_just_ended_is_told() {
        let (report, events) = (failing(), history());
        let told = |ms: u64| circumstances(&report, &events, ms * 1000);
        assert_eq!(told(9_000), "in phase outage, while refuse on primary was on");
        assert_eq!(
            told(13_000),
            "in phase outage, while refuse on primary was on, 1.000 s after the dispatcher was killed"
        );
        assert_eq!(told(30_000), "in phase recovery, 4.000 s after settle-then-hang on primary ended");
        assert_eq!(told(3_000), "in phase steady");
    }

    #[test]
    fn a_scenario_that_did_nothing_is_not_held_against_the_dispatcher() {
        let report = failing();
        let mut check = report.checks[0].clone();
        assert!(whose(&check, &report).starts_with("the dispatcher's"));
        check.class = Class::Coverage;
        assert!(whose(&check, &report).contains("not the dispatcher's"));
        check.verdict = Verdict::Unknown;
        assert!(whose(&check, &report).starts_with("nobody's"));
    }
}
