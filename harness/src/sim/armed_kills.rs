//! The scenario's kills that wait for a line of the dispatcher's log, or for a write of its ledger.

use crate::play::cause;
use reports::event::Event;
use scenario::{Kill, When};
use std::{cell::RefCell, time::Duration};
use tokio::sync::Notify;

#[derive(Default)]
pub struct Armed {
    kills: RefCell<Vec<Kill>>,
    hit: RefCell<Option<(Kill, String)>>,
    notify: Notify,
}

impl Armed {
    #[must_use]
    pub fn new(kills: &[Kill]) -> Self {
        let waits = |kill: &&Kill| matches!(kill.when(), When::Payment { .. } | When::Stored { .. });
        Self { kills: RefCell::new(kills.iter().filter(waits).cloned().collect()), ..Self::default() }
    }

    /// Whether the process dies of it; then its kill is spent.
    pub fn is_hit_by(&self, event: &Event, now_us: u64) -> bool {
        self.is_hit(now_us, |kill| cause(kill, event))
    }

    /// Whether the process dies of having stored this payment's record in this state.
    pub fn is_hit_by_write(&self, payment: &str, state: &str, now_us: u64) -> bool {
        let stored = |kill: &Kill| match kill.when() {
            When::Stored { of, .. } => (of.as_logged() == state).then(|| payment.to_owned()),
            _ => None,
        };
        self.is_hit(now_us, stored)
    }

    fn is_hit(&self, now_us: u64, cause: impl Fn(&Kill) -> Option<String>) -> bool {
        let now = Duration::from_micros(now_us);
        let mut kills = self.kills.borrow_mut();
        let hit = |kill: &Kill| if kill.window().contains(now) { cause(kill) } else { None };
        let Some((at, payment)) = kills.iter().enumerate().find_map(|(at, kill)| Some((at, hit(kill)?))) else {
            return false;
        };
        self.hit.replace(Some((kills.remove(at), payment)));
        self.notify.notify_one();
        true
    }

    /// Waits for a hit: the kill, and the payment that it waited for.
    pub async fn hit(&self) -> (Kill, String) {
        loop {
            if let Some(hit) = self.hit.take() {
                return hit;
            }
            self.notify.notified().await;
        }
    }
}
