//! MONEY-11: a transaction buys one content. Where two payments, or one payment at two requests, are sold with the same
//! transaction, one of them was sold for nothing: another reader took one payment for the other, or evidence that a payment was
//! made was taken for evidence that this purchase was paid.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short, history::At, origin::is_same_request};
use reports::{event::Exchange, level::Level};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "MONEY-11",
    checker: "one-transfer-one-content",
    says: "MONEY-11: a transaction buys one content",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "RFC 8259, 4",
            says: "of an object whose names are not unique, receivers behave unpredictably",
        },
        Source::Incident {
            thread: "x402-foundation/x402#1805",
            what: "one settlement proof used by concurrent requests",
        },
    ],
    hint: Hint {
        cause: "what was validated is not what was forwarded, or a settlement is believed whose transaction another record has",
        look_at: "dispatcher/x402-protocol/src/json/read.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let transfers: BTreeMap<&str, _> = history
        .transfers()
        .flat_map(|(payment, transfers)| transfers.into_iter().map(move |transfer| (payment, transfer)))
        .map(|(payment, transfer)| (transfer.what.transaction.as_str(), (payment, transfer.line)))
        .collect();
    let mut sold: BTreeMap<&str, At<'_, Exchange>> = BTreeMap::new();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer, payment) in
        history.paid_answers().filter(|(_, answer, _)| (200..300).contains(&answer.status))
    {
        let told = answer.payment_response.as_ref().filter(|told| told.success && !told.transaction.is_empty());
        let Some(told) = told else { continue };
        looked_at += 1;
        if let Some((of, line)) = transfers.get(told.transaction.as_str()).filter(|(of, _)| *of != payment) {
            let what = format!("{} was sold for the transfer of {}", short(payment), short(of));
            violations.push(Violation::new(what, exchange.line).and([*line]));
            continue;
        }
        let first = *sold.entry(&told.transaction).or_insert(exchange);
        if first.payment != exchange.payment || !is_same_request(&first, &exchange) {
            let what = format!("{} and {} were sold for one transaction", first.target, exchange.target);
            violations.push(Violation::new(what, exchange.line).and([first.line]));
        }
    }
    Finding::of(looked_at, "sales", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{
        event::{Answer, ExchangeKind, PaymentResponse},
        verdict::Verdict,
    };

    fn receipt(answer: &mut Answer) {
        let transaction = transaction("p1");
        answer.payment_response = Some(PaymentResponse { success: true, transaction, ..PaymentResponse::default() });
    }

    #[test]
    fn a_transaction_sells_once_to_whoever_it_was_and_whatever_for() {
        let bought = || Story::new().settled("p1", "primary").served("p1");
        let again = bought().served("p1");
        assert_eq!(judge(&again.history()).verdict, Verdict::Pass, "the same content to the same payment");
        let another = bought().sent("p2", ExchangeKind::Payment, 200, |_, answer| receipt(answer));
        assert_eq!(shown(&judge(&another.history())), [2, 5]);
        let elsewhere = bought().sent("p1", ExchangeKind::Elsewhere, 200, |exchange, answer| {
            exchange.target = "/t/acme/dearer".to_owned();
            receipt(answer);
        });
        assert_eq!(shown(&judge(&elsewhere.history())), [4, 5]);
    }
}
