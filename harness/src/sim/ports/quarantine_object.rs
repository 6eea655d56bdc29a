//! The way from an isolate to the one object that knows who is in quarantine.
//!
//! Surprising constraint: a call of a process that has died is never answered, and whoever asks has to lose patience.

use crate::sim::{chance::Chance, clock::VirtualClock, process::Life};
use dispatcher_core::{
    paywall::ports::{Clock, LedgerError},
    quarantine::{ListFull, QuarantineCall, QuarantineObject, Quarantines},
};
use std::{cell::RefCell, rc::Rc};

pub struct SimQuarantines {
    pub life: Life,
    pub chance: Chance,
    pub clock: VirtualClock,
    pub stored: Rc<RefCell<Quarantines>>,
}

impl QuarantineObject for SimQuarantines {
    async fn call(&self, call: QuarantineCall) -> Result<Quarantines, LedgerError> {
        self.chance.travel().await;
        self.life.alive().await;
        let taken = self.stored.borrow_mut().take(call, self.clock.now());
        let list = self.stored.borrow().clone();
        self.chance.travel().await;
        self.life.alive().await;
        taken.map(|_| list).map_err(|ListFull| LedgerError("the list is full".to_owned()))
    }
}
