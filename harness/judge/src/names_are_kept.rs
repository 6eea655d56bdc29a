//! ISO-6: no answer names a transaction of a payer who did not ask. With a transaction go its payer, its amount and its time: a
//! payment-identifier that can be guessed must not open these to anybody, be the guess right or wrong.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short};
use reports::{event::Transfer, level::Level};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "ISO-6",
    checker: "names-are-kept",
    says: "ISO-6: no answer names another payer's transaction",
    example: "{}",
    level: Level::Must,
    sources: &[Source::Spec {
        document: "x402 v2, extension payment-identifier",
        says: "an identifier is the client's own word, unique per client and not a secret",
    }],
    hint: Hint {
        cause: "a conflict is told with what the other payment came to",
        look_at: "dispatcher/x402-paywall/src/denial.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let by_transaction: BTreeMap<&str, _> = history
        .transfers()
        .flat_map(|(_, transfers)| transfers)
        .map(|transfer| (transfer.what.transaction.as_str(), transfer))
        .collect();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let told = answer.payment_response.as_ref().map(|told| told.transaction.as_str());
        let Some(transfer) = told.and_then(|transaction| by_transaction.get(transaction)) else { continue };
        looked_at += 1;
        if !is_payers(exchange.what.payment.as_deref(), transfer) {
            let asked = exchange.what.payment.as_deref().map_or("nobody's payment".to_owned(), short);
            let what = format!("{asked} was told of {} of another payer", short(&transfer.payment));
            violations.push(Violation::new(what, exchange.line).and([transfer.line]));
        }
    }
    Finding::of(looked_at, "answers that name a transaction", violations)
}

/// A payment's key has its payer before its nonce.
fn is_payers(payment: Option<&str>, transfer: &Transfer) -> bool {
    let Some(payment) = payment else { return false };
    let payer = payment.rsplit(':').nth(1);
    payment == transfer.payment || payer.is_some_and(|payer| payer.eq_ignore_ascii_case(&transfer.from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::PaymentResponse, verdict::Verdict};

    #[test]
    fn a_transaction_is_told_to_its_own_payer_alone() {
        let bought = || Story::new().settled("p1", "primary").served("p1");
        assert_eq!(judge(&bought().history()).verdict, Verdict::Pass);
        let conflict = |payment| {
            bought().answered(Some(payment), 409, |answer| {
                let transaction = transaction("p1");
                answer.payment_response = Some(PaymentResponse { transaction, ..PaymentResponse::default() });
            })
        };
        assert_eq!(shown(&judge(&conflict("eip155:84532:0xa:0xmallory:0x1").history())), [2, 5]);
        assert_eq!(judge(&conflict("eip155:84532:0xa:0xaa:0x1").history()).verdict, Verdict::Pass, "its own");
    }
}
