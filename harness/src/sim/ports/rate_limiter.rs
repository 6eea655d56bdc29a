//! What the simulated location counts, in windows of ten seconds as the platform does. It outlives the dispatcher's process.

use crate::sim::{clock::VirtualClock, life::Life};
use dispatcher_core::{
    paywall::ports::Clock,
    ports::{RateLimiter, Rung},
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

const WINDOW_MS: u64 = 10_000;

/// By rung and key: the window, and how many came in it.
pub type Counts = Rc<RefCell<BTreeMap<(u32, String), (u64, u32)>>>;

#[derive(Clone)]
pub struct SimLimiter {
    pub life: Life,
    pub clock: VirtualClock,
    pub counts: Counts,
}

impl RateLimiter for SimLimiter {
    async fn count(&self, rung: Rung, key: &str) -> bool {
        self.life.alive().await;
        let window = self.clock.now().0 / WINDOW_MS;
        let mut counts = self.counts.borrow_mut();
        let (in_window, came) = counts.entry((rung.figure(), key.to_owned())).or_default();
        if *in_window != window {
            (*in_window, *came) = (window, 0);
        }
        let fits = *came < rung.figure();
        *came += u32::from(fits);
        fits
    }
}
