//! MONEY-2: paid content leaves only after a settlement that is known to have succeeded, for the right money.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short, history::At};
use reports::{
    event::{Answer, Exchange, ExchangeKind, PriceFacts, Transfer},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "MONEY-2",
    checker: "paid-content-only-after-settlement",
    says: "MONEY-2: paid content leaves only after its money moved",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "x402 v2, scheme exact",
            says: "the authorization flow is verify, handler, settle, respond",
        },
        Source::Incident { thread: "x402-rs#65", what: "resources were served after a failed settlement" },
        Source::Incident { thread: "x402-foundation/x402#676", what: "content was served on a settlement that failed" },
        Source::Peer { checks: "R3 to R10 and R18" },
    ],
    hint: Hint {
        cause: "the response goes out before the settlement is known, or an answer that contradicts the payment is believed",
        look_at: "dispatcher/x402-paywall/src/facilitator/verdict.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        if !history.is_priced(&exchange) {
            continue;
        }
        // A browser's question passes unpaid, and nothing of the tenant's with the answer to it.
        let is_sold = match exchange.kind {
            ExchangeKind::Preflight => answer.body_bytes > 0,
            _ if is_empty(&exchange, answer) => false,
            _ => (200..300).contains(&answer.status),
        };
        // A canary in an answer is content, whatever the status says.
        let content = is_sold || answer.canaries.contains(&exchange.tenant);
        // A tenant's own 3xx, 4xx and 5xx pass through uncharged.
        let passed_through = answer.status >= 300 && answer.code.is_none();
        if !content || passed_through {
            continue;
        }
        looked_at += 1;
        if let Err(why) = paid_for(history, exchange, answer) {
            violations.push(why);
        }
    }
    Finding::of(looked_at, "answers with paid content", violations)
}

/// The dispatcher's own answer to a preflight, whatever the caller was after.
pub fn is_empty(exchange: &Exchange, answer: &Answer) -> bool {
    exchange.method == "OPTIONS" && answer.status == 204 && answer.body_bytes == 0
}

fn paid_for(history: &History, exchange: At<'_, Exchange>, answer: &Answer) -> Result<(), Violation> {
    let unpaid = |what: String| Violation::new(what, exchange.line);
    let payment = exchange.payment.as_ref().ok_or_else(|| unpaid("content without a payment".to_owned()))?;
    let transfer =
        history.moved(payment).ok_or_else(|| unpaid(format!("content, but {} moved no money", short(payment))))?;
    let wrong = |what: String| unpaid(what).and([transfer.line]);
    if transfer.at_us > exchange.ended_us {
        return Err(wrong(format!("{} moved money only after the content had left", short(payment))));
    }
    // Whether a price was the one in force is for ISO-2 to say.
    let unfit = history.prices_of(&exchange.tenant).map(|price| fits(&transfer, price));
    unfit.reduce(|one, other| if one.is_ok() { one } else { other }).unwrap_or(Ok(())).map_err(wrong)?;
    let told = answer.payment_response.as_ref();
    let told = told.ok_or_else(|| unpaid("content without a PAYMENT-RESPONSE that decodes".to_owned()))?;
    let same_payer = told.payer.as_ref().is_none_or(|payer| payer.eq_ignore_ascii_case(&transfer.from));
    if !told.success || told.transaction != transfer.transaction || told.network != transfer.network || !same_payer {
        return Err(wrong(format!("PAYMENT-RESPONSE {told:?} is not of transaction {}", transfer.transaction)));
    }
    Ok(())
}

fn fits(transfer: &Transfer, price: &PriceFacts) -> Result<(), String> {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    for (field, moved, asked) in [
        ("network", &transfer.network, &price.network),
        ("asset", &transfer.asset, &price.asset),
        ("payTo", &transfer.to, &price.pay_to),
        ("amount", &transfer.value, &price.amount),
    ] {
        if !same(moved, asked) {
            return Err(format!("the money that moved has {field} {moved}, the price has {asked}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn content_after_the_money_is_a_pass() {
        let history = Story::new().settled("p1", "primary").served("p1").history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn content_without_or_before_the_money_is_seen() {
        assert_eq!(shown(&judge(&Story::new().served("p1").history())), [2]);
        let early = Story::new().served("p1").settled("p1", "primary");
        assert_eq!(shown(&judge(&early.history())), [2, 3]);
        let unpaid = Story::new().answered(None, 200, |_| {});
        assert_eq!(shown(&judge(&unpaid.history())), [2]);
    }

    #[test]
    fn content_behind_a_browsers_question_is_seen_and_leave_to_pay_is_none() {
        let asked = |body_bytes, canaries: &[&str]| {
            let canaries: Vec<_> = canaries.iter().map(|tenant| (*tenant).to_owned()).collect();
            Story::new().sent("p1", ExchangeKind::Preflight, 200, move |exchange, answer| {
                exchange.payment = None;
                (answer.body_bytes, answer.canaries) = (body_bytes, canaries.clone());
            })
        };
        assert_eq!(judge(&asked(0, &[]).history()).verdict, Verdict::Unknown);
        for leaked in [asked(10, &[]), asked(0, &[TENANT])] {
            assert_eq!(shown(&judge(&leaked.history())), [2]);
        }
    }

    #[test]
    fn content_inside_an_error_is_seen() {
        let leaked = Story::new().answered(Some("p1"), 503, |answer| {
            answer.code = Some("settlement_pending".to_owned());
            answer.canaries = vec![TENANT.to_owned()];
        });
        assert_eq!(shown(&judge(&leaked.history())), [2]);
    }

    #[test]
    fn a_receipt_for_another_transaction_is_seen() {
        let history = Story::new()
            .settled("p1", "primary")
            .served_with("p1", |answer| answer.payment_response.as_mut().unwrap().transaction = "0xother".to_owned())
            .history();
        assert_eq!(shown(&judge(&history)), [2, 4]);
    }
}
