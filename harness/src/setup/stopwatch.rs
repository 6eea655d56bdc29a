//! How long a set-up step takes. The only wall clock of set-up: nothing is decided by it but a time-out and a progress
//! line, and no run is repeated from it.

use std::time::{Duration, Instant};

/// Started when made.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "set-up happens in real time, before any run that has a clock port")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
