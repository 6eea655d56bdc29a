//! MONEY-5: `/settle` moves to another facilitator only after a known refusal; until then it stays, and every call for a
//! payment carries the identical payload. A refusal that follows a lost answer is known only where it is the payload's own
//! fault: a lack of funds may be what the settlement left behind.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short, settled_answer::Conclusion};
use reports::{
    event::{FacilitatorAnswer, FacilitatorCall},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "MONEY-5",
    checker: "settle-stays-put-while-unknown",
    says: "MONEY-5: settle changes facilitator only after a known no",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "@x402/core 2.27.0, FacilitatorTimeoutError",
            says: "a time-out must not be treated as proof that settlement did not occur",
        },
        Source::Incident { thread: "x402-foundation/x402#2294", what: "recovery after a facilitator's time-out" },
        Source::Incident {
            thread: "x402-foundation/x402#1062",
            what: "a facilitator's time-out was shorter than a block's confirmation",
        },
    ],
    hint: Hint {
        cause: "settle fails over like verify does, or builds its request anew instead of repeating the bytes",
        look_at: "dispatcher/x402-paywall/src/ledger/keeper.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    let (mut payments, mut repeated) = (0, 0);
    for (payment, calls) in history.settles() {
        payments += 1;
        repeated += usize::from(calls.len() > 1);
        let first = calls[0];
        if let Some(other) = calls.iter().find(|call| call.payload_hash != first.payload_hash) {
            let (nth, at) = (other.nth, &other.facilitator);
            let what = format!("{}: call {nth} at {at} carried another payload than the first", short(payment));
            violations.push(Violation::new(what, first.line).and([other.line]));
        }
        let mut is_open = false;
        for pair in calls.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            let known_refusal = matches!(Conclusion::of(&before), Conclusion::Refused | Conclusion::Unsent)
                && before.ended_us <= after.received_us
                && (!is_open || is_the_payloads_fault(&before));
            is_open |= Conclusion::of(&before) == Conclusion::Unknown;
            if before.facilitator != after.facilitator && !known_refusal {
                let (from, to) = (&before.facilitator, &after.facilitator);
                let what = format!("{} moved from {from} to {to} without a known refusal", short(payment));
                violations.push(Violation::new(what, before.line).and([after.line]));
            }
        }
    }
    let finding = Finding::of(payments, "settled payments", violations);
    let detail = format!("{}; {repeated} were asked about more than once", finding.detail);
    finding.with_detail(detail)
}

fn is_the_payloads_fault(call: &FacilitatorCall) -> bool {
    matches!(&call.answer, FacilitatorAnswer::Sent { reason: Some(reason), .. } if reason.starts_with("invalid_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn asking_the_same_facilitator_again_is_a_pass() {
        let history = Story::new().settle("p1", "primary", NOTHING).settle("p1", "primary", YES).history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn moving_on_is_a_pass_after_a_known_refusal_only() {
        let refused = Story::new().settle("p1", "primary", NO).settle("p1", "standby", YES);
        assert_eq!(judge(&refused.history()).verdict, Verdict::Pass);
        for open in [NOTHING, PENDING, GARBLED] {
            let history = Story::new().settle("p1", "primary", open).settle("p1", "standby", YES).history();
            assert_eq!(shown(&judge(&history)), [2, 3], "{open:?}");
        }
    }

    #[test]
    fn another_payload_is_seen() {
        let history = Story::new()
            .settle("p1", "primary", NOTHING)
            .settle_with("p1", "primary", YES, |call| call.payload_hash = Some("other".to_owned()))
            .history();
        assert_eq!(shown(&judge(&history)), [2, 3]);
    }
}
