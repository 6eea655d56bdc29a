//! Judges: pure functions from a run's history to a verdict, one file a rule. They look at events only, so an old history
//! can be judged again; and a rule that the history says nothing about is unknown, never held.
//!
//! The list below is the only way to a judge, and takes none without its [`Rule`]. One line of it makes the rule's room, its
//! checker, the checker's TOML and schema, and its place in every list.

mod about;
mod baseline_rules;
mod class;
mod describe;
mod finding;
mod history;
mod must;
mod origin;
mod quarantines;
mod registry;
mod rule;
mod settled_answer;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

// One line a rule, in the order of the lists. One with parameters names them: as a scenario writes them, and as they are judged by.
registry::rules! {
    SettleAtMostOnce = settle_at_most_once;
    PaidContentOnlyAfterSettlement = paid_content_only_after_settlement;
    NoContentWithoutSettlement = no_content_without_settlement;
    UnknownIsNotFailed = unknown_is_not_failed;
    NobodyPaysForNothing = nobody_pays_for_nothing;
    SettleStaysPutWhileUnknown = settle_stays_put_while_unknown;
    VerifyBeforeRunSettleAfter = verify_before_run_settle_after;
    OnePaymentOneRequest = one_payment_one_request;
    BooksBalance = books_balance;
    KeptBooksBalance = kept_books_balance;
    GoodPaymentsAreHonoured = good_payments_are_honoured;
    StrangersCollectNothing = strangers_collect_nothing;
    OneTransferOneContent = one_transfer_one_content;
    BoughtIsGivenAgain = bought_is_given_again;
    NoCrossTenantBytes = no_cross_tenant_bytes;
    ReachesTheNamedTenant = reaches_the_named_tenant;
    DirectoryIsFollowed = directory_is_followed(RawDirectoryIsFollowed => DirectoryIsFollowed);
    HeadersAreOurs = headers_are_ours;
    PaidIsPrivate = paid_is_private;
    SecretsAreKept = secrets_are_kept;
    NamesAreKept = names_are_kept;
    OperatorsAloneSee = operators_alone_see;
    EgressIsConfined = egress_is_confined;
    DispatchCarriesLimits = dispatch_carries_limits;
    OverLimitIsCutOff = over_limit_is_cut_off;
    WithinLimitsRuns = within_limits_runs;
    QuarantineCounts = quarantine_counts(RawQuarantineCounts => QuarantineCounts);
    NeighboursUnmoved = neighbours_unmoved(RawNeighboursUnmoved => NeighboursUnmoved);
    RefusalsCostNothing = refusals_cost_nothing;
    QuarantinedGetsProbesOnly = quarantined_gets_probes_only(RawQuarantinedGetsProbesOnly => QuarantinedGetsProbesOnly);
    StandingSeldomChanges = standing_seldom_changes(RawStandingSeldomChanges => StandingSeldomChanges);
    IsNotAsked = is_not_asked(RawIsNotAsked => IsNotAsked);
    FloodIsCut = flood_is_cut(RawFloodIsCut => FloodIsCut);
    FacilitatorsAreSpared = facilitators_are_spared;
    QuestionsGrowApart = questions_grow_apart;
    SoldIsBounded = sold_is_bounded;
    TenantsOwnFacilitators = tenants_own_facilitators;
    Recovers = recovers(RawRecovers => Recovers);
    WhoIsBackIsAsked = who_is_back_is_asked(RawWhoIsBackIsAsked => WhoIsBackIsAsked);
    OthersAreServed = others_are_served(RawOthersAreServed => OthersAreServed);
    HonestBuyersAreServed = honest_buyers_are_served(RawHonestBuyersAreServed => HonestBuyersAreServed);
    FewCallersConvictNobody = few_callers_convict_nobody;
    EveryRequestEndsOnce = every_request_ends_once;
    UnknownIsAskedAbout = unknown_is_asked_about;
    OneFacilitatorSuffices = one_facilitator_suffices;
    PaymentsAreGivenBack = payments_are_given_back;
    StorageIsFreed = storage_is_freed;
    EventsAreKept = events_are_kept;
    FairWeatherServes = fair_weather_serves;
    ChainEndsWhatIsOpen = chain_ends_what_is_open;
    AnswersAsDocumented = answers_as_documented;
    MalformedIsRefused = malformed_is_refused;
    HeadIsFree = head_is_free;
    StatusesKept = statuses_kept;
    PagesCanPay = pages_can_pay;
    HeadersOnce = headers_once;
    RetryAfterIsSane = retry_after_is_sane;
    AlertsAreToldOnce = alerts_are_told_once(RawAlertsAreToldOnce => AlertsAreToldOnce);
    Latency = latency(RawLatency => Latency);
    FaultsBit = faults_bit;
    TrafficFlowed = traffic_flowed;
    ClientsActed = clients_acted;
}

pub use about::About;
pub use alerts_are_told_once::AlertName;
pub use baseline_rules::ALWAYS;
pub use class::class_of;
pub use finding::{Finding, Violation};
pub use flood_is_cut::{Bounds, Sender};
pub use history::{At, History, Line};
pub use latency::Callers;
pub use must::Must;
pub use rule::{Hint, Rule, Source};

use reports::report::{self, Check, Witness, WitnessEvent};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Most other places that a report names beside the clearest one. The history has them all.
const MAX_OTHERS: usize = 5;

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

/// The rule that a checker judges.
#[must_use]
pub fn rule_of(checker: &Checker) -> &'static Rule {
    checker.judge().rule
}

/// Judges a history by each of the scenario's rules, in their order. One that the scenario does not name, and that finds nothing
/// to judge by, has no place in a report.
#[must_use]
pub fn judge(musts: &[Must], history: &History) -> Vec<Check> {
    musts.iter().filter_map(|must| check(must, history)).collect()
}

fn check(must: &Must, history: &History) -> Option<Check> {
    let Judge { rule, find } = must.checker().judge();
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
