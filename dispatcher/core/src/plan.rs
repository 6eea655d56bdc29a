//! Plans: the limits that each dispatch carries, and the rates at which requests are let in.

use serde::{Deserialize, Serialize};

/// The service that a tenant pays us for. `quarantine` is where a tenant is put that must not do harm while someone
/// looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    Free,
    Pro,
    Business,
    Enterprise,
    Quarantine,
}

/// Custom limits of one dispatch, under the names that the platform's JavaScript API has (`cpuMs`, `subRequests`): a key
/// it does not know would silently mean no limit at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Milliseconds of CPU time per invocation.
    pub cpu_ms: u32,
    /// `fetch()` calls per invocation, redirect hops included.
    pub sub_requests: u32,
}

/// How many requests are let in, in ten seconds and as many at once. Held by each isolate for itself, and beside that by
/// each of the platform's locations for all of its isolates ([`crate::admission`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// The numbers of requests that run the tenant's Worker: with a payment, and without. What only gets an offer is
    /// not counted.
    pub tenant: u32,
    /// Payments of one payer to the tenant. The same payment sent again is not another.
    pub payer: u32,
    /// From one address to the tenant.
    pub address: u32,
}

impl Plan {
    /// Figures that the platform can count for us, each a binding of its own ([`crate::ports::Rung`]).
    #[must_use]
    pub fn rates(self) -> Rates {
        let (tenant, payer, address) = match self {
            Self::Free => (500, 100, 100),
            Self::Pro => (2_000, 100, 500),
            Self::Business => (10_000, 500, 2_000),
            Self::Enterprise => (50_000, 2_000, 10_000),
            // Enough to look at it.
            Self::Quarantine => (20, 20, 20),
        };
        Rates { tenant, payer, address }
    }

    #[must_use]
    pub fn limits(self) -> Limits {
        let (cpu_ms, sub_requests) = match self {
            Self::Free => (10, 5),
            Self::Pro => (50, 50),
            Self::Business => (200, 200),
            Self::Enterprise => (1_000, 1_000),
            // Enough to answer with an error page, too little to burn or to flood. Not 0: a limit of 0 is not documented
            // to mean "none allowed".
            Self::Quarantine => (5, 1),
        };
        Limits { cpu_ms, sub_requests }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_go_out_under_the_keys_that_the_platform_reads() {
        assert_eq!(serde_json::to_string(&Plan::Free.limits()).unwrap(), r#"{"cpuMs":10,"subRequests":5}"#);
    }

    #[test]
    fn no_single_payer_or_address_can_use_up_a_plans_whole_rate() {
        for plan in [Plan::Free, Plan::Pro, Plan::Business, Plan::Enterprise] {
            let Rates { tenant, payer, address } = plan.rates();
            assert!(payer < tenant && address < tenant, "{plan:?}");
        }
    }
}
