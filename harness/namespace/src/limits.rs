//! What one invocation may use. A limit that was not dispatched is the platform's own, never "none": a tenant that loops
//! for ever ends here too.

use serde::Deserialize;
use std::time::Duration;

/// The CPU time of an invocation on the paid plan unless its dispatch says otherwise.
pub const DEFAULT_CPU: Duration = Duration::from_secs(30);
/// The subrequests of an invocation on the paid plan unless its dispatch says otherwise.
pub const DEFAULT_SUBREQUESTS: u32 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub cpu: Duration,
    pub subrequests: u32,
}

/// The keys as `get(name, args, { limits })` spells them. A key that is not known is no limit, on the platform too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DispatchedLimits {
    pub cpu_ms: Option<f64>,
    pub sub_requests: Option<f64>,
}

impl From<DispatchedLimits> for Limits {
    fn from(dispatched: DispatchedLimits) -> Limits {
        Limits {
            cpu: dispatched.cpu_ms.map_or(DEFAULT_CPU, |ms| Duration::from_millis(whole(ms).into())),
            subrequests: dispatched.sub_requests.map_or(DEFAULT_SUBREQUESTS, whole),
        }
    }
}

/// The platform takes unsigned 32-bit numbers.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is what is wanted")]
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(json: &str) -> Limits {
        serde_json::from_str::<DispatchedLimits>(json).unwrap().into()
    }

    #[test]
    fn what_was_dispatched_holds() {
        let given = limits(r#"{"cpuMs": 50, "subRequests": 3}"#);
        assert_eq!(given, Limits { cpu: Duration::from_millis(50), subrequests: 3 });
    }

    #[test]
    fn a_misspelt_or_absent_limit_is_the_platforms_own() {
        let own = Limits { cpu: DEFAULT_CPU, subrequests: DEFAULT_SUBREQUESTS };
        assert_eq!(limits(r#"{"cpu_ms": 50, "subrequests": 3}"#), own);
        assert_eq!(limits("{}"), own);
    }

    #[test]
    fn a_limit_out_of_range_is_the_nearest_in_range() {
        let odd = limits(r#"{"cpuMs": -1, "subRequests": 1e12}"#);
        assert_eq!(odd, Limits { cpu: Duration::ZERO, subrequests: u32::MAX });
    }
}
