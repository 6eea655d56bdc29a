//! MONEY-4: whoever was charged has the content, or could collect it by the end; and a tenant that fails, redirects or
//! answers with an error is not settled for. Whether it failed is the namespace's word as well as the dispatcher's: one that
//! was cut off has sold nothing, whatever its caller was told.

use super::{
    Finding, Hint, History, Rule, Source, Violation, describe::short, history::At, settled_answer::Conclusion,
};
use reports::{
    event::{Answer, FacilitatorAnswer, FacilitatorCall, PurchaseOutcome, TenantAnswer, TenantEnd, TenantOutcome},
    level::Level,
};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "MONEY-4",
    checker: "nobody-pays-for-nothing",
    says: "MONEY-4: who was charged has the content, or can collect it",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident { thread: "x402-foundation/x402#721", what: "a handler's 4xx or 5xx must not settle" },
        Source::Incident {
            thread: "aws-samples/sample-agentcore-cloudfront-x402-payments#28",
            what: "settled, and then the content could not be fetched",
        },
        Source::Incident { thread: "x402-foundation/x402#277", what: "a facilitator does not know 'already settled'" },
        Source::Peer { checks: "R14, R15 and R23" },
    ],
    hint: Hint {
        cause: "the tenant's answer is not looked at before it is settled for, or the response is not kept for a resend",
        look_at: "dispatcher/x402-paywall/src/paywall.rs",
    },
};

/// A client that presents its payment once, whatever the answer is.
const ONCE: &str = "once";

pub fn judge(history: &History) -> Finding {
    let (mut charged, mut failed, mut open) = (0, 0, 0);
    let mut violations = Vec::new();
    let ends = history.ends_by_request();
    let failure = |answer: &Answer| ends.get(answer.request_id.as_deref()?).filter(|end| has_failed(end));
    let served: BTreeSet<&str> = history
        .paid_answers()
        .filter(|(_, answer, _)| (200..300).contains(&answer.status) && failure(answer).is_none())
        .map(|(_, _, payment)| payment)
        .collect();
    for (exchange, answer, payment) in history.paid_answers() {
        let failure = failure(answer);
        if failure.is_none() && !is_no_content(answer) {
            continue;
        }
        failed += 1;
        if let Some(transfer) = history.moved(payment).filter(|_| !served.contains(payment)) {
            let what = format!("{} was settled for a tenant's failure", short(payment));
            let end = failure.map(|end| end.line);
            violations.push(Violation::new(what, exchange.line).and([transfer.line]).and(end));
        }
    }
    for (exchange, answer, payment) in history.paid_answers().filter(|(_, answer, _)| lost_its_body(answer)) {
        let transfer = history.moved(payment).map(|transfer| transfer.line);
        let what =
            format!("{} bought content of which {} bytes came, not its whole body", short(payment), answer.body_bytes);
        violations.push(Violation::new(what, exchange.line).and(transfer));
    }
    for purchase in history.purchases() {
        let Some(transfer) = purchase.payments.iter().find_map(|payment| history.moved(payment)) else { continue };
        charged += 1;
        // One that presents its payment once was told to come back, and did not.
        let left_it = purchase.client == ONCE;
        if purchase.outcome == PurchaseOutcome::Unresolved && (left_it || nobody_can_tell(history, &transfer.payment)) {
            open += 1;
        } else if purchase.outcome != PurchaseOutcome::Served {
            let (payment, payer, outcome) = (short(&transfer.payment), &purchase.payer, purchase.outcome);
            let what =
                format!("purchase {} of {payer} ended {outcome:?}, although {payment} moved money", purchase.purchase);
            violations.push(Violation::new(what, purchase.line).and([transfer.line]));
        }
    }
    let finding = Finding::of(charged + failed, "charges and failures of tenants", violations);
    let detail = format!(
        "{}; {charged} purchases were charged, {failed} answers of tenants were no content, of {open} nobody can tell",
        finding.detail
    );
    finding.with_detail(detail)
}

/// Whether the payment was asked about, and all that came is what a facilitator says that forgets what it settled. Then only
/// a node knows, and there is none.
fn nobody_can_tell(history: &History, payment: &str) -> bool {
    let mut asked_again = history.settles_of(payment).skip(1);
    // An answer to a process that was being killed was heard by nobody.
    let heard = |call: &At<'_, FacilitatorCall>| !history.line_may_be_lost(call.ended_us);
    let told = history.settles_of(payment).any(|call| Conclusion::of(&call) == Conclusion::Settled && heard(&call));
    !history.has_node
        && !told
        && asked_again.any(|call| matches!(call.answer, FacilitatorAnswer::Sent { ok: Some(false), .. }))
}

/// Whether the run ended before its whole answer was there, and not because its caller went away.
fn has_failed(end: &TenantEnd) -> bool {
    let by_itself = end.outcome != TenantOutcome::Ok && end.outcome != TenantOutcome::Cancelled;
    by_itself && end.answer != TenantAnswer::Whole
}

/// A tenant double's content has a body, but for the statuses that have none; and where it knew how long, it says so.
fn lost_its_body(answer: &Answer) -> bool {
    let Some(said) = answer.tenant_said.as_ref().filter(|said| (200..300).contains(&said.status)) else { return false };
    let is_whole = said.bytes.map_or(answer.body_bytes > 0, |bytes| bytes == answer.body_bytes);
    !matches!(answer.status, 204 | 205) && !is_whole
}

/// Whether the tenant ran and produced nothing that may be sold.
fn is_no_content(answer: &Answer) -> bool {
    let failed = matches!(
        answer.code.as_deref(),
        Some(
            "tenant_worker_failure"
                | "tenant_response_too_large"
                | "tenant_cpu_limit_exceeded"
                | "tenant_subrequest_limit_exceeded"
                | "tenant_time_limit_exceeded"
        )
    );
    failed || answer.tenant_said.as_ref().is_some_and(|said| said.status >= 300)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::TenantSaid, verdict::Verdict};

    #[test]
    fn a_charge_without_content_is_seen() {
        let served = Story::new().settled("p1", "primary").purchase(&["p1"]);
        assert_eq!(judge(&served.history()).verdict, Verdict::Pass);
        let robbed = Story::new().settled("p1", "primary").purchase_that("p1", PurchaseOutcome::Unresolved);
        assert_eq!(shown(&judge(&robbed.history())), [2, 4]);
    }

    #[test]
    fn a_charge_that_nobody_can_tell_of_stays_open_without_a_node() {
        let used = Said::Sent(200, Some(false), Some("invalid_exact_evm_nonce_already_used"));
        let unresolved = |story: Story| story.purchase_that("p1", PurchaseOutcome::Unresolved);
        let lost = || Story::new().transfer("p1", "primary").settle("p1", "primary", NOTHING);
        assert_eq!(judge(&unresolved(lost().settle("p1", "primary", used)).history()).verdict, Verdict::Pass);
        assert_eq!(shown(&judge(&unresolved(lost()).history())), [2, 4], "nobody asked again");
        assert_eq!(shown(&judge(&unresolved(lost().settle("p1", "primary", YES)).history())), [2, 5]);
        let node = unresolved(lost().settle("p1", "primary", used)).with_node();
        assert_eq!(shown(&judge(&node.history())), [2, 5]);
    }

    #[test]
    fn content_without_its_body_is_seen() {
        fn said() -> Option<TenantSaid> {
            Some(TenantSaid { status: 200, ..TenantSaid::default() })
        }
        let content = |answer: &mut Answer| {
            answer.tenant_said = said();
            answer.body_bytes = 7;
        };
        let empty = |answer: &mut Answer| answer.tenant_said = said();
        let whole = Story::new().settled("p1", "primary").served_with("p1", content).purchase(&["p1"]);
        assert_eq!(judge(&whole.history()).verdict, Verdict::Pass);
        let lost = Story::new().settled("p1", "primary").served_with("p1", empty).purchase(&["p1"]);
        assert_eq!(shown(&judge(&lost.history())), [2, 4]);
        let cut = |answer: &mut Answer| {
            answer.tenant_said = said().map(|said| TenantSaid { bytes: Some(8), ..said });
            answer.body_bytes = 7;
        };
        let cut = Story::new().settled("p1", "primary").served_with("p1", cut).purchase(&["p1"]);
        assert_eq!(shown(&judge(&cut.history())), [2, 4]);
    }

    #[test]
    fn a_charge_for_a_run_that_the_namespace_cut_off_is_seen_whatever_was_answered() {
        let cut = |end: &mut TenantEnd| (end.outcome, end.answer) = (TenantOutcome::ExceededCpu, TenantAnswer::Begun);
        let sold = Story::new().settled("p1", "primary").served("p1").ended_for_it(cut).purchase(&["p1"]);
        assert_eq!(shown(&judge(&sold.history())), [2, 4, 5]);
        let background = Story::new().settled("p1", "primary").served("p1");
        let background = background.ended_for_it(|end| end.outcome = TenantOutcome::ExceededCpu).purchase(&["p1"]);
        assert_eq!(judge(&background.history()).verdict, Verdict::Pass, "its caller has the whole answer");
        let again = Story::new().settled("p1", "primary").answered(Some("p1"), 503, |_| {}).ended_for_it(cut);
        assert_eq!(judge(&again.served("p1").purchase(&["p1"]).history()).verdict, Verdict::Pass, "it ran again");
    }

    #[test]
    fn a_charge_for_a_tenants_failure_is_seen() {
        let failure = |answer: &mut Answer| answer.code = Some("tenant_worker_failure".to_owned());
        let redirect =
            |answer: &mut Answer| answer.tenant_said = Some(TenantSaid { status: 302, ..TenantSaid::default() });
        let free = Story::new().answered(Some("p1"), 502, failure).answered(Some("p2"), 302, redirect);
        assert_eq!(judge(&free.history()).verdict, Verdict::Pass);
        for charged in [
            Story::new().settled("p1", "primary").answered(Some("p1"), 502, failure),
            Story::new().settled("p1", "primary").answered(Some("p1"), 302, redirect),
        ] {
            assert_eq!(shown(&judge(&charged.history())), [2, 4]);
        }
    }
}
