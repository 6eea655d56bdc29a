//! MONEY-4: whoever was charged has the content, or could collect it by the end.

use super::{Finding, History, history::short};
use reports::event::PurchaseOutcome;

pub fn judge(history: &History) -> Finding {
    let mut charged = 0;
    let mut violations = Vec::new();
    for purchase in &history.purchases {
        let paid: Vec<_> = purchase.payments.iter().filter(|payment| history.moved(payment)).collect();
        if paid.is_empty() {
            continue;
        }
        charged += 1;
        if purchase.outcome != PurchaseOutcome::Served {
            violations.push(format!(
                "purchase {} of {} ended {:?}, although {} moved money",
                purchase.purchase,
                purchase.payer,
                purchase.outcome,
                paid.iter().map(|payment| short(payment)).collect::<Vec<_>>().join(" and ")
            ));
        }
    }
    Finding::of(charged, "purchases that were charged", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_charge_without_content_is_seen() {
        let served = Story::new().settled("p1", "primary").purchase(&["p1"]);
        assert_eq!(judge(&served.history()).verdict, Verdict::Pass);
        let robbed = Story::new().settled("p1", "primary").purchase_that("p1", PurchaseOutcome::Unresolved);
        assert_eq!(judge(&robbed.history()).verdict, Verdict::Fail);
    }
}
