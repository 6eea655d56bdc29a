//! The dispatcher's own error answers in one table. Those about payments stand in `x402_paywall::Denial`.

use crate::{admission::TurnedAway, resolve::ResolveError, tenant_failure::TenantFailure};
use std::borrow::Cow;

/// Why a request gets no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Misconfigured,
    Resolve(ResolveError),
    /// Nobody has this host or slug.
    NoTenant,
    Tenant(TenantFailure),
    ResponseTooLarge,
    /// The payment headers are longer than any payment.
    PaymentTooLarge,
    /// A body that is paid for is read whole before anyone is asked about the payment, since the payment buys this body's
    /// answer and no other's.
    RequestTooLarge,
    /// Its body broke off, or did not come in time.
    RequestIncomplete,
    /// Too many requests, or too many that nothing came of: see [`crate::admission`]. Nobody was asked about it, no tenant
    /// ran, and a payment that came with it is untouched.
    RateLimited {
        retry_after_s: u64,
    },
    /// One of the three above, where the caller paid upfront.
    Owed(Box<Refusal>),
    /// `__platform/*` without the token, or for something that is not there.
    PlatformDenied,
    PlatformNotFound,
    /// The token lets its holder look, and no more.
    PlatformForbidden,
    /// A member of a platform request's query is wrong.
    PlatformQuery {
        why: String,
    },
    /// What was kept of events cannot be asked.
    TelemetryUnavailable,
    /// Too many wrong tokens came from the same source: see [`crate::token_guard`].
    TooManyGuesses {
        retry_after_s: u64,
    },
    /// The text in the place of a payment's key is none.
    InvalidPaymentKey,
    /// No tenant of the directory has this id.
    UnknownTenant,
    /// A platform resource is in a settlement ledger that does not answer.
    LedgerUnavailable,
    /// `__platform/facilitators` could not be asked for.
    HealthUnavailable,
    /// The body of a platform request is not what it should be. Whoever sent it has the token, and is told what is wrong with it.
    PlatformBody {
        why: String,
    },
    /// The list of quarantines could not be read or written, or is full.
    QuarantineUnavailable,
}

impl Refusal {
    /// Returns one of each kind, for a test that holds something of all of them. A new kind must get a place here to compile.
    #[doc(hidden)]
    #[must_use]
    pub fn one_of_each() -> Vec<Self> {
        use {ResolveError as Error, TenantFailure as Failure};
        let next = |refusal: &Self| {
            Some(match refusal {
                Self::Misconfigured => Self::Resolve(Error::InvalidKey),
                Self::Resolve(Error::InvalidKey) => Self::Resolve(Error::Unavailable),
                Self::Resolve(Error::Unavailable) => Self::NoTenant,
                Self::NoTenant => Self::Tenant(Failure::NotInNamespace),
                Self::Tenant(Failure::NotInNamespace) => Self::Tenant(Failure::Threw),
                Self::Tenant(Failure::Threw) => Self::Tenant(Failure::CpuLimit),
                Self::Tenant(Failure::CpuLimit) => Self::Tenant(Failure::SubrequestLimit),
                Self::Tenant(Failure::SubrequestLimit) => Self::Tenant(Failure::TimeLimit),
                Self::Tenant(Failure::TimeLimit) => Self::Tenant(Failure::BindingMissing),
                Self::Tenant(Failure::BindingMissing) => Self::ResponseTooLarge,
                Self::ResponseTooLarge => Self::PaymentTooLarge,
                Self::PaymentTooLarge => Self::RequestTooLarge,
                Self::RequestTooLarge => Self::RequestIncomplete,
                Self::RequestIncomplete => Self::RateLimited { retry_after_s: 1 },
                Self::RateLimited { .. } => Self::Owed(Box::new(Self::NoTenant)),
                Self::Owed(_) => Self::PlatformDenied,
                Self::PlatformDenied => Self::PlatformNotFound,
                Self::PlatformNotFound => Self::PlatformForbidden,
                Self::PlatformForbidden => Self::PlatformQuery { why: "x".to_owned() },
                Self::PlatformQuery { .. } => Self::TelemetryUnavailable,
                Self::TelemetryUnavailable => Self::TooManyGuesses { retry_after_s: 1 },
                Self::TooManyGuesses { .. } => Self::InvalidPaymentKey,
                Self::InvalidPaymentKey => Self::UnknownTenant,
                Self::UnknownTenant => Self::LedgerUnavailable,
                Self::LedgerUnavailable => Self::HealthUnavailable,
                Self::HealthUnavailable => Self::PlatformBody { why: "x".to_owned() },
                Self::PlatformBody { .. } => Self::QuarantineUnavailable,
                Self::QuarantineUnavailable => return None,
            })
        };
        std::iter::successors(Some(Self::Misconfigured), next).collect()
    }

    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Misconfigured | Self::Tenant(TenantFailure::BindingMissing) => 500,
            Self::NoTenant | Self::PlatformNotFound | Self::UnknownTenant => 404,
            Self::Resolve(ResolveError::InvalidKey)
            | Self::PaymentTooLarge
            | Self::InvalidPaymentKey
            | Self::PlatformQuery { .. }
            | Self::PlatformBody { .. } => 400,
            Self::Tenant(TenantFailure::NotInNamespace | TenantFailure::Threw) | Self::ResponseTooLarge => 502,
            Self::Tenant(TenantFailure::CpuLimit | TenantFailure::SubrequestLimit) | Self::HealthUnavailable => 503,
            Self::Tenant(TenantFailure::TimeLimit) => 504,
            Self::RequestTooLarge => 413,
            Self::RequestIncomplete => 408,
            Self::Owed(refusal) => refusal.status(),
            Self::PlatformDenied => 401,
            Self::PlatformForbidden => 403,
            Self::RateLimited { .. } | Self::TooManyGuesses { .. } => 429,
            Self::LedgerUnavailable
            | Self::QuarantineUnavailable
            | Self::TelemetryUnavailable
            | Self::Resolve(ResolveError::Unavailable) => 503,
        }
    }

    /// When to come back, in seconds.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::Resolve(ResolveError::Unavailable) => Some(1),
            Self::TooManyGuesses { retry_after_s } => Some(*retry_after_s),
            Self::RateLimited { retry_after_s } => Some(*retry_after_s),
            _ => None,
        }
    }

    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Misconfigured => "dispatcher_misconfigured",
            Self::NoTenant => "tenant_not_found",
            Self::Resolve(ResolveError::InvalidKey) => "invalid_dispatch_key",
            Self::Resolve(ResolveError::Unavailable) => "tenant_directory_unavailable",
            Self::Tenant(TenantFailure::BindingMissing) => "dispatcher_binding_missing",
            Self::Tenant(TenantFailure::NotInNamespace | TenantFailure::Threw) => "tenant_worker_failure",
            Self::Tenant(TenantFailure::CpuLimit) => "tenant_cpu_limit_exceeded",
            Self::Tenant(TenantFailure::SubrequestLimit) => "tenant_subrequest_limit_exceeded",
            Self::Tenant(TenantFailure::TimeLimit) => "tenant_time_limit_exceeded",
            Self::ResponseTooLarge => "tenant_response_too_large",
            Self::PaymentTooLarge => "invalid_payload",
            Self::RequestTooLarge => "request_too_large",
            Self::RequestIncomplete => "request_incomplete",
            Self::RateLimited { .. } | Self::TooManyGuesses { .. } => "rate_limited",
            Self::InvalidPaymentKey => "invalid_payment_key",
            Self::UnknownTenant => "unknown_tenant",
            Self::Owed(refusal) => refusal.code(),
            Self::PlatformDenied => "platform_token_required",
            Self::PlatformNotFound => "platform_resource_not_found",
            Self::PlatformForbidden => "platform_scope_required",
            Self::PlatformQuery { .. } => "invalid_platform_query",
            Self::TelemetryUnavailable => "telemetry_unavailable",
            Self::LedgerUnavailable => "settlement_ledger_unavailable",
            Self::HealthUnavailable => "facilitator_health_unavailable",
            Self::PlatformBody { .. } => "invalid_platform_body",
            Self::QuarantineUnavailable => "quarantine_unavailable",
        }
    }

    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        let message = match self {
            Self::PlatformBody { why } => return format!("the body is refused: {why}").into(),
            Self::PlatformQuery { why } => return format!("the query is refused: {why}").into(),
            Self::Misconfigured => "the dispatcher's configuration is refused; its log names the key",
            Self::NoTenant => "no tenant has this host or slug",
            Self::Resolve(ResolveError::InvalidKey) => "this host or slug cannot be a tenant's",
            Self::Resolve(ResolveError::Unavailable) => "the tenant directory cannot be read right now; try again",
            Self::Tenant(TenantFailure::BindingMissing) => "the dispatch namespace is not bound",
            Self::Tenant(TenantFailure::NotInNamespace) => "the tenant's Worker is not deployed; you were not charged",
            Self::Tenant(TenantFailure::Threw) => "the tenant's Worker failed; you were not charged",
            Self::Tenant(TenantFailure::CpuLimit) => "the tenant's Worker used up its CPU time; you were not charged",
            Self::Tenant(TenantFailure::SubrequestLimit) => {
                "the tenant's Worker used up its subrequests; you were not charged"
            }
            Self::Tenant(TenantFailure::TimeLimit) => "the tenant's Worker took too long; you were not charged",
            Self::ResponseTooLarge => "the tenant's response is too large to be paid for; you were not charged",
            Self::PaymentTooLarge => "the payment cannot be read: its headers are too long; you were not charged",
            Self::RequestTooLarge => "the request's body is too large to be paid for; you were not charged",
            Self::RequestIncomplete => {
                "the request's body did not arrive whole and in time; nothing was done with the payment: send both again"
            }
            Self::RateLimited { .. } => {
                "too many requests; nothing was done with this one: send it again, with the same payment, once Retry-After has passed"
            }
            Self::Owed(refusal) if **refusal == Self::NoTenant => {
                "no tenant has this host or slug any more, and nothing was given yet for what you were charged; the same payment gets it should the tenant come back"
            }
            Self::Owed(_) => {
                "the tenant's Worker gave no response yet; you were charged, and the same payment runs it again"
            }
            Self::PlatformDenied => "send the platform token as a bearer token",
            Self::HealthUnavailable => "the facilitators' health cannot be read right now",
            Self::QuarantineUnavailable => {
                "the list of quarantines is full, or did not answer: what it was told may be in force all the same, and can be told again"
            }
            Self::TooManyGuesses { .. } => "too many wrong tokens came from here; wait until Retry-After has passed",
            Self::InvalidPaymentKey => {
                "this is no payment's key, which is network:asset:from:nonce, as eip155:84532:0x<40 digits>:0x<40 digits>:0x<64 digits>"
            }
            Self::UnknownTenant => {
                "no tenant of the directory has this id, so nothing was changed; \"force\": true in the body of a quarantine takes it all the same"
            }
            Self::PlatformNotFound => "there is no such platform resource",
            Self::PlatformForbidden => {
                "this token lets you look; what changes something wants one of the scope operate"
            }
            Self::TelemetryUnavailable => {
                "what was kept of events cannot be read right now; payments do not depend on it"
            }
            Self::LedgerUnavailable => "the settlement ledger cannot be reached right now",
        };
        message.into()
    }
}

impl From<TurnedAway> for Refusal {
    fn from(TurnedAway { retry_after_s }: TurnedAway) -> Self {
        Self::RateLimited { retry_after_s }
    }
}

impl From<ResolveError> for Refusal {
    fn from(error: ResolveError) -> Self {
        Self::Resolve(error)
    }
}

impl From<TenantFailure> for Refusal {
    fn from(failure: TenantFailure) -> Self {
        Self::Tenant(failure)
    }
}
