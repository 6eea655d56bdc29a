//! MONEY-6: verify comes before the tenant runs and never makes it run, and settle comes after the run; where the offer is
//! `upfront`, settle comes first and verify not at all.
//!
//! Judged by when the doubles were asked and when the namespace was handed a run. Which payment a run was for is the
//! dispatcher's word, so a kill that may have taken that word with it excuses a settlement without a run.

use super::{Finding, History, history::short, settled_answer::Conclusion};
use reports::event::{Event, FacilitatorAnswer, FacilitatorCall, FacilitatorEndpoint, Flow};
use std::collections::BTreeMap;

pub fn judge(history: &History) -> Finding {
    let payments = payments_by_request(history);
    let mut runs: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for recorded in &history.events {
        if let Event::TenantRan(run) = &recorded.event
            && let Some(payment) = run.request_id.as_deref().and_then(|request| payments.get(request))
        {
            runs.entry(payment).or_default().push(recorded.at_us);
        }
    }
    let verified = first_yes(history);
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (payment, ran) in &runs {
        for ran_us in ran {
            looked_at += 1;
            let paid_us = match flow(history, payment) {
                Flow::Authorization => verified.get(payment).copied(),
                Flow::Upfront => settled(history, payment),
            };
            if paid_us.is_none_or(|paid_us| paid_us > *ran_us) {
                violations.push(format!("{} ran the tenant at {} before it held", short(payment), at(*ran_us)));
            }
        }
    }
    for (payment, calls) in &history.settles {
        let Some(call) = calls.first().filter(|_| flow(history, payment) == Flow::Authorization) else { continue };
        looked_at += 1;
        let ran_before = runs.get(payment.as_str()).is_some_and(|ran| ran.iter().any(|ran| *ran <= call.received_us));
        if !ran_before && !history.line_may_be_lost(call.received_us) {
            violations.push(told_to_settle(payment, call));
        }
    }
    Finding::of(looked_at, "runs and settlements of payments", violations)
}

fn told_to_settle(payment: &str, call: &FacilitatorCall) -> String {
    let (facilitator, at) = (&call.facilitator, at(call.received_us));
    format!("{facilitator} was asked to settle {} at {at}, before the tenant had run for it", short(payment))
}

/// As far as the dispatcher's lines tell.
fn payments_by_request(history: &History) -> BTreeMap<&str, &str> {
    let stages = history.stages.iter().filter_map(|stage| Some((stage.request_id.as_deref()?, stage.payment.as_str())));
    let requests = history.requests.iter();
    let requests = requests.filter_map(|line| Some((line.request_id.as_str(), line.payment.as_deref()?)));
    stages.chain(requests).collect()
}

/// When a facilitator was first asked about a payment that it called valid.
fn first_yes(history: &History) -> BTreeMap<&str, u64> {
    let mut verified: BTreeMap<&str, u64> = BTreeMap::new();
    for recorded in &history.events {
        let Event::FacilitatorCalled(call) = &recorded.event else { continue };
        let said_yes = matches!(call.answer, FacilitatorAnswer::Sent { ok: Some(true), .. });
        if let (FacilitatorEndpoint::Verify, true, Some(payment)) = (call.endpoint, said_yes, &call.payment) {
            let first = verified.entry(payment).or_insert(call.received_us);
            *first = call.received_us.min(*first);
        }
    }
    verified
}

fn settled(history: &History, payment: &str) -> Option<u64> {
    let mut settled = history.settles_of(payment).iter().filter(|call| Conclusion::of(call) == Conclusion::Settled);
    settled.next().map(|call| call.received_us)
}

/// Of the offer that the payment was first presented for.
fn flow(history: &History, payment: &str) -> Flow {
    let presented = history.exchanges.iter().find(|exchange| exchange.payment.as_deref() == Some(payment));
    let tenant = presented.and_then(|exchange| history.tenants.get(&exchange.tenant));
    tenant.and_then(|tenant| tenant.price.as_ref()).map(|price| price.flow).unwrap_or_default()
}

fn at(us: u64) -> String {
    format!("{:.3} s", us as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    fn verdict(story: Story) -> Verdict {
        judge(&story.history()).verdict
    }

    #[test]
    fn verify_run_settle_is_a_pass_and_no_other_order_is() {
        let claimed = || Story::new().claimed("p1");
        assert_eq!(verdict(claimed().verified("p1").ran_for("p1").settled("p1", "primary")), Verdict::Pass);
        assert_eq!(verdict(claimed().ran_for("p1").verified("p1").settled("p1", "primary")), Verdict::Fail);
        assert_eq!(verdict(claimed().verified("p1").settled("p1", "primary").ran_for("p1")), Verdict::Fail);
        assert_eq!(verdict(claimed().verified("p1").settled("p1", "primary")), Verdict::Fail);
        assert_eq!(verdict(claimed().ran_for("p1")), Verdict::Fail);
        assert_eq!(verdict(Story::new()), Verdict::Unknown);
    }

    #[test]
    fn upfront_settles_first() {
        let upfront = || Story::new().upfront().claimed("p1");
        assert_eq!(verdict(upfront().settled("p1", "primary").ran_for("p1").served("p1")), Verdict::Pass);
        assert_eq!(
            verdict(upfront().verified("p1").ran_for("p1").settled("p1", "primary").served("p1")),
            Verdict::Fail
        );
    }

    #[test]
    fn a_kill_excuses_a_run_of_which_nobody_says_what_it_was_for() {
        let killed = Story::new().settled("p1", "primary").killed().restarted();
        assert_eq!(verdict(killed.claimed("p2").verified("p2").ran_for("p2")), Verdict::Pass);
    }
}
