//! Virtual time: it stands still while anything can run, and then jumps to the next thing that waits.

use dispatcher_core::paywall::UnixMillis;
use std::time::Duration;
use system::clock::Clock;
use tokio::time::Instant;

/// When every simulated run begins, in Unix seconds: the same for all, because payment windows are part of what is signed.
/// 2027-01-01, 00:00 UTC.
const BEGINS_UNIX_S: u64 = 1_798_761_600;

/// Needs a runtime whose clock is paused.
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    began: Instant,
}

impl VirtualClock {
    /// The run begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// Unix milliseconds.
    #[must_use]
    pub fn unix_ms(self) -> u64 {
        BEGINS_UNIX_S * 1_000 + self.since_begin().as_millis() as u64
    }

    fn since_begin(self) -> Duration {
        self.began.elapsed()
    }
}

impl Clock for VirtualClock {
    fn now_us(&self) -> u64 {
        self.since_begin().as_micros() as u64
    }

    fn unix_now(&self) -> u64 {
        self.unix_ms() / 1_000
    }
}

impl dispatcher_core::paywall::ports::Clock for VirtualClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.unix_ms())
    }

    async fn sleep(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
