//! What a test looks at afterwards.

use super::{World, payment::Payment, tenant::Run};
use dispatcher_core::{
    paywall::telemetry::{Call, FacilitatorAlert},
    telemetry::{Alert, RequestLine},
};
use serde_json::Value;

impl World {
    /// The ledger's events for whoever runs the deployment.
    pub fn troubles(&self) -> Vec<String> {
        self.ports.0.troubles.borrow().clone()
    }

    /// The stored record of a payment.
    pub fn record(&self, payment: &Payment) -> Value {
        let records = self.state().records.borrow();
        serde_json::from_str(records[&payment.key].record.as_ref().unwrap()).unwrap()
    }

    /// The payments that have an identifier.
    pub fn bound(&self) -> Vec<String> {
        self.state().identifiers.borrow().values().map(|owner| owner.payment.clone()).collect()
    }

    /// `facilitator call standing`, in order.
    pub fn changes(&self) -> Vec<String> {
        let changes = self.state().changes.borrow();
        changes.iter().map(|change| format!("{} {:?} {}", change.facilitator, change.call, change.to)).collect()
    }

    pub fn transaction(&self, payment: &Payment) -> String {
        transaction(&payment.key)
    }

    pub fn moved(&self) -> usize {
        self.state().chain.borrow().len()
    }

    /// Settlements by facilitator.
    pub fn settled(&self) -> Vec<(&'static str, usize)> {
        let chain = self.state().chain.borrow();
        let by = |name: &'static str| (name, chain.values().filter(|by| *by == name).count());
        [by("primary"), by("standby")].into_iter().filter(|(_, count)| *count > 0).collect()
    }

    pub fn facilitator_calls(&self) -> usize {
        self.state().calls.borrow().len()
    }

    pub fn calls_to(&self, name: &str) -> Vec<Call> {
        let calls = self.state().calls.borrow();
        calls.iter().filter(|(facilitator, _)| facilitator == name).map(|(_, call)| *call).collect()
    }

    pub fn tenant_runs(&self) -> usize {
        self.state().runs.borrow().len()
    }

    pub fn last_run(&self) -> Run {
        self.state().runs.borrow().last().cloned().unwrap()
    }

    pub fn facilitator_alerts(&self) -> Vec<FacilitatorAlert> {
        self.state().facilitator_alerts.borrow().clone()
    }

    pub fn alerts(&self) -> Vec<Alert> {
        self.state().alerts.borrow().clone()
    }

    pub fn last_line(&self) -> RequestLine {
        self.state().lines.borrow().last().cloned().unwrap()
    }
}

pub fn transaction(payment: &str) -> String {
    let nonce = payment.rsplit(':').next().unwrap();
    assert_eq!(nonce.len(), 66);
    nonce.to_owned()
}
