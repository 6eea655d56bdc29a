//! COST-3: what is unpaid, or can be refused by looking at it, costs no facilitator call and no run of the tenant. Judged
//! from both ends: by the request's own line and run, and by what the facilitators were asked about.

use super::{
    Finding, History,
    history::{short, tell},
};
use reports::event::{Event, Exchange, ExchangeKind, FacilitatorEndpoint};
use std::collections::{BTreeMap, BTreeSet};

pub fn judge(history: &History) -> Finding {
    let mut ran: BTreeMap<&str, &str> = BTreeMap::new();
    for run in &history.tenant_runs {
        if let Some(request) = &run.request_id {
            ran.insert(request, &run.script);
        }
    }
    let asked: BTreeMap<&str, usize> =
        history.requests.iter().map(|line| (line.request_id.as_str(), line.attempts.len())).collect();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let Some(request) = answer.request_id.as_deref().filter(|_| is_cheap(exchange, history)) else { continue };
        looked_at += 1;
        if let Some(script) = ran.get(request) {
            violations.push(format!("{}: it made {script} run", tell(exchange)));
        }
        if let Some(calls) = asked.get(request).filter(|calls| **calls > 0) {
            violations.push(format!("{}: it cost {calls} calls of facilitators", tell(exchange)));
        }
    }
    violations.extend(asked_about_nothing(history));
    Finding::of(looked_at, "requests that could be refused for free", violations)
}

fn is_cheap(exchange: &Exchange, history: &History) -> bool {
    let priced = history.tenants.get(&exchange.tenant).is_some_and(|tenant| tenant.price.is_some());
    priced
        && match exchange.kind {
            ExchangeKind::Unpaid | ExchangeKind::Challenge => true,
            ExchangeKind::Payment => exchange.method == "HEAD" || exchange.flaw.as_ref().is_some_and(|flaw| flaw.local),
            ExchangeKind::Resend | ExchangeKind::Duplicate | ExchangeKind::Elsewhere | ExchangeKind::Preflight => false,
        }
}

/// Calls about payments that nobody presented in earnest.
fn asked_about_nothing(history: &History) -> Vec<String> {
    let plausible: BTreeSet<&str> = history
        .exchanges
        .iter()
        .filter(|exchange| !exchange.flaw.as_ref().is_some_and(|flaw| flaw.local))
        .filter_map(|exchange| exchange.payment.as_deref())
        .collect();
    let calls = history.events.iter().filter_map(|recorded| match &recorded.event {
        Event::FacilitatorCalled(call) if call.endpoint != FacilitatorEndpoint::Supported => Some(call),
        _ => None,
    });
    calls
        .filter(|call| !call.payment.as_deref().is_some_and(|payment| plausible.contains(payment)))
        .map(|call| {
            let about = call.payment.as_deref().map_or_else(|| "something unreadable".to_owned(), short);
            format!(
                "{} was asked to {:?} {about}, which no client presented in earnest",
                call.facilitator, call.endpoint
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn refusing_for_free_is_a_pass() {
        let history = Story::new().unpaid().logged().flawed("nonce-altered", true, 402).logged().history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn a_run_and_a_call_are_seen() {
        let ran = Story::new().unpaid().ran_for_it();
        assert_eq!(judge(&ran.history()).verdict, Verdict::Fail);
        let asked =
            Story::new().flawed("forged", true, 402).logged_with(|line| line.attempts = vec![attempt("primary")]);
        assert_eq!(judge(&asked.history()).verdict, Verdict::Fail);
        let settled = Story::new().unpaid().settle("p1", "primary", NO);
        assert_eq!(judge(&settled.history()).verdict, Verdict::Fail);
    }

    #[test]
    fn what_only_a_facilitator_can_tell_may_be_asked_about() {
        let history =
            Story::new().unpaid().flawed("smart-account", false, 402).settle("flawed", "primary", NO).history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }
}
