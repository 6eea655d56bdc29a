//! Randomness, from the run's seed.

use crate::sim::chance::Chance;
use dispatcher_core::ports::Randomness;

impl Randomness for Chance {
    fn request_id(&self) -> String {
        self.token()
    }

    fn seed(&self) -> u64 {
        self.number()
    }
}
