//! Settlements that are known here: a line each, as whoever watches the dispatcher hands them over.

use crate::{failure::Failure, home::Home};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub const FILE: &str = "settlements.jsonl";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    pub at_ms: u64,
    pub tenant: String,
    pub transaction: String,
    pub payer: String,
    pub pay_to: String,
    /// Atomic units, decimal.
    pub amount: String,
    pub network: String,
}

/// Those of a tenant, in the order in which they came. A transaction counts once, whoever tells of it twice.
pub fn of(home: &Home, tenant: &str) -> Result<Vec<Settlement>, Failure> {
    let text = home.read(FILE)?.unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let settlement: Settlement = serde_json::from_str(line)
            .map_err(|error| Failure::invalid(format!("{}, line {}: {error}", home.path(FILE).display(), n + 1)))?;
        if settlement.tenant == tenant && seen.insert((settlement.network.clone(), settlement.transaction.clone())) {
            all.push(settlement);
        }
    }
    Ok(all)
}
