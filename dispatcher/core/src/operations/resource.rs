//! The resources of the platform API, by name.

use serde::{Deserialize, Serialize};

/// A resource of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    Health,
    OpenApi,
    Payment,
    Facilitators,
    Quarantines,
    Quarantine,
    LiftQuarantine,
    Events,
    Analytics,
    Slo,
    Open,
    Tenant,
    Ledger,
    Reconcile,
    Settlements,
    Dashboard,
    DashboardStyle,
    DashboardScript,
    Session,
}
