//! MONEY-9: a payment that is as it was asked for is not billed again, nor called broken, unless a facilitator has refused it.

use super::{
    Finding, Hint, History, Rule, Source, Violation, describe::short, history::At, settled_answer::Conclusion,
};
use reports::{
    event::{Exchange, ExchangeKind, FacilitatorAnswer, FacilitatorEndpoint},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "MONEY-9",
    checker: "good-payments-are-honoured",
    says: "MONEY-9: a payment as it was asked for is not billed again unless a facilitator refused it",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "x402 v2, transports/http",
            says: "402 is for a payment that is missing or failed: a client signs another one for it",
        },
        Source::Incident {
            thread: "aws-samples/sample-agentcore-cloudfront-x402-payments#40",
            what: "a facilitator's silence was answered with 402, and a conforming payer paid twice",
        },
        Source::Promise { place: "README.md, What the caller gets", what: "402 says what is wrong with a payment" },
    ],
    hint: Hint {
        cause: "a check of the payment's window or terms is off, or a facilitator without an answer is taken for a no",
        look_at: "dispatcher/x402-paywall/src/admission.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let refusals = refusals(history);
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer, payment) in history.paid_answers().filter(|(exchange, ..)| is_good(exchange, history)) {
        looked_at += 1;
        let refused = refusals.get(payment).is_some_and(|received_us| *received_us <= exchange.ended_us);
        // What a price asks for beyond the payment, its client may not know.
        let wants_more = answer.code.as_deref() == Some("payment_identifier_required");
        // Without a code it is the tenant's own answer.
        let Some(code) = answer.code.as_deref().filter(|_| matches!(answer.status, 400 | 402 | 412)) else { continue };
        // It never moved and never can, as a node can tell.
        let ran_out = code == "authorization_expired_unused" && history.has_node && history.moved(payment).is_none();
        if !refused && !wants_more && !ran_out {
            let what =
                format!("{} was answered {} {code}, and no facilitator refused it", short(payment), answer.status);
            violations.push(Violation::new(what, exchange.line));
        }
    }
    Finding::of(looked_at, "payments as they were asked for", violations)
}

/// In earnest, for what was offered, and at the one price that there was.
fn is_good(exchange: &At<'_, Exchange>, history: &History) -> bool {
    let in_earnest = matches!(exchange.kind, ExchangeKind::Payment | ExchangeKind::Resend | ExchangeKind::Duplicate);
    in_earnest && exchange.flaw.is_none() && exchange.method != "HEAD" && has_one_price(history, &exchange.tenant)
}

fn has_one_price(history: &History, tenant: &str) -> bool {
    let mut prices = history.prices_of(tenant);
    prices.next().is_some_and(|first| prices.all(|other| other == first))
}

/// Whether a `no` says that the facilitator is ill, and nothing of the payment.
fn speaks_of_itself(reason: &str) -> bool {
    ["unexpected", "internal", "rpc", "node", "rate_limit"].iter().any(|word| reason.contains(word))
        && !reason.contains("nonce")
}

/// When each payment that a facilitator refused was first asked about in vain.
fn refusals(history: &History) -> BTreeMap<&str, u64> {
    let mut refusals = BTreeMap::new();
    for call in history.calls() {
        let no = match (&call.what.answer, call.endpoint) {
            (FacilitatorAnswer::Sent { ok, reason, .. }, FacilitatorEndpoint::Verify) => {
                *ok == Some(false) && !reason.as_deref().is_some_and(speaks_of_itself)
            }
            _ => Conclusion::of(&call) == Conclusion::Refused,
        };
        if let Some(payment) = call.what.payment.as_deref().filter(|_| no) {
            let first = refusals.entry(payment).or_insert(call.received_us);
            *first = call.received_us.min(*first);
        }
    }
    refusals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::DirectoryNews, verdict::Verdict};

    #[test]
    fn a_new_bill_that_no_facilitator_asked_for_is_seen() {
        let billed =
            |story: Story| story.answered(Some("p1"), 402, |answer| answer.code = Some("payment_required".to_owned()));
        assert_eq!(shown(&judge(&billed(Story::new()).history())), [2]);
        let silent = billed(Story::new().settle_with("p1", "primary", NOTHING, |call| {
            call.endpoint = FacilitatorEndpoint::Verify;
        }));
        assert_eq!(shown(&judge(&silent.history())), [3]);
        const ILL: Said = Said::Sent(200, Some(false), Some("unexpected_verify_error"));
        let ill = billed(Story::new().settle_with("p1", "primary", ILL, |call| {
            call.endpoint = FacilitatorEndpoint::Verify;
        }));
        assert_eq!(shown(&judge(&ill.history())), [3]);
        let refused = billed(Story::new().settle("p1", "primary", NO));
        assert_eq!(judge(&refused.history()).verdict, Verdict::Pass);
        let later = billed(Story::new()).settle("p1", "primary", NO);
        assert_eq!(shown(&judge(&later.history())), [2]);
    }

    #[test]
    fn what_is_broken_or_pays_a_former_price_is_left_to_others() {
        assert_eq!(judge(&Story::new().flawed("for-too-little", true, 402).history()).verdict, Verdict::Unknown);
        let former = Story::new().directory("20000", DirectoryNews::Adopted).answered(Some("p1"), 402, |_| {});
        assert_eq!(judge(&former.history()).verdict, Verdict::Unknown);
        assert_eq!(judge(&Story::new().served("p1").history()).verdict, Verdict::Pass);
    }
}
