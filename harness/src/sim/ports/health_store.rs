//! The facilitators' health as its Durable Object stores it.

use crate::sim::{
    alarms::{Alarms, Object},
    process::Life,
};
use dispatcher_core::paywall::{
    UnixMillis,
    health::Snapshot,
    ports::{HealthStore, LedgerError},
};
use std::{cell::RefCell, rc::Rc};

#[derive(Clone)]
pub struct SimHealthStore {
    pub life: Life,
    pub alarms: Alarms,
    /// The part that outlives the process.
    pub stored: Rc<RefCell<Option<Snapshot>>>,
}

impl HealthStore for SimHealthStore {
    async fn load(&self) -> Result<Option<Snapshot>, LedgerError> {
        self.life.alive().await;
        Ok(self.stored.borrow().clone())
    }

    async fn save(&self, snapshot: &Snapshot) -> Result<(), LedgerError> {
        self.life.alive().await;
        self.stored.replace(Some(snapshot.clone()));
        Ok(())
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.life.alive().await;
        self.alarms.set(Object::Health, at);
        Ok(())
    }
}
