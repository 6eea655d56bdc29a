//! LIVE-6: what is over is forgotten. A record that stays for ever is a bill that grows with every payment that was ever made,
//! and a promise to nobody.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short};
use reports::{
    event::{Event, StoredRecord},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "LIVE-6",
    checker: "storage-is-freed",
    says: "LIVE-6: what is over is forgotten after its time",
    example: "{}",
    level: Level::Must,
    sources: &[Source::Promise {
        place: "ARCHITECTURE.md, Costs at a million",
        what: "a record is forgotten when nobody can collect any more",
    }],
    hint: Hint {
        cause: "the alarm that is to forget a record is not set, or forgets the record and not what belongs to it",
        look_at: "dispatcher/x402-paywall/src/ledger/keeper.rs",
    },
};

/// Seven days for a response to be collected, and an hour for alarms that ring late.
const RETENTION_US: u64 = (7 * 24 + 1) * 3_600_000_000;

/// Ten minutes in which a response can be collected, and as long for alarms that ring late.
const COLLECTED_US: u64 = 1_200_000_000;

pub fn judge(history: &History) -> Finding {
    let ended_us = history.events.last().map_or(0, |last| last.at_us);
    let old = |at_us: u64| ended_us.saturating_sub(at_us) > RETENTION_US;
    // What nobody could find out about is kept for a person.
    let is_open = |state: &str| matches!(state, "unknown" | "settling");
    let over = history.purchases().filter(|purchase| old(purchase.at_us)).count();
    let had = had(history);
    let mut violations = Vec::new();
    for (line, recorded) in history.lines() {
        let Event::StorageLeft(left) = &recorded.event else { continue };
        let StoredRecord { payment, state, since_us, bytes, body_bytes } = left;
        if old(*since_us) && !is_open(state) {
            let what = format!("{} is {state} still, in {bytes} bytes", short(payment));
            violations.push(Violation::new(what, line));
        }
        let had_us = had.get(payment.as_str()).copied().filter(|had_us| ended_us - had_us > COLLECTED_US);
        if let Some(had_us) = had_us.filter(|_| *body_bytes > 0) {
            let hours = (ended_us - had_us) / 3_600_000_000;
            let what = format!("{} was handed over {hours} h ago, and {body_bytes} bytes of it are kept", short(payment));
            violations.push(Violation::new(what, line));
        }
    }
    Finding::of(over, "purchases that are over for longer than anything is kept", violations)
}

/// When each payment's response was last had, where no identifier keeps it for longer. Where a process died or an answer was lost,
/// nobody may have heard of that.
fn had(history: &History) -> BTreeMap<&str, u64> {
    let is_lost = |event: &Event| matches!(event, Event::DispatcherKilled(_) | Event::LedgerDisturbed { .. });
    if history.lines().any(|(_, recorded)| is_lost(&recorded.event)) {
        return BTreeMap::new();
    }
    let mut had = BTreeMap::new();
    for (exchange, answer, payment) in history.paid_answers().filter(|(exchange, ..)| exchange.identifier.is_none()) {
        if (200..300).contains(&answer.status) {
            let last = had.entry(payment).or_insert(exchange.ended_us);
            *last = exchange.ended_us.max(*last);
        }
    }
    had
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    const DAY_S: u64 = 24 * 3_600;

    #[test]
    fn what_is_left_after_seven_days_is_seen() {
        let bought = |days: u64| Story::new().settled("p1", "primary").purchase(&["p1"]).pause(days * DAY_S);
        assert_eq!(judge(&bought(8).unpaid().history()).verdict, Verdict::Pass);
        assert_eq!(shown(&judge(&bought(8).stored("p1", "settled").history())), [5]);
        assert_eq!(judge(&bought(8).stored("p1", "unknown").history()).verdict, Verdict::Pass);
        assert_eq!(judge(&bought(1).stored("p1", "settled").history()).verdict, Verdict::Unknown);
    }

    #[test]
    fn what_nobody_can_collect_any_more_is_not_kept() {
        let with_body = |seconds| {
            let story = Story::new().settled("p1", "primary").served("p1").purchase(&["p1"]).pause(seconds);
            judge(&story.stored_with("p1", "settled", 9).history())
        };
        assert_ne!(with_body(600).verdict, Verdict::Fail, "it can be collected");
        assert_eq!(with_body(2_000).verdict, Verdict::Fail);
    }
}
