//! The checkers a scenario can ask for, one for each rule. Named, with typed parameters and no expression language, so
//! that a list of them is complete and a report can say in words what was expected.

use crate::{Bounds, Rule};
use grammar::{Listed, Name, show};
use schemars::JsonSchema;
use serde::Deserialize;
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
        /// What noise alone moves.
        within: Duration,
    },
    RefusalsCostNothing,
    QuarantinedGetsProbesOnly {
        /// From the third failure in a row.
        grace: Duration,
    },
    StandingSeldomChanges {
        /// Of one facilitator at one kind of call.
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

/// What a flood's requests have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// Where they come from.
    Address,
    /// Who is to pay; requests without a payment are left aside.
    Payer,
}

/// What the dispatcher's log line `alert` may tell, in the README's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertName {
    UnpaidFlood,
    MalformedFlood,
    WorthlessPayments,
    TenantErrorRate,
    NetworkMisbehaves,
    TenantCpuLimit,
}

impl AlertName {
    /// As the log line has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnpaidFlood => "unpaid_flood",
            Self::MalformedFlood => "malformed_flood",
            Self::WorthlessPayments => "worthless_payments",
            Self::TenantErrorRate => "tenant_error_rate",
            Self::NetworkMisbehaves => "network_misbehaves",
            Self::TenantCpuLimit => "tenant_cpu_limit",
        }
    }
}

impl Checker {
    /// Every checker, as `harness list --checkers` shows it. A test holds it equal to what the TOML reader accepts.
    pub const CATALOGUE: [Listed; 54] = [
        Listed::new("settle-at-most-once", "MONEY-1: a payment moves money at most once", "{}"),
        Listed::new(
            "paid-content-only-after-settlement",
            "MONEY-2: paid content leaves only after its money moved",
            "{}",
        ),
        Listed::new(
            "no-content-without-settlement",
            "MONEY-2: no byte of paid content leaves but for a settled payment, whatever the method or the headers",
            "{}",
        ),
        Listed::new("unknown-is-not-failed", "MONEY-3: an unknown outcome is never answered as a failure", "{}"),
        Listed::new("nobody-pays-for-nothing", "MONEY-4: who was charged has the content, or can collect it", "{}"),
        Listed::new(
            "settle-stays-put-while-unknown",
            "MONEY-5: settle changes facilitator only after a known no",
            "{}",
        ),
        Listed::new(
            "verify-before-run-settle-after",
            "MONEY-6: verify comes before the tenant runs, and settle after it unless the offer is upfront",
            "{}",
        ),
        Listed::new("one-payment-one-request", "MONEY-7: one payment buys one request, once", "{}"),
        Listed::new("books-balance", "MONEY-8: chain, telemetry and settlement ledger agree", "{}"),
        Listed::new(
            "good-payments-are-honoured",
            "MONEY-9: a payment as it was asked for is not billed again unless a facilitator refused it",
            "{}",
        ),
        Listed::new(
            "strangers-collect-nothing",
            "MONEY-10: what a payment bought goes to nobody who has only read the payment off the chain",
            "{}",
        ),
        Listed::new("one-transfer-one-content", "MONEY-11: a transaction buys one content", "{}"),
        Listed::new("no-cross-tenant-bytes", "ISO-1: an answer carries its own tenant's bytes only", "{}"),
        Listed::new("reaches-the-named-tenant", "ISO-2: only the tenant that a request names runs for it", "{}"),
        Listed::new(
            "directory-is-followed",
            "ISO-2: answers are the current directory's, within a bound, or the last good one's, and the log says so",
            "{ within = \"12s\" }",
        ),
        Listed::new("headers-are-ours", "ISO-3: what only the dispatcher may say is neither forged nor leaked", "{}"),
        Listed::new("paid-is-private", "ISO-4: no answer about a payment is for a shared cache", "{}"),
        Listed::new(
            "secrets-are-kept",
            "ISO-5: no signed payment or query is in the log, and a facilitator's key goes to it alone",
            "{}",
        ),
        Listed::new("names-are-kept", "ISO-6: no answer names another payer's transaction", "{}"),
        Listed::new(
            "egress-is-confined",
            "EGRESS-1: nothing leaves a tenant but what its policy says, and every request is counted",
            "{}",
        ),
        Listed::new("dispatch-carries-limits", "COST-1: every dispatch carries its plan's limits", "{}"),
        Listed::new(
            "over-limit-is-cut-off",
            "COST-2: a tenant over its CPU, subrequest or memory limit goes no further, and its caller is told so",
            "{}",
        ),
        Listed::new("within-limits-runs", "COST-2: a tenant within its limits is not cut off", "{}"),
        Listed::new(
            "quarantine-counts",
            "COST-6: a tenant that is put into quarantine runs under its limits within a bound, and under its own once it is out",
            "{ within = \"7s\" }",
        ),
        Listed::new(
            "neighbours-unmoved",
            "COST-2: beside tenants that burn, each other one is as fast as in a quiet phase",
            "{ phase = \"outage\", against = \"steady\", within = \"50ms\" }",
        ),
        Listed::new(
            "refusals-cost-nothing",
            "COST-3: an unpaid or plainly broken request costs no facilitator call and no tenant run",
            "{}",
        ),
        Listed::new(
            "quarantined-gets-probes-only",
            "COST-4: a facilitator that fails every call is soon left alone but for probes",
            "{ grace = \"1s\" }",
        ),
        Listed::new(
            "standing-seldom-changes",
            "COST-4: a facilitator that is up and down by turns is not taken back at every up",
            "{ at-most = 6 }",
        ),
        Listed::new(
            "is-not-asked",
            "COST-4: a facilitator that says it cannot serve an offer is not asked about it",
            "{ facilitator = \"primary\", phase = \"outage\" }",
        ),
        Listed::new(
            "flood-is-cut",
            "COST-5: of one address, or one payer, only so many requests get anything but a 429, and they cost only so many calls",
            "{ traffic = \"callers\", by = \"address\", at-most = 300, within = \"10s\", calls = 0 }",
        ),
        Listed::new("facilitators-are-spared", "COST-7: no facilitator is asked the same thing over and over", "{}"),
        Listed::new(
            "questions-grow-apart",
            "COST-9: the longer a settlement is open, the seldomer it is asked about",
            "{}",
        ),
        Listed::new("sold-is-bounded", "COST-8: what is sold is a megabyte at most", "{}"),
        Listed::new(
            "tenants-own-facilitators",
            "MONEY-5: a tenant's payments go to the facilitators that it names",
            "{}",
        ),
        Listed::new(
            "recovers",
            "LIVE-1: success is back at its steady level within a bound after a phase",
            "{ after = \"outage\", within = \"5s\" }",
        ),
        Listed::new(
            "others-are-served",
            "FAIR-1: while somebody floods, the others succeed as before, and wait hardly longer",
            "{ traffic = \"callers\", quiet = \"steady\", noisy = \"outage\", slower-by = \"300ms\" }",
        ),
        Listed::new(
            "honest-buyers-are-served",
            "FAIR-2: while somebody attacks, the others buy as in a quiet phase",
            "{ traffic = \"callers\", quiet = \"steady\", noisy = \"outage\", at-least = 95.0 }",
        ),
        Listed::new("every-request-ends-once", "LIVE-2: every request ends, once", "{}"),
        Listed::new(
            "unknown-is-asked-about",
            "LIVE-3: an open settlement is asked about until it is known, with its caller or without",
            "{}",
        ),
        Listed::new(
            "one-facilitator-suffices",
            "LIVE-4: while one of a tenant's facilitators answers, nobody is told that none does",
            "{}",
        ),
        Listed::new("payments-are-given-back", "LIVE-5: a payment is in use only while a request uses it", "{}"),
        Listed::new("storage-is-freed", "LIVE-6: what is over is forgotten after its time", "{}"),
        Listed::new(
            "answers-as-documented",
            "ANSWER-1: every answer has the status and headers that belong to its code",
            "{}",
        ),
        Listed::new(
            "malformed-is-refused",
            "ANSWER-2: a broken payment is refused with the right status and a structured error",
            "{}",
        ),
        Listed::new("head-is-free", "ANSWER-3: a HEAD gets the GET's 402 and costs nothing, paid or not", "{}"),
        Listed::new(
            "statuses-kept",
            "ANSWER-4: a tenant's status, Location and Content-Location reach the caller",
            "{}",
        ),
        Listed::new(
            "pages-can-pay",
            "ANSWER-5: a page on another origin may send a payment and read the answers",
            "{}",
        ),
        Listed::new("headers-once", "ANSWER-6: a header that must have one value has one, and no cookie is lost", "{}"),
        Listed::new("retry-after-is-sane", "ANSWER-7: whoever is to come back is told a sane time", "{}"),
        Listed::new(
            "alerts-are-told-once",
            "ALERT-1: an alert is told when something begins, and not again while it goes on",
            "{ alert = \"unpaid_flood\", at-most = 1 }",
        ),
        Listed::new(
            "latency",
            "LATENCY-…: a quantile of a phase's latency, from when a request was due, stays below a bound",
            "{ phase = \"steady\", quantile = 95.0, at-most = \"900ms\" }",
        ),
        Listed::new("faults-bit", "COVER-1: every fault took at least one call, and every kill happened", "{}"),
        Listed::new(
            "traffic-flowed",
            "COVER-2: requests were answered and purchases served in every phase with traffic",
            "{}",
        ),
        Listed::new("clients-acted", "COVER-3: every kind of client came and did what it is there for", "{}"),
    ];

    /// As a scenario writes it.
    pub fn name(&self) -> &'static str {
        self.rule().checker
    }

    /// The rule it judges. A `[[must]]` carries its id, or its id with a suffix; latency always has a suffix.
    pub fn rule(&self) -> &'static Rule {
        crate::rule_of(self)
    }

    /// What a report says was expected.
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
            Self::Latency { phase, quantile, at_most } => {
                format!("p{quantile} of {phase} is at most {}", show(*at_most))
            }
            plain => {
                let listed = Self::CATALOGUE.iter().find(|listed| listed.name == plain.name());
                let says = listed.map_or("", |listed| listed.says);
                says.split_once(": ").map_or(says, |(_, says)| says).to_owned()
            }
        }
    }
}
