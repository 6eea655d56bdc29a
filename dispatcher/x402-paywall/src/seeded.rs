//! Bugs to plant on purpose, so that the harness can show that its judges catch them.
//!
//! None can ship: the feature `seeded-bugs` does not compile without debug assertions, which the release profile has not, and
//! to wasm only in the build that `harness selftest --tier live` makes, which says so by a cfg of its own; and without it
//! [`has`] is a constant, so that a site in the code costs nothing. One build holds them all; which one bites is chosen per
//! thread, because a simulated run stays on its thread, and a Worker has but one.

#[cfg(all(feature = "seeded-bugs", not(debug_assertions)))]
compile_error!("seeded bugs are for `harness selftest` alone: no build without debug assertions may have them");
#[cfg(all(feature = "seeded-bugs", target_family = "wasm", not(seeded_worker)))]
compile_error!("seeded bugs are for `harness selftest` alone: no other Worker may have them");

/// Whether this build has the bugs in it.
pub const COMPILED_IN: bool = cfg!(feature = "seeded-bugs");

macro_rules! bugs {
    ($($(#[doc = $says:literal])+ $bug:ident = $name:literal,)+) => {
        /// A mistake that a dispatcher could have, and what it breaks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug {
            $($(#[doc = $says])+ $bug,)+
        }

        // The Worker that ships has not even their names in it.
        #[cfg(any(not(target_family = "wasm"), feature = "seeded-bugs"))]
        impl Bug {
            /// Every bug, in the order in which they stand above.
            pub const ALL: &[Self] = &[$(Self::$bug),+];

            /// As the command line has it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$bug => $name),+ }
            }

            /// What it breaks.
            #[must_use]
            pub fn says(self) -> &'static str {
                match self { $(Self::$bug => concat!($($says),+).trim_ascii()),+ }
            }
        }
    };
}

bugs! {
    /// The claim is keyed by the request and not by the payment, so that nobody sees another's.
    ClaimKeyedByRequest = "claim-keyed-by-request",
    /// A payment that was settled is forgotten, and taken for a new one when it comes again.
    SettledForgotten = "settled-forgotten",
    /// Whoever has an identifier, another payment may use it as well.
    IdentifierConflictIgnored = "identifier-conflict-ignored",

    /// The response leaves before anyone was asked to settle.
    HandedOverUnsettled = "handed-over-unsettled",
    /// The response leaves although the settlement's outcome is open.
    HandedOverOnUnknown = "handed-over-on-unknown",
    /// The response leaves although settling was refused.
    HandedOverOnRefusal = "handed-over-on-refusal",
    /// A settlement is believed whose answer names another payer.
    SettledForAnotherPayer = "settled-for-another-payer",
    /// A settlement is believed whose answer names another amount.
    SettledForAnotherAmount = "settled-for-another-amount",
    /// A settlement is believed whose answer names another network.
    SettledOnAnotherNetwork = "settled-on-another-network",
    /// A settlement is believed whose answer names no transaction.
    SettledWithoutTransaction = "settled-without-transaction",
    /// Who paid in version 1 gets the receipt in version 2's header.
    ReceiptInAnotherVersion = "receipt-in-another-version",

    /// A settlement whose outcome is open is told as refused, with a 402.
    UnknownAnsweredWith402 = "unknown-answered-with-402",
    /// "Pending" is taken for a refusal.
    PendingTakenForRefusal = "pending-taken-for-refusal",
    /// "Nonce already used" is taken for a refusal after an answer was lost.
    NonceUsedTakenForRefusal = "nonce-used-taken-for-refusal",
    /// The record is not stored before the facilitator is asked to settle.
    SettlingNotStored = "settling-not-stored",
    /// An open settlement is told without a word on when to come back.
    RetryAfterMissing = "retry-after-missing",

    /// What a tenant answers with 4xx or 5xx is settled for.
    TenantErrorSettled = "tenant-error-settled",
    /// What a tenant answers with 3xx is settled for.
    RedirectSettled = "redirect-settled",
    /// A paid response that did not arrive cannot be collected.
    KeptNotCollectable = "kept-not-collectable",
    /// The response is settled for and its body is not stored.
    BodyNotStored = "body-not-stored",
    /// An identifier stays with a payment that bought nothing.
    IdentifierNeverGivenBack = "identifier-never-given-back",

    /// A settle that timed out is taken for a refusal, and another facilitator is asked.
    SettleFailoverOnTimeOut = "settle-failover-on-time-out",
    /// An open settlement is asked about at another facilitator.
    SettleRetriedElsewhere = "settle-retried-elsewhere",
    /// An open settlement is asked about with other bytes than the first time.
    SettleRetriedWithOtherBytes = "settle-retried-with-other-bytes",
    /// A tenant's own list of facilitators is ignored.
    OtherFacilitatorsUsed = "other-facilitators-used",

    /// The payment is settled before the tenant runs.
    SettleBeforeExecute = "settle-before-execute",
    /// The tenant runs for a payment that nobody verified.
    RunUnverified = "run-unverified",
    /// A verification is believed whose answer names another payer.
    VerifiedForAnotherPayer = "verified-for-another-payer",
    /// The tenant runs first although the price says `upfront`.
    UpfrontRunsFirst = "upfront-runs-first",

    /// A payment is bound to its tenant alone: it buys any other path, query and method there.
    BoundToTenantAlone = "bound-to-tenant-alone",
    /// A response that was handed over is served again.
    ServedTwice = "served-twice",
    /// The tenant runs again for a settled payment whose response is kept.
    ResendRunsTenant = "resend-runs-tenant",

    /// A settlement is told twice in telemetry.
    SettledToldTwice = "settled-told-twice",
    /// An open settlement gets no alarm, so that nobody asks about it any more once its caller has gone.
    UnknownNeverAskedAbout = "unknown-never-asked-about",

    /// A payment is bound to its request without the tenant: another tenant hands over what was bought at this one.
    BoundWithoutTenant = "bound-without-tenant",
    /// A dispatch hands over no policy of the tenant's own.
    EgressPolicyLost = "egress-policy-lost",
    /// An address that is not public may be asked.
    PrivateAddressAsked = "private-address-asked",
    /// What a tenant answers is told in the log.
    TenantAnswerLogged = "tenant-answer-logged",
    /// The stored directory is read once and never again.
    DirectoryKeptForEver = "directory-kept-for-ever",
    /// A stored directory that cannot be read takes the place of the good one.
    BrokenDirectoryEmpties = "broken-directory-empties",
    /// A stored directory that is gone takes the place of the good one.
    MissingDirectoryEmpties = "missing-directory-empties",
    /// An older version of the stored directory takes the place of the newer one.
    OlderDirectoryAdopted = "older-directory-adopted",
    /// A wrong record takes the tenants beside it along.
    WrongRecordTakesAll = "wrong-record-takes-all",
    /// A record is left out, and nobody is told.
    LeftOutUntold = "left-out-untold",
    /// Whatever script a record names is run.
    ForeignScriptRun = "foreign-script-run",
    /// A settled payment at a price that has changed since is told that it does not pay the offer.
    FormerPriceForgotten = "former-price-forgotten",
    /// A payment whose tenant has left the directory is told that there is no tenant, whatever may have been settled.
    LeftTenantForgotten = "left-tenant-forgotten",
    /// What a tenant says in the dispatcher's name reaches the caller.
    ForgedHeaderLeaves = "forged-header-leaves",
    /// What a caller says in the dispatcher's name reaches the tenant, the signed payment too.
    ForgedHeaderEnters = "forged-header-enters",
    /// A tenant's cookie goes to other tenants as well.
    CookieUnbound = "cookie-unbound",
    /// What a tenant says of caching stands on a paid response.
    PaidIsPublic = "paid-is-public",

    /// Every dispatch carries the limits of the largest plan.
    LimitsOfAnotherPlan = "limits-of-another-plan",
    /// A dispatch's limits have a key that the platform does not know.
    LimitsKeyMisspelt = "limits-key-misspelt",
    /// An isolate that has the list of quarantines once never asks for it again.
    QuarantinesAskedOnce = "quarantines-asked-once",
    /// A new isolate lets requests through before it knows who is in quarantine.
    QuarantinesNotAwaited = "quarantines-not-awaited",
    /// A tenant that burns CPU again and again is told, and goes on.
    PolicyOnlyTells = "policy-only-tells",
    /// Who is paid upfront goes on selling in quarantine.
    SoldInQuarantine = "sold-in-quarantine",
    /// What the location counts is asked, and nobody listens.
    LocationNotHeard = "location-not-heard",
    /// A payment that the ledger has is held to rates like any other.
    KeptPaymentsHeldToRates = "kept-payments-held-to-rates",
    /// Every tenant runs under the limits of one in quarantine.
    LimitsOfQuarantine = "limits-of-quarantine",
    /// A tenant that was cut off is taken for one that threw.
    CutOffTakenForFailure = "cut-off-taken-for-failure",
    /// A tenant that is paid may take as long as it likes.
    TenantTakesForEver = "tenant-takes-for-ever",
    /// The tenant runs for a request that is billed.
    UnpaidRunsTenant = "unpaid-runs-tenant",
    /// A payment that somebody else signed counts as its payer's own.
    SignatureNotChecked = "signature-not-checked",
    /// A facilitator is asked about a payment of another amount than the price.
    AmountNotChecked = "amount-not-checked",
    /// A facilitator is asked about a payment to another address than the tenant's.
    PayeeNotChecked = "payee-not-checked",
    /// A facilitator is asked about a payment whose time has not come.
    EarlyNotRefused = "early-not-refused",
    /// A facilitator is asked about a payment that can be settled for years.
    WindowUnbounded = "window-unbounded",
    /// No number of failures keeps payments from a facilitator.
    BreakerNeverOpens = "breaker-never-opens",
    /// A facilitator is asked about offers that it says it cannot serve.
    UnsupportedAsked = "unsupported-asked",

    /// Nobody is refused for coming too often.
    RatesNotHeld = "rates-not-held",
    /// All addresses share one rate.
    AddressesCountedAsOne = "addresses-counted-as-one",
    /// Requests that only get an offer use up the tenant's rate.
    OffersCounted = "offers-counted",
    /// A refusal for coming too often does not say when to come back.
    LimitedForGood = "limited-for-good",
    /// What one address sends is no reason to refuse it.
    FloodsNotCut = "floods-not-cut",
    /// An alert is told with each request of a flood.
    AlertEachTime = "alert-each-time",
    /// A payer's rate is looked at after the payment was claimed and verified.
    RateHeldTooLate = "rate-held-too-late",

    /// A facilitator that is back is never used again.
    BreakerNeverCloses = "breaker-never-closes",
    /// A facilitator that does not answer is waited for, whatever its time-out.
    TimeOutIgnored = "time-out-ignored",
    /// A request that is refused writes no line.
    RequestLineMissing = "request-line-missing",

    /// A bill does not say in its header what to pay.
    BillWithoutOffer = "bill-without-offer",
    /// A HEAD with a payment buys.
    HeadSold = "head-sold",
    /// Paid content leaves as 200, whatever the tenant said.
    StatusFlattened = "status-flattened",
    /// Pages on other origins may not read answers about payments.
    CorsMissing = "cors-missing",
    /// A browser's preflight is billed.
    PreflightBilled = "preflight-billed",

    /// A facilitator is asked to settle what ran out while the tenant ran.
    ExpiryNotLookedAt = "expiry-not-looked-at",
    /// A payment is held for a second while its tenant runs.
    LeaseTooShort = "lease-too-short",
    /// Who comes back after a crash waits until the lease of the request that died has run out.
    OrphanWaitsOutItsLease = "orphan-waits-out-its-lease",
    /// A response whose caller was cut off by a crash stays on its way.
    DeliveryLeaseForEver = "delivery-lease-for-ever",
    /// After three questions an open settlement is taken for a refusal.
    UnknownGivenUp = "unknown-given-up",
    /// An open settlement is asked about ten times a second.
    UnknownAskedInAStorm = "unknown-asked-in-a-storm",
    /// An open settlement is first asked about after an hour.
    UnknownAskedAboutTooLate = "unknown-asked-about-too-late",
    /// An open settlement is told without the transaction that its facilitator named.
    PendingTransactionLost = "pending-transaction-lost",
    /// A refusal is believed although an answer before it was lost.
    RefusalAfterUnknownBelieved = "refusal-after-unknown-believed",
    /// Who paid upfront for a run that failed is owed nothing.
    UpfrontFailureForgotten = "upfront-failure-forgotten",
    /// A payment stays held although its tenant failed.
    FailedRunKeepsPayment = "failed-run-keeps-payment",
    /// A settled payment is remembered for two seconds.
    SettledKeptTooShort = "settled-kept-too-short",
    /// A first settlement goes to the first facilitator, whatever is known of it.
    SettleIgnoresHealth = "settle-ignores-health",
    /// A payment is taken for busy long after its facilitator has answered.
    BusyAfterAnswer = "busy-after-answer",
    /// The body of a response is dropped before its caller has it.
    BodyDroppedAtOnce = "body-dropped-at-once",
    /// Of a response, the first hundred bytes are kept for who comes back.
    StoredBodyTruncated = "stored-body-truncated",
    /// Telemetry has no word of a settlement.
    SettledUntold = "settled-untold",
    /// Of a stored response the headers are forgotten.
    StoredHeadersLost = "stored-headers-lost",
    /// A stored response comes back as 200, whatever it was.
    StoredStatusLost = "stored-status-lost",
    /// Nobody says that a response was handed over.
    HandOverNeverTold = "hand-over-never-told",
    /// A facilitator's HTTP error is taken for a refusal to settle.
    HttpErrorTakenForRefusal = "http-error-taken-for-refusal",
    /// A facilitator that does not answer /verify has refused the payment.
    VerifyErrorBilled = "verify-error-billed",
    /// The end of a payment is compared with milliseconds.
    WindowInMilliseconds = "window-in-milliseconds",
    /// A settlement is begun although its payment runs out before a block can be found.
    MarginIgnored = "margin-ignored",
    /// What is said right after "pending" counts as the first word about a settlement.
    PendingForgotten = "pending-forgotten",
    /// A payment that has run out never reaches the ledger.
    ExpiredCannotCollect = "expired-cannot-collect",
    /// A facilitator is asked about a payment in another asset.
    AssetNotChecked = "asset-not-checked",
    /// A facilitator is asked about a payment by another scheme.
    SchemeNotChecked = "scheme-not-checked",
    /// A payment may change what the offer says of its token and flow.
    ExtraNotChecked = "extra-not-checked",
    /// A payment in version 1 may be for any amount.
    V1NotMatched = "v1-not-matched",
    /// Customers of two sellers cannot use the same identifier.
    IdentifierNotScoped = "identifier-not-scoped",
    /// A payment buys any other query of its path.
    BoundWithoutQuery = "bound-without-query",
    /// A payment buys any other method on its path.
    BoundWithoutMethod = "bound-without-method",
    /// A bill may be kept by caches.
    BillCacheable = "bill-cacheable",
    /// Who is told to come back is told to do so tomorrow.
    RetryAfterADay = "retry-after-a-day",
    /// Who presents a spent payment is not told where it went.
    SpentWithoutTransaction = "spent-without-transaction",
    /// Only the first facilitator is asked to verify.
    VerifyNoFailover = "verify-no-failover",
    /// A payment that one facilitator calls invalid is verified at the next.
    InvalidFailsOver = "invalid-fails-over",
    /// A facilitator that stays away is probed as often as at first.
    BackOffNeverGrows = "back-off-never-grows",
    /// A quarantined /verify has nothing to be probed with.
    SpecimenLost = "specimen-lost",
    /// Facilitators are asked what they support at each exchange.
    SupportedAskedEachTime = "supported-asked-each-time",
    /// An isolate goes by what it saw itself and never learns what others know.
    HealthNotMerged = "health-not-merged",
    /// A facilitator that is slow is not asked at all.
    SlowTakenForDead = "slow-taken-for-dead",
    /// Every failure counts against a facilitator, whoever has sent the payment.
    StrangersBelieved = "strangers-believed",
    /// While nobody is well, no payment is let through to find out who is back.
    NobodyTried = "nobody-tried",
    /// Open settlements are asked about one after the other, however many there are.
    DebtsInSingleFile = "debts-in-single-file",
    /// A facilitator's `no` ends the search, whatever it is about.
    EveryNoBelieved = "every-no-believed",
    /// Each facilitator gets the API keys of all.
    KeysOfAnother = "keys-of-another",
    /// Content leaves without its receipt.
    ReceiptMissing = "receipt-missing",
    /// The log has each request's query, whatever secrets it has in it.
    QueryLogged = "query-logged",
    /// A payment buys the answer to any other body of its request.
    BodyNotBound = "body-not-bound",
    /// Whoever reads a payment off the chain collects what it bought.
    StrangerCollects = "stranger-collects",
    /// An answer that was made for one caller's credentials goes to a request without them.
    CredentialsNotBound = "credentials-not-bound",
    /// What was handed to the next hop counts as delivered, and is given to nobody again.
    DeliveredAtTheNextHop = "delivered-at-the-next-hop",
    /// A refusal is believed although it names a transaction, or comes with a server's error.
    RefusalBelievedWithTransaction = "refusal-believed-with-transaction",
    /// A refusal is believed whose reason says nothing about when it is given.
    UnlistedRefusalBelieved = "unlisted-refusal-believed",
    /// A conflict over an identifier names the transaction of whoever has it.
    ConflictNamesAnyone = "conflict-names-anyone",
    /// One transaction pays for as many purchases as it is shown for.
    TransactionSoldTwice = "transaction-sold-twice",
    /// A tenant's response is held whatever its size.
    BodyUnbounded = "body-unbounded",
    /// Of a response no more than a kilobyte is sold.
    BodyTruncated = "body-truncated",
    /// A request has the id that its caller says.
    CallerNamesRequest = "caller-names-request",
    /// A dispatch carries the CPU limit as that of subrequests.
    LimitsSwapped = "limits-swapped",
    /// A tenant that is reached by slug is asked for the path with the slug in it.
    SlugNotStripped = "slug-not-stripped",
    /// A path on one tenant's host can name another tenant.
    SlugBeatsHost = "slug-beats-host",
    /// A caller's claim to have asked for another host reaches the tenant.
    ForwardedHostEnters = "forwarded-host-enters",
    /// A tenant's word on extensions reaches the caller.
    ExtensionResponsesLeave = "extension-responses-leave",
    /// What a tenant says of a whole host stands on one that it shares.
    SpeaksForHost = "speaks-for-host",
    /// What a tenant says to shared caches stands on a paid response.
    CdnCacheControlKept = "cdn-cache-control-kept",
    /// A browser's question whether a page may pay is put to a tenant that sells, and its answer let through.
    PreflightRunsTenant = "preflight-runs-tenant",
    /// A page gets leave for the payment's headers alone, whatever else it has to send.
    PreflightNotHeard = "preflight-not-heard",
    /// What pages may read a tenant's answer is said beside what the tenant says of it, so that browsers take neither.
    CorsAppended = "cors-appended",
    /// A wallet's proof for the dispatcher reaches the tenant.
    SignInEnters = "sign-in-enters",
    /// Credentials that are a payment reach the tenant.
    PaymentSchemeEnters = "payment-scheme-enters",
    /// Addresses that a tenant by slug names lead out of its mount.
    MountNotPutBack = "mount-not-put-back",
    /// A page of a tenant by slug has the origin that all tenants on that host share.
    PageNotContained = "page-not-contained",
    /// A cookie of a tenant by slug goes to all tenants on that host.
    CookieOfTheWholeHost = "cookie-of-the-whole-host",
    /// A host that a tenant's policy denies may be asked.
    EgressDenyIgnored = "egress-deny-ignored",
    /// A host that a tenant's policy does not list may be asked.
    EgressAllowIgnored = "egress-allow-ignored",
    /// A tenant may ask the platform's own hosts.
    PlatformHostAsked = "platform-host-asked",
    /// A tenant may ask any port.
    AnyPortAsked = "any-port-asked",
    /// Who comes too often is told to wait a thousand times as long.
    RetryAfterInMilliseconds = "retry-after-in-milliseconds",
    /// A quarantine stays although an operator lifted it.
    QuarantineNeverLifted = "quarantine-never-lifted",
    /// A quarantine outlives the time it was for.
    QuarantineNeverEnds = "quarantine-never-ends",
    /// One tenant's quarantine is every tenant's.
    QuarantineOfAll = "quarantine-of-all",
    /// A tenant's own rates do not count.
    OverrideIgnored = "override-ignored",
    /// All payers of a tenant share one rate.
    PayersCountedAsOne = "payers-counted-as-one",
    /// A payer may come as often as it likes.
    PayerRateNotHeld = "payer-rate-not-held",
    /// All tenants share one rate.
    TenantsCountedAsOne = "tenants-counted-as-one",
    /// Payments that prove worthless are no reason to refuse the next.
    WorthlessNotCounted = "worthless-not-counted",
    /// Payments that buy count as a flood.
    GoodTakenForWorthless = "good-taken-for-worthless",
    /// Payments that cannot be read are no reason to refuse the next.
    MalformedNotCounted = "malformed-not-counted",
    /// Each run counts for a caller of its own: one caller decides by what others are judged.
    RunsCountedForCallers = "runs-counted-for-callers",
    /// A payment counts against its address once it was answered, however many are under way.
    CountedAfterTheAnswer = "counted-after-the-answer",
    /// Payers that nobody knows may have any number of payments under way.
    StrangersNotBounded = "strangers-not-bounded",
    /// A payment that comes to nothing may come again at once, for ever.
    NothingNeverWaits = "nothing-never-waits",
    /// A network whose parts misbehave one after the other answers for nothing.
    NeighboursNotHeld = "neighbours-not-held",
    /// A tenant that left the directory is served for ever.
    RemovedTenantStays = "removed-tenant-stays",

    /// An alarm that has rung is taken for one that is still set, so that an open settlement is asked about once.
    AlarmArmedOnce = "alarm-armed-once",
    /// The pause between two questions about an open settlement stays what it was at first.
    PauseNeverGrows = "pause-never-grows",
    /// A settled payment's record gets no alarm of its own, so that nothing ever deletes it.
    SettledNeverForgotten = "settled-never-forgotten",
    /// The alarm is set after the record that needs it is stored.
    AlarmAfterRecord = "alarm-after-record",
    /// A tenant's own facilitators are used in the order of the configuration.
    OwnOrderIgnored = "own-order-ignored",
    /// A ledger's lost answer to a settlement is told as a ledger that cannot be reached, which says that nobody was charged.
    LostSettleToldUnavailable = "lost-settle-told-unavailable",
    /// An open settlement is told with leave to come back at once.
    RetryAfterZero = "retry-after-zero",
    /// An offer on Base mainnet has the token's name of the test network.
    MainnetNameWrong = "mainnet-name-wrong",

    /// The Worker passes a dispatch's limits under keys that the platform does not know.
    WorkerMisspellsLimits = "worker-misspells-limits",
    /// The Worker passes no limits with a dispatch.
    WorkerPassesNoLimits = "worker-passes-no-limits",
    /// The Worker passes a tenant's egress policy under a key that the outbound Worker does not know.
    WorkerMisspellsEgress = "worker-misspells-egress",
    /// What the namespace throws is taken for an answer of the tenant's.
    ExceptionTakenForAnswer = "exception-taken-for-answer",
    /// What the namespace throws is not read, so that no exception is told from another.
    ExceptionUnread = "exception-unread",
    /// What a caller says in the dispatcher's name goes on to the tenant with its request.
    CallerHeadersPass = "caller-headers-pass",
    /// What a tenant says in the dispatcher's name goes on to the caller with its response.
    TenantHeadersPass = "tenant-headers-pass",
    /// A stored response loses its status on its way to the caller.
    WorkerLosesStatus = "worker-loses-status",
    /// A Durable Object's alarm is never set.
    AlarmNeverSet = "alarm-never-set",
    /// A Durable Object's storage takes a payment's record, and not the body beside it.
    BodyLeftOut = "body-left-out",
    /// A facilitator is waited for as long as it likes, because its request carries no signal.
    SignalNotPassed = "signal-not-passed",
    /// What is left to do after an answer is begun and dropped.
    WaitUntilDropped = "wait-until-dropped",
    /// A facilitator that sends elsewhere is followed, with the payment and the key.
    RedirectFollowed = "redirect-followed",
    /// The Worker asks the location's counter and takes every answer for a yes.
    RateBindingIgnored = "rate-binding-ignored",
    /// The Worker runs the script that has a tenant's own name, whichever version its record names.
    VersionNotRun = "version-not-run",
    /// The Worker sets each header of a stored response in place of appending it.
    WorkerSetsHeaders = "worker-sets-headers",
}

#[cfg(any(not(target_family = "wasm"), feature = "seeded-bugs"))]
impl Bug {
    /// Whether it is in the Worker's adapters, which only the live tier runs.
    #[must_use]
    pub fn is_in_the_worker(self) -> bool {
        matches!(
            self,
            Self::WorkerMisspellsLimits
                | Self::WorkerPassesNoLimits
                | Self::WorkerMisspellsEgress
                | Self::ExceptionTakenForAnswer
                | Self::ExceptionUnread
                | Self::CallerHeadersPass
                | Self::TenantHeadersPass
                | Self::WorkerLosesStatus
                | Self::AlarmNeverSet
                | Self::BodyLeftOut
                | Self::SignalNotPassed
                | Self::WaitUntilDropped
                | Self::RedirectFollowed
                | Self::RateBindingIgnored
                | Self::VersionNotRun
                | Self::WorkerSetsHeaders
        )
    }
}

/// Whether the bug is in the code that runs.
#[cfg(not(feature = "seeded-bugs"))]
#[inline(always)]
#[must_use]
pub const fn has(_: Bug) -> bool {
    false
}

#[cfg(feature = "seeded-bugs")]
pub use planted::{has, plant, plant_named};

#[cfg(feature = "seeded-bugs")]
mod planted {
    use super::Bug;
    use std::cell::Cell;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Whether the bug is in the code that runs on this thread.
    #[must_use]
    pub fn has(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// The bug of this name, or none where there is no such name: for a Worker, which is told by a variable.
    pub fn plant_named(name: &str) {
        plant(Bug::ALL.iter().copied().find(|bug| bug.name() == name));
    }

    /// From now on this thread's code has this bug, and no other.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }
}
