//! MONEY-1: a payment is settled at most once, and a purchase is paid at most once, whatever was retried.
//!
//! A chain moves a nonce's money once whatever a dispatcher does, so the rule also looks at what was asked for: no settle
//! once the payment is known to be settled, and no second payment for one purchase.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    describe::{at, short},
};
use reports::level::Level;

pub const RULE: Rule = Rule {
    id: "MONEY-1",
    checker: "settle-at-most-once",
    says: "MONEY-1: a payment moves money at most once",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident { thread: "x402-foundation/x402#803", what: "a payment replayed across identical requests" },
        Source::Incident {
            thread: "x402-foundation/x402#1805",
            what: "one settlement proof used by concurrent requests",
        },
        Source::Peer { checks: "R2, R12, R13 and R20" },
    ],
    hint: Hint {
        cause: "the payment is not claimed before anyone is asked, the claim is not shared, or a record is forgotten too soon",
        look_at: "dispatcher/x402-paywall/src/ledger/machine.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    for (payment, transfers) in history.transfers() {
        if let [first, second, ..] = &transfers[..] {
            let what = format!("{} moved money {} times", short(payment), transfers.len());
            violations.push(Violation::new(what, first.line).and([second.line]));
        }
    }
    for (payment, known) in history.known_settled() {
        if let Some(again) = history.settles_of(payment).find(|call| call.received_us > known.at_us) {
            let (since, facilitator, when) = (at(known.at_us), &again.facilitator, at(again.received_us));
            let payment = short(payment);
            let what = format!("{payment} was known to be settled at {since}, {facilitator} was asked to at {when}");
            violations.push(Violation::new(what, known.line).and([again.line]));
        }
    }
    for purchase in history.purchases() {
        let paid: Vec<_> = purchase.payments.iter().filter_map(|payment| history.moved(payment)).collect();
        if let [first, second, ..] = &paid[..] {
            let what = format!("purchase {} of {} was paid {} times", purchase.purchase, purchase.payer, paid.len());
            violations.push(Violation::new(what, purchase.line).and([first.line, second.line]));
        }
    }
    Finding::of(history.settles().count(), "payments that were settled", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn one_settlement_each_is_a_pass() {
        let history = Story::new().settled("p1", "primary").settled("p2", "standby").history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn a_second_transfer_is_seen() {
        let history = Story::new().unpaid().settled("p1", "primary").transfer("p1", "standby").history();
        assert_eq!(shown(&judge(&history)), [3, 5]);
    }

    #[test]
    fn a_settle_after_a_known_settlement_is_seen() {
        let history = Story::new().settled("p1", "primary").served("p1").settle("p1", "primary", YES).history();
        assert_eq!(shown(&judge(&history)), [4, 5]);
    }

    #[test]
    fn what_a_killed_process_said_last_is_no_knowledge() {
        let told = || Story::new().settled("p1", "primary").told("p1");
        let killed = told().killed().restarted().settle("p1", "primary", YES);
        assert_eq!(judge(&killed.history()).verdict, Verdict::Pass);
        let kept = told().pause(2).killed().restarted().settle("p1", "primary", YES);
        assert_eq!(shown(&judge(&kept.history())), [4, 7]);
    }

    #[test]
    fn a_purchase_that_paid_twice_is_seen() {
        let story = Story::new().settled("p1", "primary").settled("p2", "primary");
        assert_eq!(shown(&judge(&story.purchase(&["p1", "p2"]).history())), [2, 4, 6]);
    }

    #[test]
    fn nothing_settled_is_unknown() {
        assert_eq!(judge(&Story::new().history()).verdict, Verdict::Unknown);
    }
}
