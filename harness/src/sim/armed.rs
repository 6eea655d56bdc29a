//! The scenario's kills that wait for a line of the dispatcher's log.

use crate::{
    run::cause,
    scenario::{Kill, When},
};
use reports::event::Event;
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
        let waits = |kill: &&Kill| matches!(kill.when(), When::Payment { .. });
        Self { kills: RefCell::new(kills.iter().filter(waits).cloned().collect()), ..Self::default() }
    }

    /// Whether the process dies of it; then its kill is spent.
    pub fn is_hit_by(&self, event: &Event, now_us: u64) -> bool {
        let now = Duration::from_micros(now_us);
        let mut kills = self.kills.borrow_mut();
        let hit = |kill: &Kill| if kill.window().contains(now) { cause(kill, event) } else { None };
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
