//! The wall clock. In production it stands still while code runs and moves on I/O only, so it measures waiting, not CPU.

use crate::prompt;
use dispatcher_core::paywall::{UnixMillis, ports::Clock};

#[derive(Clone, Copy)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(prompt::now())
    }

    async fn sleep(&self, millis: u64) {
        prompt::sleep(millis).await;
    }
}
