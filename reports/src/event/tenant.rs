//! A tenant's Worker, from its start to what the namespace measured.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantRun {
    /// Name of the script in the namespace.
    pub script: String,
    /// The limits the dispatcher passed, as the namespace saw them; absent keys are the finding.
    pub cpu_ms: Option<f64>,
    pub sub_requests: Option<f64>,
    pub request_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantEnd {
    /// Name of the script in the namespace.
    pub script: String,
    pub request_id: Option<String>,
    pub outcome: TenantOutcome,
    /// How much of its answer had left by then.
    pub answer: TenantAnswer,
    /// CPU time, up to the cut-off where there was one; absent where its process ended before it could be read.
    pub cpu_used_ms: Option<f64>,
    /// The limits that were enforced: those that were passed, or the platform's own in place of one that was not.
    pub cpu_limit_ms: f64,
    /// The most that its isolate was seen to hold; absent in histories from before there was a limit.
    #[serde(default)]
    pub memory_mb: Option<f64>,
    /// The namespace's own, which nothing that is dispatched changes.
    #[serde(default)]
    pub memory_limit_mb: Option<f64>,
    /// Those that went out, each redirect hop among them.
    pub subrequests: u32,
    pub subrequest_limit: u32,
    /// Those that were refused, being over the limit, whatever the tenant made of that.
    pub subrequests_refused: u32,
}

/// In the platform's words, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TenantOutcome {
    Ok,
    Exception,
    ExceededCpu,
    ExceededMemory,
    /// Its process ended by itself.
    Crashed,
    /// Whoever had asked went away.
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TenantAnswer {
    None,
    /// Its status and headers, and perhaps some of its body.
    Begun,
    Whole,
}
