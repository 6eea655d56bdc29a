//! MONEY-3: an unknown outcome is never reported as failure. No 402, no new offer; 503 with `Retry-After` and a pending
//! `PAYMENT-RESPONSE`; and the same payment sent again gets the final answer.

use super::{
    Finding, Hint, History, Rule, Source, Violation, describe::short, history::Line, settled_answer::Conclusion,
};
use reports::{
    event::{Answer, Exchange, ExchangeKind, FacilitatorAnswer, PurchaseOutcome},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "MONEY-3",
    checker: "unknown-is-not-failed",
    says: "MONEY-3: an unknown outcome is never answered as a failure",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident {
            thread: "aws-samples/sample-agentcore-cloudfront-x402-payments#40",
            what: "a settle time-out was answered with 402, and a conforming payer paid twice",
        },
        Source::Incident { thread: "x402-foundation/x402#2294", what: "recovery after a facilitator's time-out" },
        Source::Incident { thread: "x402-foundation/x402#3208", what: "a SettleResponse cannot say: not yet" },
        Source::Peer { checks: "R18 and R20" },
    ],
    hint: Hint {
        cause: "an answer from which the outcome does not follow (none, pending, nonce already used) is taken for a refusal",
        look_at: "dispatcher/x402-paywall/src/reason.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer, payment) in history.paid_answers().filter(|(exchange, ..)| is_about_its_payment(exchange)) {
        let moved = moved_or_moving(history, payment, exchange.ended_us);
        let unknown_then = was_unknown(history, payment, exchange.ended_us);
        let Some(shown_by) = moved.or(unknown_then) else { continue };
        if never_moved(history, answer, payment) {
            continue;
        }
        looked_at += 1;
        let told = is_no_failure(answer, unknown_then.is_some())
            .and_then(|()| names_its_transaction(history, answer, payment, exchange.sent_us));
        if let Err(why) = told {
            let what = format!("{why}, although {} may have moved money", short(payment));
            violations.push(Violation::new(what, exchange.line).and([shown_by]));
        }
    }
    violations.extend(never_told(history));
    violations.extend(told_of_no_ledger(history));
    let finding = Finding::of(looked_at, "answers to payments that may have moved money", violations);
    let pending = history.paid_answers().filter(|(_, answer, _)| answer.code.as_deref() == Some("settlement_pending"));
    let (pending, detail) = (pending.count(), finding.detail.clone());
    finding.with_detail(format!("{detail}; {pending} said pending"))
}

/// A HEAD gets the bill that a GET would, whatever it carries; and a payment for another request may be billed for that
/// other request, which MONEY-7 judges.
fn is_about_its_payment(exchange: &Exchange) -> bool {
    exchange.method != "HEAD" && exchange.kind != ExchangeKind::Elsewhere
}

/// Requests whose own payment was being settled, and that were told of a ledger that cannot be reached: an error that says that
/// nobody was charged.
fn told_of_no_ledger(history: &History) -> impl Iterator<Item = Violation> {
    let settled: BTreeMap<&str, Line> = history
        .stages()
        .filter(|stage| matches!(stage.stage.as_str(), "executed" | "settling" | "settled" | "unknown"))
        .filter_map(|stage| Some((stage.what.request_id.as_deref()?, stage.line)))
        .collect();
    let told =
        history.paid_answers().filter(|(_, answer, _)| answer.code.as_deref() == Some("settlement_ledger_unavailable"));
    told.filter_map(move |(exchange, answer, payment)| {
        let shown_by = *settled.get(answer.request_id.as_deref()?)?;
        let transfer = history.moved(payment)?;
        let what = format!("{} was told of no ledger by the request that had it settled", short(payment));
        Some(Violation::new(what, exchange.line).and([shown_by, transfer.line]))
    })
}

/// Whether the caller hears that the payment never moved and never can, as a node can tell, and it is so.
fn never_moved(history: &History, answer: &Answer, payment: &str) -> bool {
    let says_so = answer.code.as_deref() == Some("authorization_expired_unused");
    says_so && history.has_node && history.moved(payment).is_none()
}

/// The transfer, if it stood by then, or a call that had begun by then made it. What a later resend came to says nothing
/// of an answer before it.
fn moved_or_moving(history: &History, payment: &str, by_us: u64) -> Option<Line> {
    let transfer = history.moved(payment)?;
    let moved_us = history.event(transfer.line).at_us;
    let mut begun = history.settles_of(payment).filter(|call| call.received_us <= by_us);
    let moving = begun.any(|call| (call.received_us..=call.ended_us).contains(&moved_us));
    (moved_us <= by_us || moving).then_some(transfer.line)
}

/// The settle call by then whose outcome does not follow from its answer.
fn was_unknown(history: &History, payment: &str, by_us: u64) -> Option<Line> {
    let mut before = history.settles_of(payment).filter(|call| call.received_us <= by_us);
    before.find(|call| Conclusion::of(call) == Conclusion::Unknown).map(|call| call.line)
}

fn is_no_failure(answer: &Answer, unknown_then: bool) -> Result<(), String> {
    if answer.status == 402 || answer.offered {
        return Err("it was billed again".to_owned());
    }
    if (200..300).contains(&answer.status) || answer.status == 409 || !unknown_then {
        return Ok(());
    }
    if answer.status != 503 || answer.retry_after_s.is_none() {
        return Err("it is neither content nor a 503 that says when to come back".to_owned());
    }
    match answer.code.as_deref() {
        // Another request is at this payment: there is no settlement to speak of yet.
        Some("payment_in_progress") => return Ok(()),
        // Whose payment it is nobody can look up now.
        Some("tenant_directory_unavailable") => return Ok(()),
        _ => {}
    }
    match &answer.payment_response {
        Some(told) if !told.success && told.error_reason.as_deref() == Some("settlement_pending") => Ok(()),
        _ => Err("its PAYMENT-RESPONSE does not say pending".to_owned()),
    }
}

/// Holds that a caller who is told to wait is told for what, where the facilitator had said so before. The first transaction that
/// it named stays named: what it sends again reverts on the nonce that the first has used.
fn names_its_transaction(history: &History, answer: &Answer, payment: &str, sent_us: u64) -> Result<(), String> {
    let before = history.settles_of(payment).filter(|call| call.ended_us <= sent_us);
    let mut named = before.filter_map(|call| match &call.what.answer {
        FacilitatorAnswer::Sent { ok: Some(false), transaction, .. } => {
            let heard = !history.line_may_be_lost(call.ended_us);
            transaction.clone().filter(|transaction| heard && !transaction.is_empty())
        }
        _ => None,
    });
    let told = answer.payment_response.as_ref().map(|told| told.transaction.as_str());
    match named.next().filter(|_| answer.code.as_deref() == Some("settlement_pending")) {
        Some(named) if told != Some(&named) => Err(format!("it does not name transaction {named}")),
        _ => Ok(()),
    }
}

/// Payments whose money moved and whose purchase was refused: the caller resent until it got a wrong final answer.
fn never_told(history: &History) -> impl Iterator<Item = Violation> {
    let refused = history.purchases().filter(|purchase| purchase.outcome == PurchaseOutcome::Refused);
    refused.flat_map(move |purchase| {
        let moved = purchase.what.payments.iter().filter_map(|payment| history.moved(payment));
        moved.map(move |transfer| {
            let payment = short(&transfer.what.payment);
            let what = format!("purchase {} ended refused, although {payment} moved money", purchase.purchase);
            Violation::new(what, purchase.line).and([transfer.line])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::PaymentResponse, verdict::Verdict};

    fn pending(answer: &mut Answer) {
        answer.code = Some("settlement_pending".to_owned());
        answer.retry_after_s = Some(2);
        let error_reason = Some("settlement_pending".to_owned());
        answer.payment_response = Some(PaymentResponse { error_reason, ..PaymentResponse::default() });
    }

    fn lost() -> Story {
        Story::new().transfer("p1", "primary").settle("p1", "primary", NOTHING)
    }

    #[test]
    fn pending_and_then_the_content_is_a_pass() {
        let history = lost().answered(Some("p1"), 503, pending).settle("p1", "primary", YES).served("p1").history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn a_bill_for_a_payment_that_may_have_moved_money_is_seen() {
        let history = lost().answered(Some("p1"), 402, |answer| answer.offered = true).history();
        assert_eq!(shown(&judge(&history)), [2, 4]);
        let unmoved = Story::new().settle("p1", "primary", NOTHING).answered(Some("p1"), 402, |_| {});
        assert_eq!(shown(&judge(&unmoved.history())), [2, 3]);
        let refused = lost().purchase_that("p1", PurchaseOutcome::Refused);
        assert_eq!(shown(&judge(&refused.history())), [2, 4]);
    }

    #[test]
    fn a_503_that_does_not_say_pending_is_seen() {
        let silent = lost().answered(Some("p1"), 503, |answer| answer.retry_after_s = Some(2));
        assert_eq!(shown(&judge(&silent.history())), [2, 4]);
        let no_date = lost().answered(Some("p1"), 503, |answer| {
            pending(answer);
            answer.retry_after_s = None;
        });
        assert_eq!(shown(&judge(&no_date.history())), [2, 4]);
    }

    #[test]
    fn a_503_because_nobody_can_look_up_the_tenant_is_no_failure() {
        let unread = lost().answered(Some("p1"), 503, |answer| {
            (answer.code, answer.retry_after_s) = (Some("tenant_directory_unavailable".to_owned()), Some(2));
        });
        assert_eq!(judge(&unread.settle("p1", "primary", YES).served("p1").history()).verdict, Verdict::Pass);
    }

    #[test]
    fn a_refusal_is_not_wrong_because_a_later_try_moved_the_money() {
        let billed = Story::new().settle("p1", "primary", NO).answered(Some("p1"), 402, |answer| answer.offered = true);
        let history = billed.transfer("p1", "primary").settle("p1", "primary", YES).served("p1").history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn a_402_after_a_known_refusal_is_no_matter_of_this_rule() {
        let history = Story::new().settle("p1", "primary", NO).answered(Some("p1"), 402, |_| {}).history();
        assert_eq!(judge(&history).verdict, Verdict::Unknown);
    }
}
