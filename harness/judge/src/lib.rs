//! Judges: pure functions from a run's history to a verdict, one file a rule. They look at events only, so an old history
//! can be judged again; and a rule that the history says nothing about is unknown, never held.
//!
//! The registry below is the only way to a judge, and takes none without its [`Rule`].

mod alerts_are_told_once;
mod answers_as_documented;
mod baseline_rules;
mod books_balance;
mod checker;
mod class;
mod clients_acted;
mod describe;
mod directory_is_followed;
mod dispatch_carries_limits;
mod egress_is_confined;
mod every_request_ends_once;
mod facilitators_are_spared;
mod faults_bit;
mod finding;
mod flood_is_cut;
mod good_payments_are_honoured;
mod head_is_free;
mod headers_are_ours;
mod headers_once;
mod history;
mod honest_buyers_are_served;
mod is_not_asked;
mod latency;
mod malformed_is_refused;
mod must;
mod names_are_kept;
mod neighbours_unmoved;
mod no_content_without_settlement;
mod no_cross_tenant_bytes;
mod nobody_pays_for_nothing;
mod one_facilitator_suffices;
mod one_payment_one_request;
mod one_transfer_one_content;
mod origin;
mod others_are_served;
mod over_limit_is_cut_off;
mod pages_can_pay;
mod paid_content_only_after_settlement;
mod paid_is_private;
mod payments_are_given_back;
mod quarantine_counts;
mod quarantined_gets_probes_only;
mod quarantines;
mod questions_grow_apart;
mod reaches_the_named_tenant;
mod recovers;
mod refusals_cost_nothing;
mod retry_after_is_sane;
mod rule;
mod secrets_are_kept;
mod settle_at_most_once;
mod settle_stays_put_while_unknown;
mod settled_answer;
mod sold_is_bounded;
mod standing_seldom_changes;
mod statuses_kept;
mod storage_is_freed;
mod strangers_collect_nothing;
mod tenants_own_facilitators;
mod traffic_flowed;
mod unknown_is_asked_about;
mod unknown_is_not_failed;
mod verify_before_run_settle_after;
mod within_limits_runs;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use baseline_rules::ALWAYS;
pub use checker::{AlertName, Callers, Checker, Sender};
pub use class::class_of;
pub use finding::{Finding, Violation};
pub use flood_is_cut::Bounds;
pub use history::{At, History, Line};
pub use must::Must;
pub use rule::{Hint, Rule, Source};

use reports::report::{self, Check, Witness, WitnessEvent};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Most other places that a report names beside the clearest one. The history has them all.
const MAX_OTHERS: usize = 5;

/// Every rule, in the order in which the checkers are listed.
pub const RULES: [&Rule; 54] = [
    &settle_at_most_once::RULE,
    &paid_content_only_after_settlement::RULE,
    &no_content_without_settlement::RULE,
    &unknown_is_not_failed::RULE,
    &nobody_pays_for_nothing::RULE,
    &settle_stays_put_while_unknown::RULE,
    &verify_before_run_settle_after::RULE,
    &one_payment_one_request::RULE,
    &books_balance::RULE,
    &good_payments_are_honoured::RULE,
    &strangers_collect_nothing::RULE,
    &one_transfer_one_content::RULE,
    &no_cross_tenant_bytes::RULE,
    &reaches_the_named_tenant::RULE,
    &directory_is_followed::RULE,
    &headers_are_ours::RULE,
    &paid_is_private::RULE,
    &secrets_are_kept::RULE,
    &names_are_kept::RULE,
    &egress_is_confined::RULE,
    &dispatch_carries_limits::RULE,
    &over_limit_is_cut_off::RULE,
    &within_limits_runs::RULE,
    &quarantine_counts::RULE,
    &neighbours_unmoved::RULE,
    &refusals_cost_nothing::RULE,
    &quarantined_gets_probes_only::RULE,
    &standing_seldom_changes::RULE,
    &is_not_asked::RULE,
    &flood_is_cut::RULE,
    &facilitators_are_spared::RULE,
    &questions_grow_apart::RULE,
    &sold_is_bounded::RULE,
    &tenants_own_facilitators::RULE,
    &recovers::RULE,
    &others_are_served::RULE,
    &honest_buyers_are_served::RULE,
    &every_request_ends_once::RULE,
    &unknown_is_asked_about::RULE,
    &one_facilitator_suffices::RULE,
    &payments_are_given_back::RULE,
    &storage_is_freed::RULE,
    &answers_as_documented::RULE,
    &malformed_is_refused::RULE,
    &head_is_free::RULE,
    &statuses_kept::RULE,
    &pages_can_pay::RULE,
    &headers_once::RULE,
    &retry_after_is_sane::RULE,
    &alerts_are_told_once::RULE,
    &latency::RULE,
    &faults_bit::RULE,
    &traffic_flowed::RULE,
    &clients_acted::RULE,
];

/// The rules that no planted bug breaks, each with the reason that stands in its file. Every other rule has a bug.
pub const WITHOUT_A_BUG: [(&Rule, &str); 2] =
    [(&faults_bit::RULE, faults_bit::NO_BUG), (&clients_acted::RULE, clients_acted::NO_BUG)];

// A rule that rests on nothing, or leaves whoever breaks it alone, does not compile.
const _: () = {
    let mut n = 0;
    while n < RULES.len() {
        assert!(RULES[n].is_complete());
        n += 1;
    }
};

/// A rule with what judges it.
struct Judge<'a> {
    rule: &'static Rule,
    find: Box<dyn Fn(&History) -> Finding + 'a>,
}

impl<'a> Judge<'a> {
    fn new(rule: &'static Rule, find: impl Fn(&History) -> Finding + 'a) -> Self {
        Self { rule, find: Box::new(find) }
    }
}

fn judge_of(checker: &Checker) -> Judge<'_> {
    match checker {
        Checker::SettleAtMostOnce => Judge::new(&settle_at_most_once::RULE, settle_at_most_once::judge),
        Checker::PaidContentOnlyAfterSettlement => {
            Judge::new(&paid_content_only_after_settlement::RULE, paid_content_only_after_settlement::judge)
        }
        Checker::UnknownIsNotFailed => Judge::new(&unknown_is_not_failed::RULE, unknown_is_not_failed::judge),
        Checker::NobodyPaysForNothing => Judge::new(&nobody_pays_for_nothing::RULE, nobody_pays_for_nothing::judge),
        Checker::SettleStaysPutWhileUnknown => {
            Judge::new(&settle_stays_put_while_unknown::RULE, settle_stays_put_while_unknown::judge)
        }
        Checker::VerifyBeforeRunSettleAfter => {
            Judge::new(&verify_before_run_settle_after::RULE, verify_before_run_settle_after::judge)
        }
        Checker::OnePaymentOneRequest => Judge::new(&one_payment_one_request::RULE, one_payment_one_request::judge),
        Checker::BooksBalance => Judge::new(&books_balance::RULE, books_balance::judge),
        Checker::NoCrossTenantBytes => Judge::new(&no_cross_tenant_bytes::RULE, no_cross_tenant_bytes::judge),
        Checker::ReachesTheNamedTenant => Judge::new(&reaches_the_named_tenant::RULE, reaches_the_named_tenant::judge),
        Checker::DirectoryIsFollowed { within } => {
            Judge::new(&directory_is_followed::RULE, |history| directory_is_followed::judge(history, *within))
        }
        Checker::HeadersAreOurs => Judge::new(&headers_are_ours::RULE, headers_are_ours::judge),
        Checker::PaidIsPrivate => Judge::new(&paid_is_private::RULE, paid_is_private::judge),
        Checker::EgressIsConfined => Judge::new(&egress_is_confined::RULE, egress_is_confined::judge),
        Checker::DispatchCarriesLimits => Judge::new(&dispatch_carries_limits::RULE, dispatch_carries_limits::judge),
        Checker::OverLimitIsCutOff => Judge::new(&over_limit_is_cut_off::RULE, over_limit_is_cut_off::judge),
        Checker::WithinLimitsRuns => Judge::new(&within_limits_runs::RULE, within_limits_runs::judge),
        Checker::QuarantineCounts { within } => {
            Judge::new(&quarantine_counts::RULE, |history| quarantine_counts::judge(history, *within))
        }
        Checker::NeighboursUnmoved { phase, against, within } => Judge::new(&neighbours_unmoved::RULE, |history| {
            neighbours_unmoved::judge(history, phase.as_str(), against.as_str(), *within)
        }),
        Checker::RefusalsCostNothing => Judge::new(&refusals_cost_nothing::RULE, refusals_cost_nothing::judge),
        Checker::QuarantinedGetsProbesOnly { grace } => Judge::new(&quarantined_gets_probes_only::RULE, |history| {
            quarantined_gets_probes_only::judge(history, *grace)
        }),
        Checker::StandingSeldomChanges { at_most } => {
            Judge::new(&standing_seldom_changes::RULE, |history| standing_seldom_changes::judge(history, *at_most))
        }
        Checker::IsNotAsked { facilitator, phase } => Judge::new(&is_not_asked::RULE, |history| {
            is_not_asked::judge(history, facilitator.as_str(), phase.as_str())
        }),
        Checker::FloodIsCut { traffic, by, bounds } => {
            Judge::new(&flood_is_cut::RULE, |history| flood_is_cut::judge(history, traffic.as_str(), *by, *bounds))
        }
        Checker::OthersAreServed { traffic, quiet, noisy, slower_by } => {
            Judge::new(&others_are_served::RULE, |history| {
                others_are_served::judge(history, traffic.as_str(), quiet.as_str(), noisy.as_str(), *slower_by)
            })
        }
        Checker::HonestBuyersAreServed { traffic, quiet, noisy, at_least } => {
            Judge::new(&honest_buyers_are_served::RULE, |history| {
                honest_buyers_are_served::judge(history, traffic.as_str(), quiet.as_str(), noisy.as_str(), *at_least)
            })
        }
        Checker::AlertsAreToldOnce { alert, at_most } => Judge::new(&alerts_are_told_once::RULE, |history| {
            alerts_are_told_once::judge(history, alert.as_str(), *at_most)
        }),
        Checker::TenantsOwnFacilitators => Judge::new(&tenants_own_facilitators::RULE, tenants_own_facilitators::judge),
        Checker::Recovers { within, after } => {
            Judge::new(&recovers::RULE, |history| recovers::judge(history, after.as_str(), *within))
        }
        Checker::EveryRequestEndsOnce => Judge::new(&every_request_ends_once::RULE, every_request_ends_once::judge),
        Checker::UnknownIsAskedAbout => Judge::new(&unknown_is_asked_about::RULE, unknown_is_asked_about::judge),
        Checker::AnswersAsDocumented => Judge::new(&answers_as_documented::RULE, answers_as_documented::judge),
        Checker::MalformedIsRefused => Judge::new(&malformed_is_refused::RULE, malformed_is_refused::judge),
        Checker::HeadIsFree => Judge::new(&head_is_free::RULE, head_is_free::judge),
        Checker::StatusesKept => Judge::new(&statuses_kept::RULE, statuses_kept::judge),
        Checker::PagesCanPay => Judge::new(&pages_can_pay::RULE, pages_can_pay::judge),
        Checker::Latency { phase, quantile, at_most, callers } => {
            Judge::new(&latency::RULE, |history| latency::judge(history, phase.as_str(), *quantile, *at_most, callers))
        }
        Checker::GoodPaymentsAreHonoured => {
            Judge::new(&good_payments_are_honoured::RULE, good_payments_are_honoured::judge)
        }
        Checker::SecretsAreKept => Judge::new(&secrets_are_kept::RULE, secrets_are_kept::judge),
        Checker::FacilitatorsAreSpared => Judge::new(&facilitators_are_spared::RULE, facilitators_are_spared::judge),
        Checker::SoldIsBounded => Judge::new(&sold_is_bounded::RULE, sold_is_bounded::judge),
        Checker::OneFacilitatorSuffices => Judge::new(&one_facilitator_suffices::RULE, one_facilitator_suffices::judge),
        Checker::PaymentsAreGivenBack => Judge::new(&payments_are_given_back::RULE, payments_are_given_back::judge),
        Checker::NoContentWithoutSettlement => {
            Judge::new(&no_content_without_settlement::RULE, no_content_without_settlement::judge)
        }
        Checker::StrangersCollectNothing => {
            Judge::new(&strangers_collect_nothing::RULE, strangers_collect_nothing::judge)
        }
        Checker::OneTransferOneContent => Judge::new(&one_transfer_one_content::RULE, one_transfer_one_content::judge),
        Checker::NamesAreKept => Judge::new(&names_are_kept::RULE, names_are_kept::judge),
        Checker::QuestionsGrowApart => Judge::new(&questions_grow_apart::RULE, questions_grow_apart::judge),
        Checker::StorageIsFreed => Judge::new(&storage_is_freed::RULE, storage_is_freed::judge),
        Checker::HeadersOnce => Judge::new(&headers_once::RULE, headers_once::judge),
        Checker::RetryAfterIsSane => Judge::new(&retry_after_is_sane::RULE, retry_after_is_sane::judge),
        Checker::FaultsBit => Judge::new(&faults_bit::RULE, faults_bit::judge),
        Checker::TrafficFlowed => Judge::new(&traffic_flowed::RULE, traffic_flowed::judge),
        Checker::ClientsActed => Judge::new(&clients_acted::RULE, clients_acted::judge),
    }
}

/// The rule that a checker judges.
#[must_use]
pub fn rule_of(checker: &Checker) -> &'static Rule {
    judge_of(checker).rule
}

/// Judges a history by each of the scenario's rules, in their order. One that the scenario does not name, and that finds nothing
/// to judge by, has no place in a report.
#[must_use]
pub fn judge(musts: &[Must], history: &History) -> Vec<Check> {
    musts.iter().filter_map(|must| check(must, history)).collect()
}

fn check(must: &Must, history: &History) -> Option<Check> {
    let Judge { rule, find } = judge_of(must.checker());
    let finding = unless_it_panics(|| find(history));
    if must.is_baseline() && finding.is_idle {
        return None;
    }
    let witness = finding.clearest().map(|clearest| witness(clearest, &finding.violations, history));
    Some(Check {
        id: must.id().to_owned(),
        name: rule.checker.to_owned(),
        expected: must.checker().expects(),
        level: must.level(),
        class: class_of(rule.id).expect("a test holds every rule to have a class"),
        verdict: finding.verdict,
        detail: finding.detail,
        line: None,
        witness,
        sources: rule.sources.iter().map(ToString::to_string).collect(),
        hint: report::Hint { cause: rule.hint.cause.to_owned(), look_at: rule.hint.look_at.to_owned() },
        known: None,
    })
}

/// A judge that panics has not judged: neither a pass nor the end of the other judges.
fn unless_it_panics(find: impl FnOnce() -> Finding) -> Finding {
    // A judge only looks at the history, so it can leave nothing half done.
    let found = catch_unwind(AssertUnwindSafe(find));
    found.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Finding::unknown(format!("the judge panicked: {}", said.as_deref().unwrap_or("it did not say why")))
    })
}

fn witness(clearest: &Violation, all: &[Violation], history: &History) -> Witness {
    let event = |line: &Line| WitnessEvent { line: line.number(), text: describe::tell(history.event(*line)) };
    let others = all.iter().filter(|violation| !std::ptr::eq(*violation, clearest));
    Witness {
        what: clearest.what.clone(),
        events: clearest.lines().iter().map(event).collect(),
        others: others.take(MAX_OTHERS).map(|violation| violation.what.clone()).collect(),
    }
}
