//! Judges: pure functions from a run's history to a verdict, one file a rule. They look at events only, so an old history
//! can be judged again; and a rule that the history says nothing about is unknown, never held.

mod answers_as_documented;
mod books_balance;
mod clients_acted;
mod dispatch_carries_limits;
mod every_request_ends_once;
mod faults_bit;
mod finding;
mod head_is_free;
mod headers_are_ours;
mod history;
mod is_not_asked;
mod latency;
mod malformed_is_refused;
mod no_cross_tenant_bytes;
mod nobody_pays_for_nothing;
mod one_payment_one_request;
mod pages_can_pay;
mod paid_content_only_after_settlement;
mod paid_is_private;
mod quarantined_gets_probes_only;
mod recovers;
mod refusals_cost_nothing;
mod settle_at_most_once;
mod settle_stays_put_while_unknown;
mod settled_answer;
mod standing_seldom_changes;
mod statuses_kept;
mod tenants_own_facilitators;
mod traffic_flowed;
mod unknown_is_not_failed;
mod verify_before_run_settle_after;

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
        Checker::VerifyBeforeRunSettleAfter => verify_before_run_settle_after::judge(history),
        Checker::OnePaymentOneRequest => one_payment_one_request::judge(history),
        Checker::BooksBalance => books_balance::judge(history),
        Checker::NoCrossTenantBytes => no_cross_tenant_bytes::judge(history),
        Checker::HeadersAreOurs => headers_are_ours::judge(history),
        Checker::PaidIsPrivate => paid_is_private::judge(history),
        Checker::DispatchCarriesLimits => dispatch_carries_limits::judge(history),
        Checker::RefusalsCostNothing => refusals_cost_nothing::judge(history),
        Checker::QuarantinedGetsProbesOnly { grace } => quarantined_gets_probes_only::judge(history, *grace),
        Checker::StandingSeldomChanges { at_most } => standing_seldom_changes::judge(history, *at_most),
        Checker::IsNotAsked { facilitator, phase } => {
            is_not_asked::judge(history, facilitator.as_str(), phase.as_str())
        }
        Checker::TenantsOwnFacilitators => tenants_own_facilitators::judge(history),
        Checker::Recovers { within, after } => recovers::judge(history, after.as_str(), *within),
        Checker::EveryRequestEndsOnce => every_request_ends_once::judge(history),
        Checker::AnswersAsDocumented => answers_as_documented::judge(history),
        Checker::MalformedIsRefused => malformed_is_refused::judge(history),
        Checker::HeadIsFree => head_is_free::judge(history),
        Checker::StatusesKept => statuses_kept::judge(history),
        Checker::PagesCanPay => pages_can_pay::judge(history),
        Checker::Latency { phase, quantile, at_most } => latency::judge(history, phase.as_str(), *quantile, *at_most),
        Checker::FaultsBit => faults_bit::judge(history),
        Checker::TrafficFlowed => traffic_flowed::judge(history),
        Checker::ClientsActed => clients_acted::judge(history),
    }
}
