//! The harness's clock port. Only this file may ask the machine what time it is: everything that a judge reads carries
//! microseconds since the run began, and a simulated tier gives the same port from virtual time.

use std::{
    sync::OnceLock,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

pub trait Clock: Send + Sync {
    /// Microseconds since the run began; 0 before it has.
    fn now_us(&self) -> u64;
    /// Unix seconds: what payment windows are compared with.
    fn unix_now(&self) -> u64;
}

/// Real time. The wall clock is read once, so that a step of it in mid-run moves no payment window.
#[derive(Debug)]
pub struct SystemClock {
    made: Instant,
    made_unix_us: u64,
    run_began: OnceLock<Instant>,
}

impl SystemClock {
    /// A clock on which the run has not begun: the world is set up first, and faults and phases count from the traffic.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that the ban sends everyone to")]
    pub fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { made: Instant::now(), made_unix_us: micros(since_epoch), run_began: OnceLock::new() }
    }

    /// A clock on which the run begins now.
    #[must_use]
    pub fn start() -> Self {
        let clock = Self::new();
        clock.begin_run();
        clock
    }

    /// The run begins now. A second call changes nothing.
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that the ban sends everyone to")]
    pub fn begin_run(&self) {
        self.run_began.get_or_init(Instant::now);
    }

    /// Unix milliseconds.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.made_unix_us.saturating_add(micros(self.made.elapsed())) / 1_000
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_us(&self) -> u64 {
        self.run_began.get().map_or(0, |began| micros(began.elapsed()))
    }

    fn unix_now(&self) -> u64 {
        self.unix_ms() / 1_000
    }
}

/// Unix milliseconds as logs have them.
#[must_use]
pub fn iso(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(chrono::DateTime::from_timestamp_millis);
    time.map(|time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).unwrap_or_default()
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
