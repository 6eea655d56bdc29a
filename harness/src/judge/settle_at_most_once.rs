//! MONEY-1: a payment is settled at most once, and a purchase is paid at most once, whatever was retried.
//!
//! A chain moves a nonce's money once whatever a dispatcher does, so the rule also looks at what was asked for: no settle
//! once the payment is known to be settled, and no second payment for one purchase.

use super::{Finding, History, history::short};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    for (payment, transfers) in &history.transfers {
        if transfers.len() > 1 {
            violations.push(format!("{} moved money {} times", short(payment), transfers.len()));
        }
    }
    for (payment, known_us) in &history.known_settled_us {
        if let Some(again) = history.settles_of(payment).iter().find(|call| call.received_us > *known_us) {
            violations.push(format!(
                "{} was known to be settled at {:.3} s, and {} was asked to settle it at {:.3} s (call {})",
                short(payment),
                *known_us as f64 / 1e6,
                again.facilitator,
                again.received_us as f64 / 1e6,
                again.nth
            ));
        }
    }
    for purchase in &history.purchases {
        let paid: Vec<_> = purchase.payments.iter().filter(|payment| history.moved(payment)).collect();
        if paid.len() > 1 {
            violations.push(format!(
                "purchase {} of {} was paid {} times: {}",
                purchase.purchase,
                purchase.payer,
                paid.len(),
                paid.iter().map(|payment| short(payment)).collect::<Vec<_>>().join(", ")
            ));
        }
    }
    Finding::of(history.settles.len(), "payments that were settled", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn one_settlement_each_is_a_pass() {
        let history = Story::new().settled("p1", "primary").settled("p2", "standby").history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn a_second_transfer_is_seen() {
        let history = Story::new().settled("p1", "primary").transfer("p1", "standby").history();
        assert_eq!(judge(&history).verdict, Verdict::Fail);
    }

    #[test]
    fn a_settle_after_a_known_settlement_is_seen() {
        let history = Story::new().settled("p1", "primary").served("p1").settle("p1", "primary", YES).history();
        assert_eq!(judge(&history).verdict, Verdict::Fail);
    }

    #[test]
    fn what_a_killed_process_said_last_is_no_knowledge() {
        let told = || Story::new().settled("p1", "primary").told("p1");
        let killed = told().killed().restarted().settle("p1", "primary", YES);
        assert_eq!(judge(&killed.history()).verdict, Verdict::Pass);
        let kept = told().pause(2).killed().restarted().settle("p1", "primary", YES);
        assert_eq!(judge(&kept.history()).verdict, Verdict::Fail);
    }

    #[test]
    fn a_purchase_that_paid_twice_is_seen() {
        let story = Story::new().settled("p1", "primary").settled("p2", "primary");
        assert_eq!(judge(&story.purchase(&["p1", "p2"]).history()).verdict, Verdict::Fail);
    }

    #[test]
    fn nothing_settled_is_unknown() {
        assert_eq!(judge(&Story::new().history()).verdict, Verdict::Unknown);
    }
}
