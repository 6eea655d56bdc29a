//! LIVE-4: as long as one of a tenant's facilitators answers, nobody is told that none does.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short};
use reports::{
    event::{Event, FacilitatorAnswer, FacilitatorCall, FacilitatorEndpoint},
    level::Level,
};
use std::collections::{BTreeMap, BTreeSet};

pub const RULE: Rule = Rule {
    id: "LIVE-4",
    checker: "one-facilitator-suffices",
    says: "LIVE-4: while one of a tenant's facilitators answers, nobody is told that none does",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident {
            thread: "x402-foundation/x402#1062",
            what: "one facilitator that is too slow takes every seller down that has no other",
        },
        Source::Promise {
            place: "ARCHITECTURE.md, Whom payments rely on",
            what: "a quarantined facilitator is left out, and the next one is asked",
        },
    ],
    hint: Hint {
        cause: "verify stops at the first facilitator, or one that could be asked is left out",
        look_at: "dispatcher/x402-paywall/src/asker.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let (in_trouble, serving) = (first_faults(history), serving(history));
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer, payment) in history.paid_answers() {
        let Some(tenant) = history.tenants.get(&exchange.tenant) else { continue };
        let well = tenant.facilitators.iter().find(|id| {
            let fault = in_trouble.get(id.as_str());
            fault.is_none_or(|since_us| *since_us > exchange.ended_us) && serving.contains(id.as_str())
        });
        let Some(well) = well else { continue };
        looked_at += 1;
        if answer.code.as_deref() == Some("facilitators_unavailable") {
            let what = format!("no facilitator was to be had, although {well} had answered all along");
            violations.push(Violation::new(what, exchange.line));
        }
        let opinion = answer.code.as_deref().filter(|code| answer.status == 402 && is_an_opinion(code));
        if let Some(code) = opinion.filter(|_| exchange.flaw.is_none() && !was_asked(history, well, payment)) {
            let what = format!("{} was answered {code}, and {well} was never asked about it", short(payment));
            violations.push(Violation::new(what, exchange.line));
        }
    }
    Finding::of(looked_at, "payments of which one facilitator was well", violations)
}

/// Whether a refusal says what one facilitator takes, and nothing of the payer's account that every node would tell alike. Of a
/// payment whose terms were checked already, another one may well say yes.
fn is_an_opinion(code: &str) -> bool {
    ["mismatch", "requirements", "payload", "format", "simulation", "asset"].iter().any(|word| code.contains(word))
}

fn was_asked(history: &History, facilitator: &str, payment: &str) -> bool {
    history.calls().any(|call| call.facilitator == facilitator && call.what.payment.as_deref() == Some(payment))
}

/// When something was first wrong with each facilitator. One that is slow, and answers, is well.
fn first_faults(history: &History) -> BTreeMap<&str, u64> {
    let mut first = BTreeMap::new();
    let mut wrong = |facilitator, at_us: u64| {
        let earliest = first.entry(facilitator).or_insert(at_us);
        *earliest = at_us.min(*earliest);
    };
    for (_, recorded) in history.lines() {
        match &recorded.event {
            Event::FaultStarted { fault } if fault.inject != "slow" => wrong(fault.on.as_str(), recorded.at_us),
            Event::FacilitatorCalled(call) if is_no_answer(call) => wrong(&call.facilitator, call.received_us),
            _ => {}
        }
    }
    first
}

fn is_no_answer(call: &FacilitatorCall) -> bool {
    let answered = matches!(call.answer, FacilitatorAnswer::Sent { ok: Some(_), .. });
    call.endpoint != FacilitatorEndpoint::Supported && !answered
}

/// Those that say yes to payments: one that wants a key, or serves other networks, does not.
fn serving(history: &History) -> BTreeSet<&str> {
    let yes = history.calls().filter(|call| {
        let yes = matches!(call.what.answer, FacilitatorAnswer::Sent { ok: Some(true), .. });
        yes && call.endpoint == FacilitatorEndpoint::Settle
    });
    yes.map(|call| call.what.facilitator.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::Answer, verdict::Verdict};

    const NOBODY: fn(&mut Answer) = |answer| answer.code = Some("facilitators_unavailable".to_owned());

    #[test]
    fn nobody_is_turned_away_while_one_is_well() {
        let served = Story::new().settled("p1", "standby").served("p1").fault("refuse");
        assert_eq!(judge(&served.history()).verdict, Verdict::Pass);
        let away = Story::new().settled("p1", "standby").fault("refuse").answered(Some("p2"), 503, NOBODY);
        assert_eq!(shown(&judge(&away.history())), [5]);
    }

    #[test]
    fn where_none_was_well_nothing_is_said() {
        let down = Story::new().settled("p1", "primary").fault("refuse").answered(Some("p2"), 503, NOBODY);
        assert_eq!(judge(&down.history()).verdict, Verdict::Unknown);
        let never = Story::new().answered(Some("p1"), 503, NOBODY);
        assert_eq!(judge(&never.history()).verdict, Verdict::Unknown, "standby never served anybody");
    }
}
