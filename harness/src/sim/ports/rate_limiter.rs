//! What the simulated location counts. It outlives the dispatcher's process.

use crate::{
    play::LocationCounter,
    sim::{clock::VirtualClock, process::Life},
};
use dispatcher_core::{
    paywall::ports::Clock,
    ports::{RateLimiter, Rung},
};
use std::{cell::RefCell, rc::Rc};

#[derive(Clone)]
pub struct SimLimiter {
    pub life: Life,
    pub clock: VirtualClock,
    pub location: Rc<RefCell<LocationCounter>>,
}

impl RateLimiter for SimLimiter {
    async fn count(&self, rung: Rung, key: &str) -> bool {
        self.life.alive().await;
        self.location.borrow_mut().count(rung.figure(), key, self.clock.now().0)
    }
}
