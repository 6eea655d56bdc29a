//! The bugs of the old sort, whose code stands in the dispatcher behind `seeded::has`: which rule is to catch each, and in which
//! scenario. Each becomes a file of `harness/bugs`.

use super::bug;
use crate::{judge::RULES, tier::Tier};
use dispatcher_core::paywall::seeded::Bug;

/// All that have no file yet.
pub fn seeded() -> Vec<bug::Bug> {
    let seeded = |bug: &Bug| {
        let (checker, scenarios) = checker_and_scenarios(*bug);
        bug::Bug {
            name: bug.name().to_owned(),
            says: bug.says().to_owned(),
            why: String::new(),
            rule: RULES.iter().find(|rule| rule.checker == checker).expect("the checkers below are registered"),
            scenarios: scenarios.iter().map(|name| (*name).to_owned()).collect(),
            tier: Tier::Sim,
            edits: Vec::new(),
        }
    };
    Bug::ALL.iter().map(seeded).collect()
}

fn checker_and_scenarios(bug: Bug) -> (&'static str, &'static [&'static str]) {
    match bug {
        Bug::ClaimKeyedByRequest => ("settle-at-most-once", &["same-payment-ten-times"]),
        Bug::SettledForgotten => ("one-payment-one-request", &["payment-identifier-lost-response"]),
        Bug::IdentifierConflictIgnored => ("settle-at-most-once", &["payment-identifier-lost-response"]),

        Bug::HandedOverUnsettled => ("paid-content-only-after-settlement", &["outage"]),
        Bug::HandedOverOnUnknown => ("paid-content-only-after-settlement", &["settle-then-hang"]),
        Bug::HandedOverOnRefusal => ("paid-content-only-after-settlement", &["settlement-fails-after-success"]),
        Bug::SettledForAnotherPayer => ("paid-content-only-after-settlement", &["settle-lies"]),
        Bug::SettledForAnotherAmount => ("paid-content-only-after-settlement", &["settle-lies-amount"]),
        Bug::SettledOnAnotherNetwork => ("paid-content-only-after-settlement", &["settle-lies-network"]),
        Bug::SettledWithoutTransaction => ("paid-content-only-after-settlement", &["settle-lies"]),
        Bug::ReceiptInAnotherVersion => ("paid-content-only-after-settlement", &["v1-and-v2-callers"]),

        Bug::UnknownAnsweredWith402 => ("unknown-is-not-failed", &["settle-then-hang"]),
        Bug::PendingTakenForRefusal => ("unknown-is-not-failed", &["settle-pending"]),
        Bug::NonceUsedTakenForRefusal => ("unknown-is-not-failed", &["nonce-already-used-after-unknown"]),
        Bug::SettlingNotStored => ("unknown-is-not-failed", &["crash-after-money-moved"]),
        Bug::RetryAfterMissing => ("unknown-is-not-failed", &["settle-then-hang"]),

        Bug::TenantErrorSettled => ("nobody-pays-for-nothing", &["tenant-errors"]),
        Bug::RedirectSettled => ("nobody-pays-for-nothing", &["tenant-redirects"]),
        Bug::KeptNotCollectable => ("nobody-pays-for-nothing", &["settle-then-hang"]),
        Bug::BodyNotStored => ("nobody-pays-for-nothing", &["settle-then-hang"]),
        Bug::IdentifierNeverGivenBack => ("one-payment-one-request", &["payment-identifier-after-refusal"]),

        Bug::SettleFailoverOnTimeOut => ("settle-stays-put-while-unknown", &["settle-then-hang"]),
        Bug::SettleRetriedElsewhere => ("settle-stays-put-while-unknown", &["settle-then-reset"]),
        Bug::SettleRetriedWithOtherBytes => ("settle-stays-put-while-unknown", &["settle-then-reset"]),
        Bug::OtherFacilitatorsUsed => ("tenants-own-facilitators", &["per-tenant-facilitators"]),

        Bug::SettleBeforeExecute => ("verify-before-run-settle-after", &["outage"]),
        Bug::RunUnverified => ("verify-before-run-settle-after", &["outage"]),
        Bug::VerifiedForAnotherPayer => ("verify-before-run-settle-after", &["verify-lies"]),
        Bug::UpfrontRunsFirst => ("verify-before-run-settle-after", &["upfront"]),

        Bug::ServedTwice => ("one-payment-one-request", &["payment-on-another-request"]),
        Bug::ResendRunsTenant => ("one-payment-one-request", &["payment-on-another-request"]),

        Bug::SettledToldTwice => ("books-balance", &["outage"]),
        Bug::UnknownNeverAskedAbout => ("unknown-is-asked-about", &["caller-away-while-unknown"]),

        Bug::EgressPolicyLost => ("egress-is-confined", &["egress-policy"]),
        Bug::TenantAnswerLogged => ("no-cross-tenant-bytes", &["tenant-cross-routing"]),
        Bug::ForeignScriptRun => ("reaches-the-named-tenant", &["directory-foreign-script"]),
        Bug::FormerPriceForgotten => ("unknown-is-not-failed", &["directory-swapped-mid-traffic"]),
        Bug::LeftTenantForgotten => ("unknown-is-not-failed", &["tenant-leaves-while-unknown"]),
        Bug::ForgedHeaderLeaves => ("headers-are-ours", &["forged-headers"]),
        Bug::ForgedHeaderEnters => ("headers-are-ours", &["forged-headers"]),
        Bug::PaidIsPublic => ("paid-is-private", &["forged-headers"]),

        Bug::LimitsOfAnotherPlan => ("dispatch-carries-limits", &["outage"]),
        Bug::QuarantinesAskedOnce => ("quarantine-counts", &["quarantine-under-load"]),
        Bug::QuarantinesNotAwaited => ("quarantine-counts", &["quarantine-outlives-crash"]),
        Bug::PolicyOnlyTells => ("quarantine-counts", &["tenant-quarantined-by-policy"]),
        Bug::SoldInQuarantine => ("quarantine-counts", &["quarantine-under-load"]),
        Bug::LocationNotHeard => ("flood-is-cut", &["rate-limit-on-two-dispatchers"]),
        Bug::KeptPaymentsHeldToRates => ("unknown-is-not-failed", &["rate-limit-and-unknown"]),
        Bug::LimitsOfQuarantine => ("within-limits-runs", &["tenant-burns-within-limit"]),
        Bug::UnpaidRunsTenant => ("refusals-cost-nothing", &["unpaid-and-malformed-flood"]),
        Bug::SignatureNotChecked => ("refusals-cost-nothing", &["malformed-payments"]),
        Bug::AmountNotChecked => ("refusals-cost-nothing", &["malformed-payments"]),
        Bug::PayeeNotChecked => ("refusals-cost-nothing", &["malformed-payments"]),
        Bug::EarlyNotRefused => ("refusals-cost-nothing", &["clock-skew"]),
        Bug::BreakerNeverOpens => ("quarantined-gets-probes-only", &["facilitator-half-open"]),
        Bug::UnsupportedAsked => ("is-not-asked", &["facilitator-unsupported"]),

        Bug::RatesNotHeld => ("flood-is-cut", &["rate-limit-fairness"]),
        Bug::AddressesCountedAsOne => ("others-are-served", &["rate-limit-fairness"]),
        Bug::OffersCounted => ("others-are-served", &["unpaid-flood-from-everywhere"]),
        Bug::LimitedForGood => ("answers-as-documented", &["rate-limit-fairness"]),
        Bug::FloodsNotCut => {
            ("flood-is-cut", &["unpaid-flood", "malformed-payment-flood", "many-signatures-one-address"])
        }
        Bug::AlertEachTime => ("alerts-are-told-once", &["unpaid-flood"]),
        Bug::RateHeldTooLate => ("refusals-cost-nothing", &["rate-limit-fairness"]),

        Bug::BreakerNeverCloses => ("recovers", &["facilitators-all-down"]),
        Bug::TimeOutIgnored => ("every-request-ends-once", &["facilitator-half-open"]),
        Bug::TenantTakesForEver => ("every-request-ends-once", &["tenant-trickles"]),
        Bug::RequestLineMissing => ("every-request-ends-once", &["outage"]),

        Bug::BillWithoutOffer => ("answers-as-documented", &["malformed-payments"]),
        Bug::HeadSold => ("head-is-free", &["head-requests"]),
        Bug::StatusFlattened => ("statuses-kept", &["tenant-creates"]),
        Bug::CorsMissing => ("pages-can-pay", &["browser-preflights"]),
        Bug::PreflightBilled => ("pages-can-pay", &["browser-preflights"]),

        Bug::ExpiryNotLookedAt => ("refusals-cost-nothing", &["expiry-while-tenant-runs"]),
        Bug::LeaseTooShort => ("payments-are-given-back", &["expiry-while-tenant-runs"]),
        Bug::OrphanWaitsOutItsLease => ("payments-are-given-back", &["crash-before-money-moves"]),
        Bug::DeliveryLeaseForEver => ("nobody-pays-for-nothing", &["crash-after-money-moved"]),
        Bug::UnknownGivenUp => ("unknown-is-not-failed", &["settle-pending-for-ever"]),
        Bug::UnknownAskedInAStorm => ("facilitators-are-spared", &["caller-away-while-unknown"]),
        Bug::UnknownAskedAboutTooLate => ("unknown-is-asked-about", &["caller-away-while-unknown"]),
        Bug::PendingTransactionLost => ("unknown-is-not-failed", &["settle-pending-for-ever"]),
        Bug::RefusalAfterUnknownBelieved => ("settle-stays-put-while-unknown", &["refused-after-unknown"]),
        Bug::UpfrontFailureForgotten => ("nobody-pays-for-nothing", &["tenant-fails-first"]),
        Bug::FailedRunKeepsPayment => ("payments-are-given-back", &["tenant-fails-first"]),
        Bug::SettledKeptTooShort => ("books-balance", &["payment-on-another-request"]),
        Bug::SettleIgnoresHealth => ("quarantined-gets-probes-only", &["settle-dead-verify-alive"]),
        Bug::BusyAfterAnswer => ("payments-are-given-back", &["settle-then-hang"]),
        Bug::BodyDroppedAtOnce => ("nobody-pays-for-nothing", &["caller-gone-while-settling"]),
        Bug::StoredBodyTruncated => ("nobody-pays-for-nothing", &["settle-then-hang"]),
        Bug::SettledUntold => ("books-balance", &["outage"]),
        Bug::StoredHeadersLost => ("statuses-kept", &["settle-then-hang"]),
        Bug::StoredStatusLost => ("statuses-kept", &["tenant-creates"]),
        Bug::HandOverNeverTold => ("one-payment-one-request", &["payment-on-another-request"]),
        Bug::HttpErrorTakenForRefusal => ("settle-stays-put-while-unknown", &["settle-then-502"]),
        Bug::VerifyErrorBilled => ("good-payments-are-honoured", &["outage"]),
        Bug::WindowInMilliseconds => ("good-payments-are-honoured", &["settle-then-hang"]),
        Bug::MarginIgnored => ("refusals-cost-nothing", &["expiry-while-tenant-runs"]),
        Bug::ExpiredCannotCollect => ("unknown-is-not-failed", &["caller-away-while-unknown"]),
        Bug::AssetNotChecked => ("refusals-cost-nothing", &["malformed-payments"]),
        Bug::SchemeNotChecked => ("refusals-cost-nothing", &["malformed-payments"]),
        Bug::ExtraNotChecked => ("refusals-cost-nothing", &["malformed-payments"]),
        Bug::V1NotMatched => ("refusals-cost-nothing", &["malformed-payments"]),
        Bug::IdentifierNotScoped => ("one-payment-one-request", &["payment-identifier-at-two-tenants"]),
        Bug::BillCacheable => ("paid-is-private", &["forged-headers"]),
        Bug::RetryAfterADay => ("answers-as-documented", &["settle-then-hang"]),
        Bug::SpentWithoutTransaction => ("one-payment-one-request", &["payment-on-another-request"]),
        Bug::VerifyNoFailover => ("one-facilitator-suffices", &["outage"]),
        Bug::InvalidFailsOver => ("flood-is-cut", &["many-signatures-one-address"]),
        Bug::BackOffNeverGrows => ("quarantined-gets-probes-only", &["outage"]),
        Bug::SpecimenLost => ("recovers", &["facilitator-recovers"]),
        Bug::SupportedAskedEachTime => ("facilitators-are-spared", &["outage"]),
        Bug::HealthNotMerged => ("recovers", &["facilitator-recovers"]),
        Bug::SlowTakenForDead => ("one-facilitator-suffices", &["facilitators-all-slow"]),
        Bug::KeysOfAnother => ("secrets-are-kept", &["facilitator-needs-auth"]),
        Bug::ReceiptMissing => ("paid-content-only-after-settlement", &["outage"]),
        Bug::QueryLogged => ("secrets-are-kept", &["outage"]),
        Bug::BodyUnbounded => ("sold-is-bounded", &["tenant-too-large"]),
        Bug::BodyTruncated => ("nobody-pays-for-nothing", &["tenant-too-large"]),
        Bug::CallerNamesRequest => ("headers-are-ours", &["forged-headers"]),
        Bug::LimitsSwapped => ("dispatch-carries-limits", &["tenant-burns-cpu"]),
        Bug::ForwardedHostEnters => ("headers-are-ours", &["forged-headers"]),
        Bug::ExtensionResponsesLeave => ("headers-are-ours", &["forged-headers"]),
        Bug::SpeaksForHost => ("headers-are-ours", &["forged-headers"]),
        Bug::CdnCacheControlKept => ("paid-is-private", &["forged-headers"]),
        Bug::RetryAfterInMilliseconds => ("answers-as-documented", &["rate-limit-fairness"]),
        Bug::OverrideIgnored => ("flood-is-cut", &["rate-limit-fairness"]),
        Bug::PayersCountedAsOne => ("others-are-served", &["rate-limit-fairness"]),
        Bug::PayerRateNotHeld => ("flood-is-cut", &["rate-limit-fairness"]),
        Bug::TenantsCountedAsOne => ("others-are-served", &["busy-tenants"]),
        Bug::WorthlessNotCounted => ("flood-is-cut", &["many-signatures-one-address"]),
        Bug::GoodTakenForWorthless => ("others-are-served", &["busy-tenants"]),
        Bug::MalformedNotCounted => ("flood-is-cut", &["malformed-payment-flood"]),

        Bug::BodyNotBound => ("one-payment-one-request", &["payment-on-another-request"]),
        Bug::StrangerCollects => ("one-payment-one-request", &["payment-on-another-request"]),
        Bug::CredentialsNotBound => ("one-payment-one-request", &["payment-on-another-request"]),
        Bug::DeliveredAtTheNextHop => ("nobody-pays-for-nothing", &["caller-gone-while-settling"]),
        Bug::RefusalBelievedWithTransaction => ("unknown-is-not-failed", &["settle-invalid-transaction-state"]),
        Bug::UnlistedRefusalBelieved => ("unknown-is-not-failed", &["settle-invalid-transaction-state"]),
        Bug::ConflictNamesAnyone => ("one-payment-one-request", &["payment-identifier-races"]),
        Bug::TransactionSoldTwice => ("paid-content-only-after-settlement", &["settle-lies"]),
    }
}
