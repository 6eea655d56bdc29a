//! LIVE-8: where nothing is wrong, nobody who pays is told that something is. A caller that is sent away without a reason is a sale
//! that is lost, and the reason is most often something that was taken and never given back.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short};
use reports::{
    event::{Event, ExchangeKind},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "LIVE-8",
    checker: "fair-weather-serves",
    says: "LIVE-8: where nothing is wrong, nobody who pays is sent away",
    example: "{}",
    level: Level::Must,
    sources: &[Source::Promise { place: "docs/errors.md", what: "a 503 says that something is wrong on our side" }],
    hint: Hint {
        cause: "a count of what is under way is not given back, or another request's work is taken for an open outcome",
        look_at: "dispatcher/x402-paywall/src/ledger/shard/calls.rs",
    },
};

/// The time for which trouble is felt after it has ended.
const FELT_FOR_US: u64 = 60_000_000;

/// The answers that say that something is wrong.
const SENT_AWAY: [&str; 3] = ["facilitators_unavailable", "settlement_ledger_unavailable", "settlement_pending"];

pub fn judge(history: &History) -> Finding {
    let troubles = troubles(history);
    let is_fair = |from_us: u64, to_us: u64| troubles.iter().all(|(began, ended)| to_us < *began || *ended < from_us);
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer, payment) in history.paid_answers() {
        let in_earnest =
            matches!(exchange.kind, ExchangeKind::Payment | ExchangeKind::Resend | ExchangeKind::Duplicate);
        if !in_earnest || exchange.flaw.is_some() || !is_fair(exchange.sent_us, exchange.ended_us) {
            continue;
        }
        looked_at += 1;
        if let Some(code) = answer.code.as_deref().filter(|code| SENT_AWAY.contains(code)) {
            let what = format!("{} was answered {code}, and nothing was wrong", short(payment));
            violations.push(Violation::new(what, exchange.line));
        }
    }
    Finding::of(looked_at, "payments in fair weather", violations)
}

/// The stretches in which something was wrong, in microseconds.
fn troubles(history: &History) -> Vec<(u64, u64)> {
    let end_us = history.events.last().map_or(0, |last| last.at_us);
    let mut troubles = Vec::new();
    let mut open = Vec::new();
    for (_, recorded) in history.lines() {
        let at_us = recorded.at_us;
        match &recorded.event {
            Event::FaultStarted { fault } => open.push((fault, at_us)),
            Event::FaultEnded { fault } => {
                if let Some(position) = open.iter().position(|(other, _)| *other == fault) {
                    let (_, began_us) = open.remove(position);
                    troubles.push((began_us, at_us + FELT_FOR_US));
                }
            }
            Event::DispatcherKilled(_)
            | Event::DispatcherStarted
            | Event::LedgerDisturbed { .. }
            | Event::OperatorActed(_)
            | Event::DirectoryChanged(_) => troubles.push((at_us, at_us + FELT_FOR_US)),
            // A double has more to say of itself than its script: of keys, of networks, of a quota.
            Event::FacilitatorCalled(call) if call.fault.is_some() => {
                troubles.push((call.received_us, at_us + FELT_FOR_US));
            }
            _ => {}
        }
    }
    troubles.extend(open.into_iter().map(|(_, began_us)| (began_us, end_us)));
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    fn told(story: Story, code: &str) -> Finding {
        judge(&story.answered(Some("p1"), 503, |answer| answer.code = Some(code.to_owned())).history())
    }

    #[test]
    fn nobody_is_sent_away_without_a_reason() {
        assert_eq!(told(Story::new(), "settlement_pending").verdict, Verdict::Fail);
        assert_eq!(told(Story::new(), "settlement_ledger_unavailable").verdict, Verdict::Fail);
        assert_eq!(told(Story::new(), "rate_limited").verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().settled("p1", "primary").served("p1").history()).verdict, Verdict::Pass);
    }

    #[test]
    fn under_a_fault_and_for_a_minute_after_it_there_is_a_reason() {
        assert_eq!(told(Story::new().down("primary"), "facilitators_unavailable").verdict, Verdict::Unknown);
        let after = |seconds| Story::new().down("primary").up("primary").pause(seconds);
        assert_eq!(told(after(30), "facilitators_unavailable").verdict, Verdict::Unknown);
        assert_eq!(told(after(90), "facilitators_unavailable").verdict, Verdict::Fail);
    }
}
