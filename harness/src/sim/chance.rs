//! All chance of a simulated run, from its seed.

use fastrand::Rng;
use std::{cell::RefCell, rc::Rc, time::Duration};

/// Keeps it apart from what else is drawn from the run's seed.
const SALT: u64 = 0x7369_6d75_6c61_7465;
/// One way between two machines of one region, as a scenario's tenths of seconds need it: short, and not always the same,
/// so that what is in flight at once arrives in either order.
const SHORTEST_WAY_MS: u64 = 1;
const LONGEST_WAY_MS: u64 = 4;

#[derive(Clone)]
pub struct Chance(Rc<RefCell<Rng>>);

impl Chance {
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(Rng::with_seed(seed ^ SALT))))
    }

    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.borrow_mut().u64(..)
    }

    /// 32 hex digits.
    #[must_use]
    pub fn token(&self) -> String {
        format!("{:016x}{:016x}", self.number(), self.number())
    }

    /// Waits while something is on its way.
    pub async fn travel(&self) {
        let ms = self.0.borrow_mut().u64(SHORTEST_WAY_MS..=LONGEST_WAY_MS);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
