//! Virtual time: it stands still while anything can run, and then jumps to the next thing that waits.

use dispatcher_core::paywall::UnixMillis;
use scenario::SetBack;
use std::time::Duration;
use system::clock::Clock;
use tokio::time::Instant;

/// When every simulated run begins, in Unix seconds: the same for all, because payment windows are part of what is signed.
/// 2027-01-01, 00:00 UTC.
const BEGINS_UNIX_S: u64 = 1_798_761_600;

/// Needs a runtime whose clock is paused. The dispatcher's own may be set back; nobody else's is.
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    began: Instant,
    set_back: Option<SetBack>,
}

impl VirtualClock {
    /// The run begins now.
    #[must_use]
    pub fn start(set_back: Option<SetBack>) -> Self {
        Self { began: Instant::now(), set_back }
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
        let set_back = self.set_back.filter(|set_back| set_back.at <= self.since_begin());
        let by = set_back.map_or(0, |set_back| set_back.by.as_millis() as u64);
        UnixMillis(self.unix_ms() - by)
    }

    async fn sleep(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
