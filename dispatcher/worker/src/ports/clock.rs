//! The wall clock. In production it stands still while code runs and moves on I/O only, so it measures waiting, not CPU. So it
//! is read once a turn.

use crate::prompt;
use dispatcher_core::paywall::{UnixMillis, ports::Clock};
use std::cell::Cell;

thread_local! {
    /// `None`: nobody asked in this turn yet.
    static NOW: Cell<Option<UnixMillis>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> UnixMillis {
        NOW.get().unwrap_or_else(|| {
            let now = UnixMillis(js_sys::Date::now() as u64);
            NOW.set(Some(now));
            now
        })
    }

    async fn sleep(&self, millis: u64) {
        prompt::sleep(millis).await;
    }
}

/// Forgets the time, since a turn begins.
pub fn turn_begins() {
    NOW.set(None);
}
