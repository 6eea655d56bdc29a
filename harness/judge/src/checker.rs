//! The checkers a scenario can ask for, one for each rule. Named, with typed parameters and no expression language, so
//! that a list of them is complete and a report can say in words what was expected.

use crate::{Bounds, RULES, Rule};
use grammar::{Listed, Name, show};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq)]
pub enum Checker {
    SettleAtMostOnce,
    PaidContentOnlyAfterSettlement,
    UnknownIsNotFailed,
    NobodyPaysForNothing,
    SettleStaysPutWhileUnknown,
    VerifyBeforeRunSettleAfter,
    OnePaymentOneRequest,
    BooksBalance,
    GoodPaymentsAreHonoured,
    NoCrossTenantBytes,
    ReachesTheNamedTenant,
    DirectoryIsFollowed {
        /// The bound, from a change on.
        within: Duration,
    },
    HeadersAreOurs,
    PaidIsPrivate,
    SecretsAreKept,
    EgressIsConfined,
    DispatchCarriesLimits,
    OverLimitIsCutOff,
    WithinLimitsRuns,
    QuarantineCounts {
        /// The bound, from an operator's word on.
        within: Duration,
    },
    NeighboursUnmoved {
        phase: Name,
        /// The phase that it is compared with.
        against: Name,
        /// The difference that noise alone makes.
        within: Duration,
    },
    RefusalsCostNothing,
    QuarantinedGetsProbesOnly {
        /// From the third failure in a row.
        grace: Duration,
    },
    StandingSeldomChanges {
        /// The changes of one facilitator at one kind of call.
        at_most: usize,
    },
    IsNotAsked {
        facilitator: Name,
        phase: Name,
    },
    FloodIsCut {
        /// The flood's.
        traffic: Name,
        by: Sender,
        bounds: Bounds,
    },
    FacilitatorsAreSpared,
    SoldIsBounded,
    TenantsOwnFacilitators,
    Recovers {
        /// The bound, from the end of `after`.
        within: Duration,
        after: Name,
    },
    OthersAreServed {
        /// The others'.
        traffic: Name,
        quiet: Name,
        noisy: Name,
        slower_by: Duration,
    },
    HonestBuyersAreServed {
        /// The others'.
        traffic: Name,
        quiet: Name,
        noisy: Name,
        /// In percent of the quiet phase's share.
        at_least: f64,
    },
    EveryRequestEndsOnce,
    UnknownIsAskedAbout,
    OneFacilitatorSuffices,
    PaymentsAreGivenBack,
    AnswersAsDocumented,
    MalformedIsRefused,
    HeadIsFree,
    StatusesKept,
    PagesCanPay,
    AlertsAreToldOnce {
        alert: AlertName,
        at_most: usize,
    },
    Latency {
        phase: Name,
        /// In percent: above 0 and below 100.
        quantile: f64,
        at_most: Duration,
        callers: Callers,
    },
    NoContentWithoutSettlement,
    StrangersCollectNothing,
    OneTransferOneContent,
    NamesAreKept,
    QuestionsGrowApart,
    StorageIsFreed,
    HeadersOnce,
    RetryAfterIsSane,
    FaultsBit,
    TrafficFlowed,
    ClientsActed,
}

/// The property that a flood's requests share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// The address that they come from.
    Address,
    /// The payer; requests without a payment are left aside.
    Payer,
}

/// The names that the dispatcher's log line `alert` may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertName {
    UnpaidFlood,
    MalformedFlood,
    WorthlessPayments,
    TenantErrorRate,
    NetworkMisbehaves,
    TenantCpuLimit,
    CredentialsRefused,
    FacilitatorRefusesAll,
    PaymentStuck,
}

impl AlertName {
    /// The word in the log line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnpaidFlood => "unpaid_flood",
            Self::MalformedFlood => "malformed_flood",
            Self::WorthlessPayments => "worthless_payments",
            Self::TenantErrorRate => "tenant_error_rate",
            Self::NetworkMisbehaves => "network_misbehaves",
            Self::TenantCpuLimit => "tenant_cpu_limit",
            Self::CredentialsRefused => "credentials_refused",
            Self::FacilitatorRefusesAll => "facilitator_refuses_all",
            Self::PaymentStuck => "payment_stuck",
        }
    }
}

/// Whose requests a latency is of: all that are not told apart, unless it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers {
    /// A traffic block's name.
    pub traffic: Option<Name>,
    /// A kind of client, as a mix names it.
    pub client: Option<Name>,
    /// A tenant's id.
    pub tenant: Option<Name>,
}

impl fmt::Display for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, name) in [("traffic", &self.traffic), ("client", &self.client), ("tenant", &self.tenant)] {
            if let Some(name) = name {
                write!(f, " ({what} {name})")?;
            }
        }
        Ok(())
    }
}

impl Checker {
    /// Every checker, as `harness list --checkers` shows it. A test holds it equal to what the TOML reader accepts.
    pub const CATALOGUE: [Listed; RULES.len()] = {
        let mut listed = [Listed::new("", "", ""); RULES.len()];
        let mut n = 0;
        while n < RULES.len() {
            listed[n] = Listed::new(RULES[n].checker, RULES[n].says, RULES[n].example);
            n += 1;
        }
        listed
    };

    /// The text in a scenario.
    pub fn name(&self) -> &'static str {
        self.rule().checker
    }

    /// The rule it judges. A `[[must]]` carries its id, or its id with a suffix; latency always has a suffix.
    pub fn rule(&self) -> &'static Rule {
        crate::rule_of(self)
    }

    /// The expectation in a report.
    pub fn expects(&self) -> String {
        match self {
            Self::QuarantinedGetsProbesOnly { grace } => {
                format!("{} after three failures, a facilitator gets probes only", show(*grace))
            }
            Self::StandingSeldomChanges { at_most } => {
                format!("no facilitator's standing changes more than {at_most} times")
            }
            Self::IsNotAsked { facilitator, phase } => {
                format!("{facilitator} is asked nothing in {phase}")
            }
            Self::QuarantineCounts { within } => {
                format!(
                    "{} after a tenant is put into quarantine, or out of it, it runs under those limits",
                    show(*within)
                )
            }
            Self::NeighboursUnmoved { phase, against, within } => {
                let within = show(*within);
                format!(
                    "beside tenants that burn, three in four of each other's answers of {phase} are within {within} of its p95 of {against}"
                )
            }
            Self::Recovers { within, after } => {
                format!("success is back at its steady level within {} after {after}", show(*within))
            }
            Self::DirectoryIsFollowed { within } => format!(
                "{} after a change, answers are the new directory's, or the last good one's where it is wrong",
                show(*within)
            ),
            Self::FloodIsCut { traffic, bounds: Bounds { at_most, within, calls }, .. } => format!(
                "of {traffic}, one sender gets at most {at_most} answers other than 429 within {}, for {calls} calls",
                show(*within)
            ),
            Self::OthersAreServed { traffic, quiet, noisy, slower_by } => {
                format!("{traffic} succeeds in {noisy} as in {quiet}, at most {} slower", show(*slower_by))
            }
            Self::HonestBuyersAreServed { traffic, quiet, noisy, at_least } => {
                format!("at least {at_least} % as many of {traffic} are served at once in {noisy} as in {quiet}")
            }
            Self::AlertsAreToldOnce { alert, at_most } => {
                format!("{} is told, and at most {at_most} times", alert.as_str())
            }
            Self::Latency { phase, quantile, at_most, callers } => {
                format!("p{quantile} of {phase}{callers} is at most {}", show(*at_most))
            }
            plain => {
                let listed = Self::CATALOGUE.iter().find(|listed| listed.name == plain.name());
                let says = listed.map_or("", |listed| listed.says);
                says.split_once(": ").map_or(says, |(_, says)| says).to_owned()
            }
        }
    }
}
