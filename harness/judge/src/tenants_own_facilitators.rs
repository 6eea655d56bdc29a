//! MONEY-5: a tenant's payments go to the facilitators that it names, whatever becomes of those; and to the one that it names
//! first, for as long as that one answers.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short};
use reports::{
    event::{Event, FacilitatorAnswer, FacilitatorCall},
    level::Level,
};
use std::collections::{BTreeMap, BTreeSet};

pub const RULE: Rule = Rule {
    id: "MONEY-5",
    checker: "tenants-own-facilitators",
    says: "MONEY-5: a tenant's payments go to the facilitators that it names",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Promise { place: "README.md, Configuring the dispatcher", what: "a tenant lists its own facilitators" },
        Source::Spec {
            document: "x402 v2, scheme upto",
            says: "a payment may be bound to one facilitator, and then no other can settle it",
        },
    ],
    hint: Hint {
        cause: "the choice falls back on all configured facilitators when the tenant's own are down",
        look_at: "dispatcher/x402-paywall/src/asker.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    let mut looked_at = 0;
    for call in history.calls() {
        let told = call.what.payment.as_deref().and_then(|payment| Some((payment, history.tenant_of(payment)?)));
        let Some((payment, (said_at, tenant))) = told else { continue };
        looked_at += 1;
        if !tenant.facilitators.contains(&call.facilitator) {
            let what = format!("{} of {} went to {}", short(payment), tenant.id, call.facilitator);
            violations.push(Violation::new(what, call.line).and([said_at]));
        }
    }
    violations.extend(out_of_order(history));
    Finding::of(looked_at, "calls to facilitators", violations)
}

/// First questions about payments that went past a facilitator which nothing had been wrong with in the run so far.
fn out_of_order(history: &History) -> Vec<Violation> {
    let mut asked = BTreeSet::new();
    let mut troubled: BTreeSet<&str> = BTreeSet::new();
    let mut violations = Vec::new();
    let mut calls: Vec<_> = history.calls().collect();
    calls.sort_by_key(|call| call.received_us);
    let first_trouble = first_trouble(history);
    let full = without_room(history);
    for call in &calls {
        let payment = call.what.payment.as_deref();
        troubled.extend(first_trouble.iter().filter(|(_, at_us)| **at_us <= call.received_us).map(|(name, _)| *name));
        let told = payment.and_then(|payment| Some((payment, history.tenant_of(payment)?)));
        let Some((payment, (said_at, tenant))) = told else { continue };
        if !asked.insert(payment) {
            continue;
        }
        let before = tenant.facilitators.iter().take_while(|name| **name != call.facilitator);
        let is_excused = |name: &str| troubled.contains(name) || full.contains(&(payment, name));
        if let Some(sound) = before.clone().find(|name| !is_excused(name)) {
            let what = format!("{} of {} went to {} past {sound}", short(payment), tenant.id, call.facilitator);
            violations.push(Violation::new(what, call.line).and([said_at]));
        }
    }
    violations
}

/// When each facilitator was first not sound: a call of it failed, a fault on it began, or the dispatcher said so.
fn first_trouble(history: &History) -> BTreeMap<&str, u64> {
    let mut first: BTreeMap<&str, u64> = BTreeMap::new();
    let mut note = |name, at_us: u64| {
        let at = first.entry(name).or_insert(at_us);
        *at = at_us.min(*at);
    };
    for (_, recorded) in history.lines() {
        match &recorded.event {
            Event::FaultStarted { fault } => note(fault.on.as_str(), recorded.at_us),
            Event::FacilitatorStanding(standing) => note(standing.facilitator.as_str(), recorded.at_us),
            Event::FacilitatorCalled(call) if is_trouble(call) => note(call.facilitator.as_str(), call.received_us),
            _ => {}
        }
    }
    first
}

/// Payments for which a facilitator had no room, by the dispatcher's own word: it bounds what it asks for strangers.
fn without_room(history: &History) -> BTreeSet<(&str, &str)> {
    let mut full = BTreeSet::new();
    for line in history.requests() {
        let Some(payment) = line.what.payment.as_deref() else { continue };
        let busy = line.what.attempts.iter().filter(|attempt| attempt.result == "busy");
        full.extend(busy.map(|attempt| (payment, attempt.facilitator.as_str())));
    }
    full
}

fn is_trouble(call: &FacilitatorCall) -> bool {
    !matches!(call.answer, FacilitatorAnswer::Sent { status: 200, .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_payment_at_a_facilitator_that_its_tenant_does_not_name_is_seen() {
        let found = |at| judge(&Story::new().told("p1").settle("p1", at, YES).history());
        assert_eq!(found("primary").verdict, Verdict::Pass);
        assert_eq!(shown(&found("stranger")), [2, 3]);
        assert_eq!(judge(&Story::new().settle("p1", "primary", YES).history()).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_sound_facilitator_that_is_passed_over_is_seen() {
        let past = Story::new().told("p1").settle("p1", "standby", YES);
        assert_eq!(shown(&judge(&past.history())), [2, 3]);
        let failed = Story::new().told("p1").settle("p1", "primary", NOTHING).settle("p1", "standby", YES);
        assert_eq!(judge(&failed.history()).verdict, Verdict::Pass);
        let after = Story::new().told("p1").settle("p0", "primary", GARBLED).settle("p1", "standby", YES);
        assert_eq!(judge(&after.history()).verdict, Verdict::Pass);
    }
}
