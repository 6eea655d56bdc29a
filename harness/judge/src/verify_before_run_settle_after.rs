//! MONEY-6: verify comes before the tenant runs and never makes it run, and settle comes after the run; where the offer is
//! `upfront`, settle comes before the run, and verify before the settle: what nobody has verified is nobody's to owe.
//!
//! Judged by when the doubles were asked and when the namespace was handed a run. Which payment a run was for is the
//! dispatcher's word, so a kill that may have taken that word with it excuses a settlement without a run.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    describe::{at, short},
    history::{Known, Line},
    settled_answer::Conclusion,
};
use reports::{
    event::{ExchangeKind, FacilitatorAnswer, FacilitatorEndpoint, Flow},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "MONEY-6",
    checker: "verify-before-run-settle-after",
    says: "MONEY-6: verify comes before the tenant runs, and settle after it unless the offer is upfront",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "x402 v2, scheme exact",
            says: "authorization: verify, handler, settle; upfront: settle, handler",
        },
        Source::Incident {
            thread: "x402-foundation/x402#1169",
            what: "a client can cancel its authorization or drain its balance between verify and settle",
        },
        Source::Incident { thread: "x402-rs#22", what: "settlement prior to request execution was asked for" },
        Source::Peer { checks: "R19" },
    ],
    hint: Hint {
        cause: "the stages are out of order, or the offer's payment flow is not the one that is followed",
        look_at: "dispatcher/x402-paywall/src/paywall.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let payments = payments_by_request(history);
    let flows = flows(history);
    let flow = |payment: &str| flows.get(payment).copied().unwrap_or_default();
    let mut runs: BTreeMap<&str, Vec<Run>> = BTreeMap::new();
    for run in history.tenant_runs() {
        if let Some(&(payment, told)) = run.what.request_id.as_deref().and_then(|request| payments.get(request)) {
            runs.entry(payment).or_default().push(Run { at_us: run.at_us, line: run.line, told });
        }
    }
    let verified = first_yes(history);
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (payment, ran) in &runs {
        for run in ran {
            looked_at += 1;
            let held = match flow(payment) {
                Flow::Authorization => verified.get(payment).copied(),
                Flow::Upfront => settled(history, payment),
            };
            if held.is_none_or(|held| held.at_us > run.at_us) {
                let what = format!("{} ran the tenant at {} before it held", short(payment), at(run.at_us));
                let late = held.map(|held| held.line);
                violations.push(Violation::new(what, run.line).and([run.told]).and(late));
            }
        }
    }
    for (payment, calls) in history.settles() {
        let Some(call) = calls.first() else { continue };
        if flow(payment) == Flow::Upfront {
            looked_at += 1;
            let held = verified.get(payment).filter(|held| held.at_us <= call.received_us);
            if held.is_none() {
                let what =
                    format!("{} was asked to settle {}, which nobody had verified", call.facilitator, short(payment));
                violations.push(Violation::new(what, call.line));
            }
            continue;
        }
        looked_at += 1;
        let ran = runs.get(payment).and_then(|runs| runs.iter().min_by_key(|run| run.at_us));
        let ran_before = ran.is_some_and(|run| run.at_us <= call.received_us);
        if !ran_before && !history.line_may_be_lost(call.received_us) {
            let (facilitator, when) = (&call.facilitator, at(call.received_us));
            let what =
                format!("{facilitator} was asked to settle {} at {when}, before its tenant had run", short(payment));
            let late = ran.into_iter().flat_map(|run| [run.line, run.told]);
            violations.push(Violation::new(what, call.line).and(late));
        }
    }
    Finding::of(looked_at, "runs and settlements of payments", violations)
}

struct Run {
    at_us: u64,
    line: Line,
    /// The line in which the dispatcher says whose request it ran for.
    told: Line,
}

/// The payment of each request, as far as the dispatcher's lines tell, and the line that does.
fn payments_by_request(history: &History) -> BTreeMap<&str, (&str, Line)> {
    let stages = history
        .stages()
        .filter_map(|stage| Some((stage.what.request_id.as_deref()?, (stage.what.payment.as_str(), stage.line))));
    let requests = history
        .requests()
        .filter_map(|line| Some((line.what.request_id.as_str(), (line.what.payment.as_deref()?, line.line))));
    stages.chain(requests).collect()
}

/// Whether a yes is one to this payment: one that names another payer is not. A payment's key has its payer before its nonce.
fn is_of(payment: &str, named: Option<&str>) -> bool {
    let payer = payment.rsplit(':').nth(1);
    // Some write "" where others leave it out.
    let named = named.filter(|named| !named.is_empty());
    named.zip(payer).is_none_or(|(named, payer)| named.eq_ignore_ascii_case(payer))
}

/// When a facilitator was first asked about a payment that it called valid.
fn first_yes(history: &History) -> BTreeMap<&str, Known> {
    let mut verified: BTreeMap<&str, Known> = BTreeMap::new();
    for call in history.calls() {
        let FacilitatorAnswer::Sent { ok: Some(true), payer, .. } = &call.what.answer else { continue };
        if let (FacilitatorEndpoint::Verify, Some(payment)) = (call.endpoint, &call.what.payment)
            && is_of(payment, payer.as_deref())
        {
            let asked = Known { at_us: call.received_us, line: call.line };
            let first = verified.entry(payment).or_insert(asked);
            *first = asked.min(*first);
        }
    }
    verified
}

fn settled(history: &History, payment: &str) -> Option<Known> {
    let mut settled = history.settles_of(payment).filter(|call| Conclusion::of(call) == Conclusion::Settled);
    let told = settled.next().map(|call| Known { at_us: call.received_us, line: call.line });
    told.or_else(|| shown_by_a_node(history, payment))
}

/// When the dispatcher knew what no facilitator has told it, of a transfer that stands.
fn shown_by_a_node(history: &History, payment: &str) -> Option<Known> {
    let moved_us = history.event(history.moved(payment)?.line).at_us;
    history.known_settled_at(payment).filter(|known| known.at_us >= moved_us)
}

/// By payment, that of the offer for which it was signed. Told elsewhere, it may be refused before the first has ended.
fn flows(history: &History) -> BTreeMap<&str, Flow> {
    let mut flows = BTreeMap::new();
    for exchange in history.exchanges().filter(|exchange| exchange.kind != ExchangeKind::Elsewhere) {
        let price = history.tenants.get(&exchange.tenant).and_then(|tenant| tenant.price.as_ref());
        if let (Some(payment), Some(price)) = (exchange.what.payment.as_deref(), price) {
            flows.entry(payment).or_insert(price.flow);
        }
    }
    flows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    fn verdict(story: Story) -> Verdict {
        judge(&story.history()).verdict
    }

    #[test]
    fn verify_run_settle_is_a_pass_and_no_other_order_is() {
        let claimed = || Story::new().claimed("p1");
        assert_eq!(verdict(claimed().verified("p1").ran_for("p1").settled("p1", "primary")), Verdict::Pass);
        let lines = |story: Story| shown(&judge(&story.history()));
        assert_eq!(lines(claimed().ran_for("p1").verified("p1").settled("p1", "primary")), [2, 3, 4]);
        assert_eq!(lines(claimed().verified("p1").settled("p1", "primary").ran_for("p1")), [2, 5, 6]);
        assert_eq!(lines(claimed().verified("p1").settled("p1", "primary")), [5]);
        assert_eq!(lines(claimed().ran_for("p1")), [2, 3]);
        assert_eq!(verdict(Story::new()), Verdict::Unknown);
    }

    #[test]
    fn a_yes_to_another_payer_is_no_yes() {
        let key = "eip155:84532:0xa:0xAA:0x1";
        assert!(is_of(key, Some("0xaa")) && is_of(key, None) && !is_of(key, Some("0xbb")));
    }

    #[test]
    fn upfront_settles_first() {
        let upfront = || Story::new().upfront().claimed("p1");
        let sold = |story: Story| story.settled("p1", "primary").ran_for("p1").served("p1");
        assert_eq!(verdict(sold(upfront().verified("p1"))), Verdict::Pass);
        assert_eq!(shown(&judge(&sold(upfront()).history())), [4], "nobody had verified it");
        let late = upfront().verified("p1").ran_for("p1").settled("p1", "primary").served("p1");
        assert_eq!(shown(&judge(&late.history())), [2, 4, 6]);
    }

    #[test]
    fn a_payment_that_is_tried_elsewhere_first_was_signed_for_its_own_offer() {
        let tried = |story: Story| story.sent("p1", ExchangeKind::Elsewhere, 409, |_, _| {});
        let sold = tried(Story::new().upfront().claimed("p1").verified("p1").ran_for("p1")).settled("p1", "primary");
        assert_eq!(verdict(sold), Verdict::Pass);
    }

    #[test]
    fn a_kill_excuses_a_run_of_which_nobody_says_what_it_was_for() {
        let killed = Story::new().settled("p1", "primary").killed().restarted();
        assert_eq!(verdict(killed.claimed("p2").verified("p2").ran_for("p2")), Verdict::Pass);
    }
}
