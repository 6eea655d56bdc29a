//! Changes of the stored directory and acts of operators, as the harness makes them.

use super::{FaultRef, TenantFacts};
use serde::{Deserialize, Serialize};

/// The new content of the stored tenant directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectoryChange {
    /// Which of the scenario's `[[directory]]` list, with `on` the directory. `None`: what was there when the run began.
    pub change: Option<FaultRef>,
    /// The tenants that are to be in force from then on; `None`: those that were.
    pub tenants: Option<Vec<TenantFacts>>,
    pub to_be_logged: DirectoryNews,
}

/// The line that the dispatcher is to log about a change of its directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryNews {
    Adopted,
    /// It goes on with what it had.
    Kept,
    /// The record of this tenant, alone.
    LeftOut(String),
}

/// An operator's request to the platform API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorAct {
    /// Which of the scenario's `[[operator]]` list, with `on` the operator.
    pub act: FaultRef,
    pub tenant: String,
    pub does: OperatorDoes,
    pub asked_us: u64,
    /// The answer's status; `None`: there was none.
    pub status: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorDoes {
    /// Until it is lifted, where it does not say when it ends.
    Quarantine {
        until_us: Option<u64>,
    },
    LiftQuarantine,
}
