//! How a run begins and what it is about: its world, its faults, its machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    pub schema: u32,
    pub scenario: String,
    pub tier: String,
    pub seed: u64,
    /// Unix time in milliseconds.
    pub started_at_ms: u64,
    /// The world, so that a history can be judged without the scenario it came from.
    pub tenants: Vec<TenantFacts>,
    /// The limits of a tenant in quarantine; absent in histories from before anyone could be put there.
    #[serde(default)]
    pub quarantine: Option<LimitFacts>,
    /// Requests that were to arrive, paid and unpaid.
    pub arrivals: u64,
    /// Whether the dispatcher may ask a node of the doubles' chain.
    #[serde(default)]
    pub node: bool,
}

/// The facts of a tenant that judges need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantFacts {
    pub id: String,
    /// Name of its script in the namespace.
    pub script: String,
    /// Limits of its plan.
    pub cpu_ms: f64,
    pub sub_requests: f64,
    /// `None`: its API is free.
    pub price: Option<PriceFacts>,
    /// Those that may serve its payments.
    #[serde(default)]
    pub facilitators: Vec<String>,
    #[serde(default)]
    pub egress: EgressFacts,
}

/// The offer of the tenant. Addresses lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceFacts {
    pub network: String,
    pub asset: String,
    pub pay_to: String,
    /// Atomic units.
    pub amount: String,
    #[serde(default)]
    pub flow: Flow,
}

/// In which order a payment and what it buys come, as x402 names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Verify, run, settle.
    #[default]
    Authorization,
    /// Settle, run.
    Upfront,
}

/// The hosts that a tenant may ask, where its record says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressFacts {
    pub allow: Option<Vec<String>>,
    pub deny: Vec<String>,
}

/// The limits of one invocation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitFacts {
    pub cpu_ms: f64,
    pub sub_requests: f64,
}

/// Which of the scenario's faults or kills, by its position in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FaultRef {
    /// 0-based index in the scenario's `[[fault]]` list, or in its `[[kill]]`, `[[directory]]`, `[[operator]]` or `[[ledger]]` list.
    pub index: usize,
    /// The facilitator it is on, `dispatcher` for a kill, `directory`, `operator` or `ledger`.
    pub on: String,
    /// Name of the injected fault, e.g. `settle-then-hang`, or what decides a kill's moment.
    pub inject: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Killing {
    /// Which of the scenario's `[[kill]]` list, with `on` the dispatcher.
    pub kill: FaultRef,
    /// The payment that the kill waited for.
    pub payment: Option<String>,
}

/// In cores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineLoad {
    /// How many there are.
    pub cores: u32,
    pub busy: f64,
    /// The share of the run's own processes: the harness, the dispatcher and its tenants.
    pub ours: f64,
}
