//! Plans and the limits that each dispatch carries.

use serde::{Deserialize, Serialize};

/// What a tenant pays us for. `quarantine` is where a tenant is put that must not do harm while someone looks.
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

impl Plan {
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
}
