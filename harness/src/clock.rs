//! The harness's clock port. Only this file may ask the machine what time it is: everything that a judge reads carries
//! microseconds since the run began, and the simulated tier gives the same port from virtual time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub trait Clock: Send + Sync {
    /// Microseconds since the run began.
    fn now_us(&self) -> u64;
    /// Unix seconds: what payment windows are compared with.
    fn unix_now(&self) -> u64;
}

/// Real time. The wall clock is read once, so that a step of it in mid-run moves no payment window.
pub struct SystemClock {
    began: Instant,
    began_unix_us: u64,
}

impl SystemClock {
    /// The run begins now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that the ban sends everyone to")]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { began: Instant::now(), began_unix_us: u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX) }
    }
}

impl Clock for SystemClock {
    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn unix_now(&self) -> u64 {
        self.began_unix_us.saturating_add(self.now_us()) / 1_000_000
    }
}
