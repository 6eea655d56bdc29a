//! Judges: pure functions from a run's history to a verdict, one file a rule. They look at events only, so an old history
//! can be judged again; and a rule that the history says nothing about is unknown, never held.

mod books_balance;
mod dispatch_carries_limits;
mod every_request_ends_once;
mod faults_bit;
mod finding;
mod history;
mod latency;
mod no_cross_tenant_bytes;
mod nobody_pays_for_nothing;
mod paid_content_only_after_settlement;
mod recovers;
mod settle_at_most_once;
mod settle_stays_put_while_unknown;
mod settled_answer;
mod traffic_flowed;
mod unknown_is_not_failed;

#[cfg(test)]
mod testing;

pub use finding::Finding;
pub use history::History;

use crate::scenario::{Checker, Must};
use reports::report::Check;

/// Judges a history by each of the scenario's rules, in their order.
#[must_use]
pub fn judge(musts: &[Must], history: &History) -> Vec<Check> {
    musts
        .iter()
        .map(|must| {
            let checker = must.checker();
            let finding = find(checker, history);
            Check {
                id: must.id().to_owned(),
                name: checker.name().to_owned(),
                expected: checker.expects(),
                verdict: finding.verdict,
                detail: finding.detail,
                witness: finding.witness,
            }
        })
        .collect()
}

fn find(checker: &Checker, history: &History) -> Finding {
    match checker {
        Checker::SettleAtMostOnce => settle_at_most_once::judge(history),
        Checker::PaidContentOnlyAfterSettlement => paid_content_only_after_settlement::judge(history),
        Checker::UnknownIsNotFailed => unknown_is_not_failed::judge(history),
        Checker::NobodyPaysForNothing => nobody_pays_for_nothing::judge(history),
        Checker::SettleStaysPutWhileUnknown => settle_stays_put_while_unknown::judge(history),
        Checker::BooksBalance => books_balance::judge(history),
        Checker::NoCrossTenantBytes => no_cross_tenant_bytes::judge(history),
        Checker::DispatchCarriesLimits => dispatch_carries_limits::judge(history),
        Checker::Recovers { within, after } => recovers::judge(history, after.as_str(), *within),
        Checker::EveryRequestEndsOnce => every_request_ends_once::judge(history),
        Checker::Latency { phase, quantile, at_most } => latency::judge(history, phase.as_str(), *quantile, *at_most),
        Checker::FaultsBit => faults_bit::judge(history),
        Checker::TrafficFlowed => traffic_flowed::judge(history),
    }
}
