//! MONEY-5: `/settle` moves to another facilitator only after a known refusal; until then it stays, and every call for a
//! payment carries the identical payload.

use super::{Finding, History, history::short, settled_answer::Conclusion};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    let mut repeated = 0;
    for (payment, calls) in &history.settles {
        repeated += usize::from(calls.len() > 1);
        if let Some(other) = calls.iter().find(|call| call.payload_hash != calls[0].payload_hash) {
            violations.push(format!(
                "{}: call {} at {} carried another payload than call {} at {}",
                short(payment),
                other.nth,
                other.facilitator,
                calls[0].nth,
                calls[0].facilitator
            ));
        }
        for pair in calls.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            let known_refusal = Conclusion::of(before) == Conclusion::Refused && before.ended_us <= after.received_us;
            if before.facilitator != after.facilitator && !known_refusal {
                violations.push(format!(
                    "{} moved from {} (call {}: {:?}) to {}",
                    short(payment),
                    before.facilitator,
                    before.nth,
                    before.answer,
                    after.facilitator
                ));
            }
        }
    }
    let finding = Finding::of(history.settles.len(), "settled payments", violations);
    let detail = format!("{}; {repeated} were asked about more than once", finding.detail);
    finding.with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
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
            assert_eq!(judge(&history).verdict, Verdict::Fail, "{open:?}");
        }
    }

    #[test]
    fn another_payload_is_seen() {
        let history = Story::new()
            .settle("p1", "primary", NOTHING)
            .settle_with("p1", "primary", YES, |call| call.payload_hash = Some("other".to_owned()))
            .history();
        assert_eq!(judge(&history).verdict, Verdict::Fail);
    }
}
