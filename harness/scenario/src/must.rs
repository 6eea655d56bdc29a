//! What a scenario expects: a rule's id and the checker that holds it. The id is what people say and link to, so it must
//! be the one of the rule that the checker judges.

use super::{
    directory::DirectoryChange,
    fault::Fault,
    kill::Kill,
    ledger::Disturbance,
    operator::OperatorAction,
    world::{CpuLimitPolicy, World},
};
use grammar::{
    Name, Problem, Problems, Timeline,
    limits::{MAX_ARRIVALS, MAX_BLOCKS},
    name,
    text::{NameText, TimeText},
    time,
};
use judge::{AlertName, Bounds, Callers, Checker, Must, Sender};
use reports::level::Level;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;
use traffic::{ClientKind, Traffic};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Must")]
pub(super) struct RawMust {
    /// The rule that the checker judges, such as MONEY-1; with a suffix where a scenario asks more than once, and always
    /// for latency: LATENCY-steady.
    #[schemars(with = "String", regex(pattern = "^[A-Z]+(-.+)$"))]
    id: Spanned<String>,
    /// How much it weighs here, in place of the rule's own level.
    level: Option<RawLevel>,
    /// Its checker: `harness list --checkers`.
    #[schemars(with = "RawChecker")]
    hold: Spanned<RawChecker>,
}

/// How much a rule weighs.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Level")]
pub(super) enum RawLevel {
    /// A run in which it does not hold is no pass.
    Must,
    /// It is reported.
    Should,
    /// It is only told.
    Observe,
}

impl From<RawLevel> for Level {
    fn from(raw: RawLevel) -> Self {
        match raw {
            RawLevel::Must => Self::Must,
            RawLevel::Should => Self::Should,
            RawLevel::Observe => Self::Observe,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[schemars(rename = "Checker")]
pub(super) enum RawChecker {
    SettleAtMostOnce {},
    PaidContentOnlyAfterSettlement {},
    NoContentWithoutSettlement {},
    UnknownIsNotFailed {},
    NobodyPaysForNothing {},
    SettleStaysPutWhileUnknown {},
    VerifyBeforeRunSettleAfter {},
    OnePaymentOneRequest {},
    BooksBalance {},
    GoodPaymentsAreHonoured {},
    StrangersCollectNothing {},
    OneTransferOneContent {},
    NoCrossTenantBytes {},
    ReachesTheNamedTenant {},
    DirectoryIsFollowed {
        /// The bound, from a change on.
        #[schemars(with = "TimeText")]
        within: Spanned<String>,
    },
    HeadersAreOurs {},
    PaidIsPrivate {},
    SecretsAreKept {},
    NamesAreKept {},
    EgressIsConfined {},
    DispatchCarriesLimits {},
    OverLimitIsCutOff {},
    WithinLimitsRuns {},
    QuarantineCounts {
        /// The bound, from an operator's word or policy's on.
        #[schemars(with = "TimeText")]
        within: Spanned<String>,
    },
    NeighboursUnmoved {
        #[schemars(with = "NameText")]
        phase: Spanned<String>,
        /// The phase that it is compared with.
        #[schemars(with = "NameText")]
        against: Spanned<String>,
        /// The difference that noise alone makes.
        #[schemars(with = "TimeText")]
        within: Spanned<String>,
    },
    RefusalsCostNothing {},
    QuarantinedGetsProbesOnly {
        /// From the third failure in a row.
        #[schemars(with = "TimeText")]
        grace: Spanned<String>,
    },
    StandingSeldomChanges {
        /// The changes of one facilitator at one kind of call.
        #[schemars(with = "usize", range(max = MAX_ARRIVALS))]
        at_most: Spanned<usize>,
    },
    IsNotAsked {
        #[schemars(with = "NameText")]
        facilitator: Spanned<String>,
        #[schemars(with = "NameText")]
        phase: Spanned<String>,
    },
    FloodIsCut {
        /// The traffic block that floods.
        #[schemars(with = "NameText")]
        traffic: Spanned<String>,
        /// Whose requests count together.
        by: Sender,
        /// Answers other than 429, in any such stretch.
        #[schemars(with = "usize", range(max = MAX_ARRIVALS))]
        at_most: Spanned<usize>,
        /// How long a stretch is.
        #[schemars(with = "TimeText")]
        within: Spanned<String>,
        /// To facilitators, for the whole block.
        #[schemars(with = "usize", range(max = MAX_ARRIVALS))]
        calls: Spanned<usize>,
    },
    FacilitatorsAreSpared {},
    QuestionsGrowApart {},
    SoldIsBounded {},
    TenantsOwnFacilitators {},
    Recovers {
        /// The bound, from the end of that phase.
        #[schemars(with = "TimeText")]
        within: Spanned<String>,
        /// The phase that ends in health.
        #[schemars(with = "NameText")]
        after: Spanned<String>,
    },
    OthersAreServed {
        /// The traffic block of those who do not flood.
        #[schemars(with = "NameText")]
        traffic: Spanned<String>,
        /// The phase in which nobody floods.
        #[schemars(with = "NameText")]
        quiet: Spanned<String>,
        /// The phase in which somebody does.
        #[schemars(with = "NameText")]
        noisy: Spanned<String>,
        /// At their 95th percentile.
        #[schemars(with = "TimeText")]
        slower_by: Spanned<String>,
    },
    HonestBuyersAreServed {
        /// The traffic block of those who do not attack.
        #[schemars(with = "NameText")]
        traffic: Spanned<String>,
        /// The phase in which nobody attacks.
        #[schemars(with = "NameText")]
        quiet: Spanned<String>,
        /// The phase in which somebody does.
        #[schemars(with = "NameText")]
        noisy: Spanned<String>,
        /// In percent of the quiet phase's share.
        #[schemars(with = "f64", extend("exclusiveMinimum" = 0, "maximum" = 100))]
        at_least: Spanned<f64>,
    },
    EveryRequestEndsOnce {},
    UnknownIsAskedAbout {},
    OneFacilitatorSuffices {},
    PaymentsAreGivenBack {},
    StorageIsFreed {},
    AnswersAsDocumented {},
    MalformedIsRefused {},
    HeadIsFree {},
    StatusesKept {},
    PagesCanPay {},
    HeadersOnce {},
    RetryAfterIsSane {},
    AlertsAreToldOnce {
        /// Its name in the log line.
        alert: AlertName,
        /// And at least once.
        #[schemars(with = "usize", range(min = 1, max = MAX_ARRIVALS))]
        at_most: Spanned<usize>,
    },
    Latency {
        #[schemars(with = "NameText")]
        phase: Spanned<String>,
        /// In percent.
        #[schemars(with = "f64", extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 100))]
        quantile: Spanned<f64>,
        #[schemars(with = "TimeText")]
        at_most: Spanned<String>,
        /// Only the requests of this traffic block.
        #[schemars(with = "Option<NameText>")]
        traffic: Option<Spanned<String>>,
        /// Only the requests of this kind of client.
        #[schemars(with = "Option<NameText>")]
        client: Option<Spanned<String>>,
        /// Only requests to this tenant.
        #[schemars(with = "Option<NameText>")]
        tenant: Option<Spanned<String>>,
    },
    FaultsBit {},
    TrafficFlowed {},
    ClientsActed {},
}

/// The rest of the file, for checkers to name.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub world: &'a World,
    pub timeline: &'a Timeline,
    pub traffic: &'a [Traffic],
    pub faults: &'a [Fault],
    pub kills: &'a [Kill],
    pub directory: &'a [DirectoryChange],
    pub operator: &'a [OperatorAction],
    pub ledger: &'a [Disturbance],
}

pub(super) fn check(raw: Vec<RawMust>, told: Told<'_>, problems: &mut Problems) -> Vec<Must> {
    name::check_unique("must", &raw.iter().map(|must| &must.id).collect::<Vec<_>>(), problems);
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} musts");
        problems.add(Problem::new(extra.id.span(), what, "one too many"));
        return Vec::new();
    }
    let mut musts = Vec::new();
    for must in raw {
        let at = must.hold.span();
        let Some(checker) = must.hold.into_inner().check(told, problems) else {
            continue;
        };
        check_id(&must.id, &checker, problems);
        let what = match &checker {
            Checker::FaultsBit if told.is_quiet() => "the scenario has neither fault nor kill that could bite",
            Checker::DirectoryIsFollowed { .. } if !told.world.stores_directory() => "the directory is not stored",
            Checker::QuarantineCounts { .. } if told.nobody_is_put_away() => "nobody is put into quarantine",
            Checker::EgressIsConfined if !told.world.confines_egress() => "no tenant says what may leave it",
            _ => "",
        };
        if !what.is_empty() && problems.is_empty() {
            problems.add(Problem::new(at, what, "never holds"));
        }
        let level = must.level.map(Level::from);
        let at = must.id.span().start;
        musts.push(Must::of_the_file(must.id.into_inner(), checker, level, at));
    }
    musts
}

impl Told<'_> {
    /// Nothing goes wrong.
    pub(super) fn is_quiet(self) -> bool {
        let at_the_edge = self.kills.is_empty() && self.directory.is_empty() && self.operator.is_empty();
        at_the_edge && self.faults.is_empty() && self.ledger.is_empty()
    }

    /// Neither by an operator nor by policy.
    fn nobody_is_put_away(self) -> bool {
        self.operator.is_empty() && self.world.cpu_limit_policy() == CpuLimitPolicy::Alert
    }
}

fn check_id(raw: &Spanned<String>, checker: &Checker, problems: &mut Problems) {
    let (id, rule) = (raw.get_ref().as_str(), checker.rule().id);
    let suffix = id.strip_prefix(rule).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    let numbered = !matches!(checker, Checker::Latency { .. });
    let fine = match suffix {
        Some("") => numbered && id == rule,
        Some(suffix) => id.len() > rule.len() + suffix.len(),
        None => false,
    };
    if !fine {
        let what = format!("`{id}` is not the id of the rule that `{}` judges", checker.name());
        let label = format!("the rule is {rule}");
        let id = if numbered { rule.to_owned() } else { format!("{rule}-<what>") };
        problems.add(Problem::new(raw.span(), what, label).help(format!("write id = \"{id}\"")));
    }
}

impl RawChecker {
    fn check(self, told: Told<'_>, problems: &mut Problems) -> Option<Checker> {
        let Told { world, timeline, traffic, faults, .. } = told;
        Some(match self {
            Self::SettleAtMostOnce {} => Checker::SettleAtMostOnce,
            Self::PaidContentOnlyAfterSettlement {} => Checker::PaidContentOnlyAfterSettlement,
            Self::UnknownIsNotFailed {} => Checker::UnknownIsNotFailed,
            Self::NobodyPaysForNothing {} => Checker::NobodyPaysForNothing,
            Self::SettleStaysPutWhileUnknown {} => Checker::SettleStaysPutWhileUnknown,
            Self::VerifyBeforeRunSettleAfter {} => Checker::VerifyBeforeRunSettleAfter,
            Self::OnePaymentOneRequest {} => Checker::OnePaymentOneRequest,
            Self::BooksBalance {} => Checker::BooksBalance,
            Self::GoodPaymentsAreHonoured {} => Checker::GoodPaymentsAreHonoured,
            Self::NoCrossTenantBytes {} => Checker::NoCrossTenantBytes,
            Self::ReachesTheNamedTenant {} => Checker::ReachesTheNamedTenant,
            Self::DirectoryIsFollowed { within } => {
                Checker::DirectoryIsFollowed { within: check_bound(&within, timeline, problems)? }
            }
            Self::HeadersAreOurs {} => Checker::HeadersAreOurs,
            Self::PaidIsPrivate {} => Checker::PaidIsPrivate,
            Self::SecretsAreKept {} => Checker::SecretsAreKept,
            Self::EgressIsConfined {} => Checker::EgressIsConfined,
            Self::DispatchCarriesLimits {} => Checker::DispatchCarriesLimits,
            Self::OverLimitIsCutOff {} => Checker::OverLimitIsCutOff,
            Self::WithinLimitsRuns {} => Checker::WithinLimitsRuns,
            Self::QuarantineCounts { within } => {
                Checker::QuarantineCounts { within: check_bound(&within, timeline, problems)? }
            }
            Self::NeighboursUnmoved { phase, against, within } => Checker::NeighboursUnmoved {
                phase: timeline.find(&phase, problems)?.name().clone(),
                against: timeline.find(&against, problems)?.name().clone(),
                within: check_bound(&within, timeline, problems)?,
            },
            Self::RefusalsCostNothing {} => Checker::RefusalsCostNothing,
            Self::QuarantinedGetsProbesOnly { grace } => {
                Checker::QuarantinedGetsProbesOnly { grace: check_bound(&grace, timeline, problems)? }
            }
            Self::StandingSeldomChanges { at_most } => {
                Checker::StandingSeldomChanges { at_most: check_count(&at_most, problems)? }
            }
            Self::IsNotAsked { facilitator, phase } => Checker::IsNotAsked {
                facilitator: world.find_facilitator(&facilitator, problems)?,
                phase: timeline.find(&phase, problems)?.name().clone(),
            },
            Self::FloodIsCut { traffic: flood, by, at_most, within, calls } => Checker::FloodIsCut {
                traffic: find_traffic(&flood, traffic, problems)?,
                by,
                bounds: Bounds {
                    at_most: check_count(&at_most, problems)?,
                    within: check_bound(&within, timeline, problems)?,
                    calls: check_count(&calls, problems)?,
                },
            },
            Self::FacilitatorsAreSpared {} => Checker::FacilitatorsAreSpared,
            Self::SoldIsBounded {} => Checker::SoldIsBounded,
            Self::OthersAreServed { traffic: others, quiet, noisy, slower_by } => Checker::OthersAreServed {
                traffic: find_traffic(&others, traffic, problems)?,
                quiet: timeline.find(&quiet, problems)?.name().clone(),
                noisy: timeline.find(&noisy, problems)?.name().clone(),
                slower_by: check_bound(&slower_by, timeline, problems)?,
            },
            Self::HonestBuyersAreServed { traffic: others, quiet, noisy, at_least } => Checker::HonestBuyersAreServed {
                traffic: find_traffic(&others, traffic, problems)?,
                quiet: timeline.find(&quiet, problems)?.name().clone(),
                noisy: timeline.find(&noisy, problems)?.name().clone(),
                at_least: check_share(&at_least, problems)?,
            },
            Self::AlertsAreToldOnce { at_most, .. } if *at_most.get_ref() == 0 => {
                let what = "an alert that has to be told is told once at least";
                problems.add(Problem::new(at_most.span(), what, "never holds"));
                return None;
            }
            Self::AlertsAreToldOnce { alert, at_most } => {
                Checker::AlertsAreToldOnce { alert, at_most: check_count(&at_most, problems)? }
            }
            Self::TenantsOwnFacilitators {} => Checker::TenantsOwnFacilitators,
            Self::Recovers { within, after } => check_recovers(&within, &after, timeline, faults, problems)?,
            Self::EveryRequestEndsOnce {} => Checker::EveryRequestEndsOnce,
            Self::UnknownIsAskedAbout {} => Checker::UnknownIsAskedAbout,
            Self::OneFacilitatorSuffices {} => Checker::OneFacilitatorSuffices,
            Self::PaymentsAreGivenBack {} => Checker::PaymentsAreGivenBack,
            Self::AnswersAsDocumented {} => Checker::AnswersAsDocumented,
            Self::MalformedIsRefused {} => Checker::MalformedIsRefused,
            Self::HeadIsFree {} => Checker::HeadIsFree,
            Self::StatusesKept {} => Checker::StatusesKept,
            Self::PagesCanPay {} => Checker::PagesCanPay,
            Self::Latency { phase, quantile, at_most, traffic: block, client, tenant } => {
                let callers = Callers {
                    traffic: block.and_then(|raw| find_traffic(&raw, traffic, problems)),
                    client: client.and_then(|raw| find_client(&raw, problems)),
                    tenant: tenant.and_then(|raw| find_tenant(&raw, told.world, problems)),
                };
                check_latency(&phase, &quantile, &at_most, callers, timeline, traffic, problems)?
            }
            Self::NoContentWithoutSettlement {} => Checker::NoContentWithoutSettlement,
            Self::StrangersCollectNothing {} => Checker::StrangersCollectNothing,
            Self::OneTransferOneContent {} => Checker::OneTransferOneContent,
            Self::NamesAreKept {} => Checker::NamesAreKept,
            Self::QuestionsGrowApart {} => Checker::QuestionsGrowApart,
            Self::StorageIsFreed {} => Checker::StorageIsFreed,
            Self::HeadersOnce {} => Checker::HeadersOnce,
            Self::RetryAfterIsSane {} => Checker::RetryAfterIsSane,
            Self::FaultsBit {} => Checker::FaultsBit,
            Self::TrafficFlowed {} => Checker::TrafficFlowed,
            Self::ClientsActed {} => Checker::ClientsActed,
        })
    }
}

/// Whatever takes longer than the whole run would not be seen to.
fn check_bound(raw: &Spanned<String>, timeline: &Timeline, problems: &mut Problems) -> Option<Duration> {
    let bound = time::check_positive(raw, problems)?;
    if bound > timeline.end() {
        let label = format!("the run ends at {}", time::show(timeline.end()));
        problems
            .add(Problem::new(raw.span(), "the bound is longer than the run", label).help("it could not be missed"));
        return None;
    }
    Some(bound)
}

/// There is no more of anything than can arrive.
fn check_count(raw: &Spanned<usize>, problems: &mut Problems) -> Option<usize> {
    let count = *raw.get_ref();
    if u64::try_from(count).is_ok_and(|count| count <= MAX_ARRIVALS) {
        return Some(count);
    }
    let label = format!("the limit is {MAX_ARRIVALS}, as many as can arrive");
    problems.add(Problem::new(raw.span(), "the bound could not be missed", label));
    None
}

/// A share of what there was before, so it cannot be more than all.
fn check_share(raw: &Spanned<f64>, problems: &mut Problems) -> Option<f64> {
    let percent = *raw.get_ref();
    if percent > 0.0 && percent <= 100.0 {
        return Some(percent);
    }
    problems.add(Problem::new(raw.span(), "a share is in percent, above 0 and at most 100", "out of range"));
    None
}

fn check_recovers(
    within: &Spanned<String>,
    after: &Spanned<String>,
    timeline: &Timeline,
    faults: &[Fault],
    problems: &mut Problems,
) -> Option<Checker> {
    let bound = time::check_positive(within, problems);
    let phase = timeline.find(after, problems)?;
    let (bound, healed) = (bound?, phase.window().to());
    if healed + bound > timeline.end() {
        let left = timeline.end().checked_sub(healed).unwrap_or(Duration::ZERO);
        let label = format!("only {} are left after {}", time::show(left), phase.name());
        let problem = Problem::new(within.span(), "the run ends before recovery is due", label);
        problems.add(problem.help("let the traffic go on for longer, or give it less time to recover"));
        return None;
    }
    // What has not healed cannot recover: the blame would fall on the dispatcher.
    if let Some(fault) = faults.iter().find(|fault| fault.lasts_beyond(healed + bound)) {
        let what = format!("fault {} of the file is still on when recovery is due", fault.number());
        let label =
            format!("healed at {}, and the fault ends at {}", time::show(healed), time::show(fault.window().to()));
        let help = "end the fault with the phase, or name a later phase";
        problems.add(Problem::new(after.span(), what, label).help(help));
        return None;
    }
    Some(Checker::Recovers { within: bound, after: phase.name().clone() })
}

fn check_latency(
    phase: &Spanned<String>,
    quantile: &Spanned<f64>,
    at_most: &Spanned<String>,
    callers: Callers,
    timeline: &Timeline,
    traffic: &[Traffic],
    problems: &mut Problems,
) -> Option<Checker> {
    let bound = check_bound(at_most, timeline, problems);
    let percent = *quantile.get_ref();
    if !(percent > 0.0 && percent < 100.0) {
        let problem = Problem::new(quantile.span(), "a quantile is in percent, above 0 and below 100", "out of range");
        problems.add(problem.help("the median is 50.0, p95 is 95.0"));
        return None;
    }
    let found = timeline.find(phase, problems)?;
    if !traffic.iter().any(|block| block.window().overlaps(&found.window())) && problems.is_empty() {
        problems.add(Problem::new(phase.span(), "the phase has no traffic to measure", "nothing arrives in it"));
        return None;
    }
    Some(Checker::Latency { phase: found.name().clone(), quantile: percent, at_most: bound?, callers })
}

fn find_traffic(raw: &Spanned<String>, traffic: &[Traffic], problems: &mut Problems) -> Option<Name> {
    let found = traffic.iter().map(Traffic::name).find(|name| **name == *raw.get_ref().as_str());
    if found.is_none() {
        let names: Vec<&str> = traffic.iter().map(|block| block.name().as_str()).collect();
        problems.add(Problem::unknown(raw.span(), "traffic block", raw.get_ref(), &names));
    }
    found.cloned()
}

fn find_client(raw: &Spanned<String>, problems: &mut Problems) -> Option<Name> {
    let names: Vec<&str> = ClientKind::CATALOGUE.iter().map(|listed| listed.name).collect();
    if !names.contains(&raw.get_ref().as_str()) {
        problems.add(Problem::unknown(raw.span(), "kind of client", raw.get_ref(), &names));
    }
    Name::new(raw.get_ref())
}

fn find_tenant(raw: &Spanned<String>, world: &World, problems: &mut Problems) -> Option<Name> {
    let names: Vec<&str> = world.tenants().iter().map(|tenant| tenant.id().as_str()).collect();
    if !names.contains(&raw.get_ref().as_str()) {
        problems.add(Problem::unknown(raw.span(), "tenant", raw.get_ref(), &names));
    }
    Name::new(raw.get_ref())
}
