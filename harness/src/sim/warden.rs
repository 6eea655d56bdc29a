//! An isolate's way to the one object that knows who is in quarantine.
//!
//! Surprising constraint: a call of a process that has died is never answered, and whoever asks has to lose patience.

use super::{chance::Chance, clock::VirtualClock, life::Life};
use crate::run::quarantine_body;
use dispatcher_core::{
    paywall::ports::{Clock, LedgerError},
    quarantine::{Errand, ListFull, Quarantine, QuarantineCall, Quarantines, Warden},
};
use scenario::{Does, OperatorAction};
use std::{cell::RefCell, rc::Rc};

/// An isolate's view of who is in quarantine, and its way to the object that knows.
#[derive(Clone)]
pub struct SimWarden {
    pub warden: Rc<Warden>,
    pub life: Life,
    pub chance: Chance,
    pub clock: VirtualClock,
    pub stored: Rc<RefCell<Quarantines>>,
}

impl SimWarden {
    /// The status that the platform's API answers an operator with.
    pub async fn carry_out(&self, action: &OperatorAction) -> u16 {
        let (tenant, now) = (action.tenant().as_str(), self.clock.now());
        let call = match action.does() {
            Does::Quarantine { lasting, .. } => {
                match Quarantine::asked_for(tenant, &quarantine_body(*lasting, now.0), now) {
                    Ok(quarantine) => QuarantineCall::Put(quarantine),
                    Err(_) => return 400,
                }
            }
            Does::LiftQuarantine { .. } => QuarantineCall::Lift(tenant.to_owned()),
        };
        let answered = self.call(call).await;
        self.life.alive().await;
        if answered.is_ok() { 200 } else { 503 }
    }

    /// As the Worker has it: whoever changes the list knows the new one at once.
    async fn call(&self, call: QuarantineCall) -> Result<Quarantines, LedgerError> {
        self.warden.tell(call, &self.clock, async |call| self.send(call).await).await
    }

    pub async fn run(&self, errand: Errand) {
        // What could not be told or asked, the warden has back.
        drop(self.warden.run(errand, &self.clock, async |call| self.send(call).await).await);
    }

    async fn send(&self, call: QuarantineCall) -> Result<Quarantines, LedgerError> {
        self.chance.travel().await;
        self.life.alive().await;
        let taken = self.stored.borrow_mut().take(call, self.clock.now());
        let list = self.stored.borrow().clone();
        self.chance.travel().await;
        self.life.alive().await;
        taken.map(|_| list).map_err(|ListFull| LedgerError("the list is full".to_owned()))
    }
}
