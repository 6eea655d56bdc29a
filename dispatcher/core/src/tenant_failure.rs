//! What it means when a tenant's Worker did not answer. The platform says so in an exception's message only, and the
//! messages of custom limits are not documented: known beginnings are told apart, everything else is the tenant's failure.

use x402_paywall::ledger::machine::TENANT_LEASE_MS;

/// From the dispatch to the last byte of what a payment buys. The ledger holds the payment for [`TENANT_LEASE_MS`], after which
/// another request may run the tenant for it: so much earlier does this end that the response, up to a megabyte of it, gets
/// back to the ledger in time. Callers rarely wait as long; who sells what takes a minute sells a place to fetch it.
pub const TIME_LIMIT_MS: u64 = 50_000;

const _: () =
    assert!(TIME_LIMIT_MS + 10_000 <= TENANT_LEASE_MS, "the response must be with the ledger in the lease's time");

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantFailure {
    NotInNamespace,
    Threw,
    CpuLimit,
    SubrequestLimit,
    /// Nothing it had to sell was there in time: see [`TIME_LIMIT_MS`]. The platform bounds CPU time alone, and whoever waits
    /// uses none.
    TimeLimit,
    /// The dispatcher has no namespace binding: ours, not the tenant's.
    BindingMissing,
}

impl TenantFailure {
    /// Whether the tenant's Worker is to blame. Not for taking long: a caller that holds back its body can make it wait, and
    /// would have others turned away.
    #[must_use]
    pub fn is_the_tenants(self) -> bool {
        !matches!(self, Self::BindingMissing | Self::TimeLimit)
    }

    /// Case and a leading `Error: ` do not count.
    #[must_use]
    pub fn from_message(message: &str) -> Self {
        const BEGINNINGS: [(&str, TenantFailure); 4] = [
            ("worker not found", TenantFailure::NotInNamespace),
            ("worker exceeded cpu time limit", TenantFailure::CpuLimit),
            ("too many subrequests", TenantFailure::SubrequestLimit),
            ("too many api requests", TenantFailure::SubrequestLimit),
        ];
        let lower = message.to_ascii_lowercase();
        let text = lower.strip_prefix("error: ").unwrap_or(&lower);
        BEGINNINGS
            .iter()
            .find(|(beginning, _)| text.starts_with(beginning))
            .map_or(Self::Threw, |(_, failure)| *failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_platforms_messages_apart() {
        for (message, failure) in [
            ("Worker not found.", TenantFailure::NotInNamespace),
            ("Worker exceeded CPU time limit.", TenantFailure::CpuLimit),
            ("Too many subrequests by single Worker invocation. To configure", TenantFailure::SubrequestLimit),
            ("Error: Too many API requests by single Worker invocation.", TenantFailure::SubrequestLimit),
            ("boom", TenantFailure::Threw),
            ("my Worker not found.", TenantFailure::Threw),
        ] {
            assert_eq!(TenantFailure::from_message(message), failure, "{message}");
        }
    }
}
