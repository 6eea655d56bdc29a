//! What it means when a tenant's Worker did not answer. The platform says so in an exception's message only, and the
//! messages of custom limits are not documented: known beginnings are told apart, everything else is the tenant's failure.

use x402_paywall::seeded::{self, Bug};

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantFailure {
    NotInNamespace,
    Threw,
    CpuLimit,
    SubrequestLimit,
    /// The dispatcher has no namespace binding: ours, not the tenant's.
    BindingMissing,
}

impl TenantFailure {
    /// Whether the tenant's Worker is to blame.
    #[must_use]
    pub fn is_the_tenants(self) -> bool {
        self != Self::BindingMissing
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
        if seeded::has(Bug::CutOffTakenForFailure) {
            return Self::Threw;
        }
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
