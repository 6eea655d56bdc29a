//! COST-3: what is unpaid, comes too often, or can be refused by looking at it, costs no facilitator call, no run of the
//! tenant and, where it comes too often, no call to the settlement ledger. Judged from both ends: by the request's own lines
//! and run, and by what the facilitators were asked about.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short};
use facts::clients::ENDS_WHILE_THE_TENANT_RUNS;
use reports::{
    event::{Exchange, ExchangeKind},
    level::Level,
};
use std::collections::{BTreeMap, BTreeSet};

pub const RULE: Rule = Rule {
    id: "COST-3",
    checker: "refusals-cost-nothing",
    says: "COST-3: an unpaid or plainly broken request costs no facilitator call and no tenant run",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident {
            thread: "gosuda/x402-facilitator#42",
            what: "authorizations were not compared with the requirements",
        },
        Source::Peer { checks: "R11 (b) and R24" },
    ],
    hint: Hint {
        cause: "a check that needs nobody (signature, amount, recipient, window) comes after the verify, or is left to it",
        look_at: "dispatcher/x402-paywall/src/admission.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let ran = history.runs_by_request();
    let asked: BTreeMap<&str, _> = history.requests().map(|line| (line.what.request_id.as_str(), line)).collect();
    let stages = history.stages().filter_map(|stage| Some((stage.what.request_id.as_deref()?, stage)));
    let claimed: BTreeMap<&str, _> = stages.collect();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        // A tenant may say so, too.
        let too_often = answer.status == 429 && answer.tenant_said.is_none();
        let cheap = too_often || is_cheap(&exchange, history);
        let Some(request) = answer.request_id.as_deref().filter(|_| cheap) else { continue };
        looked_at += 1;
        if let Some(stage) = claimed.get(request).filter(|_| too_often) {
            let what = format!("a request that came too often had its payment {}", stage.stage);
            violations.push(Violation::new(what, exchange.line).and([stage.line]));
        }
        if let Some(run) = ran.get(request) {
            let what = format!("a request that could be refused for free made {} run", run.script);
            violations.push(Violation::new(what, exchange.line).and([run.line]));
        }
        if let Some(line) = asked.get(request).filter(|line| !line.attempts.is_empty()) {
            let what = format!("a request that could be refused for free cost {} calls", line.attempts.len());
            violations.push(Violation::new(what, exchange.line).and([line.line]));
        }
    }
    violations.extend(asked_about_nothing(history));
    violations.extend(settled_too_late(history));
    Finding::of(looked_at, "requests that could be refused for free", violations)
}

fn is_cheap(exchange: &Exchange, history: &History) -> bool {
    history.is_priced(exchange)
        && match exchange.kind {
            // A priced tenant answers nobody's question whether a page may pay: that is the dispatcher's to say.
            ExchangeKind::Unpaid | ExchangeKind::Challenge | ExchangeKind::Preflight => true,
            ExchangeKind::Payment => exchange.method == "HEAD" || exchange.flaw.as_ref().is_some_and(|flaw| flaw.local),
            ExchangeKind::Resend | ExchangeKind::Duplicate | ExchangeKind::Elsewhere | ExchangeKind::Stolen => false,
        }
}

/// Settlements that were begun although their payment had run out while its tenant ran.
fn settled_too_late(history: &History) -> impl Iterator<Item = Violation> {
    let ended =
        |exchange: &Exchange| exchange.flaw.as_ref().is_some_and(|flaw| flaw.name == ENDS_WHILE_THE_TENANT_RUNS);
    let payments: BTreeSet<&str> = history
        .exchanges()
        .filter(|exchange| ended(exchange))
        .filter_map(|exchange| exchange.what.payment.as_deref())
        .collect();
    payments.into_iter().filter_map(|payment| {
        let call = history.settles_of(payment).next()?;
        let what = format!("{} was asked to settle {}, which had run out", call.facilitator, short(payment));
        Some(Violation::new(what, call.line))
    })
}

/// Calls about payments that nobody presented in earnest.
fn asked_about_nothing(history: &History) -> Vec<Violation> {
    let plausible: BTreeSet<&str> = history
        .exchanges()
        .filter(|exchange| !exchange.flaw.as_ref().is_some_and(|flaw| flaw.local))
        .filter_map(|exchange| exchange.what.payment.as_deref())
        .collect();
    // What a fault took before it was read may have been about anything.
    let calls = history.calls().filter(|call| call.payment.is_some() || call.payload_hash.is_some());
    let calls = calls.filter(|call| !call.payment.as_deref().is_some_and(|payment| plausible.contains(payment)));
    calls
        .map(|call| {
            let about = call.payment.as_deref().map_or_else(|| "something unreadable".to_owned(), short);
            let what = format!("{} was asked about {about}, which no client presented in earnest", call.facilitator);
            Violation::new(what, call.line)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn refusing_for_free_is_a_pass() {
        let history = Story::new().unpaid().logged().flawed("nonce-altered", true, 402).logged().history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn a_run_and_a_call_are_seen() {
        let ran = Story::new().unpaid().ran_for_it();
        assert_eq!(shown(&judge(&ran.history())), [2, 3]);
        let asked =
            Story::new().flawed("forged", true, 402).logged_with(|line| line.attempts = vec![attempt("primary")]);
        assert_eq!(shown(&judge(&asked.history())), [2, 3]);
        let settled = Story::new().unpaid().settle("p1", "primary", NO);
        assert_eq!(shown(&judge(&settled.history())), [3]);
    }

    #[test]
    fn what_comes_too_often_is_not_even_claimed() {
        let refused = || Story::new().answered(Some("p1"), 429, |_| {});
        assert_eq!(judge(&refused().history()).verdict, Verdict::Pass);
        assert_eq!(shown(&judge(&refused().claimed_for_it("p1").history())), [2, 3]);
    }

    #[test]
    fn what_only_a_facilitator_can_tell_may_be_asked_about() {
        let history =
            Story::new().unpaid().flawed("smart-account", false, 402).settle("flawed", "primary", NO).history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }
}
