//! The wall clock. In production it stands still while code runs and moves on I/O only, so it measures waiting, not CPU.

use dispatcher_core::paywall::{UnixMillis, ports::Clock};
use std::time::Duration;

#[derive(Clone, Copy)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(js_sys::Date::now() as u64)
    }

    async fn sleep(&self, millis: u64) {
        worker::Delay::from(Duration::from_millis(millis)).await;
    }
}
