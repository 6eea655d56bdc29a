//! The isolate's outbox: what the log writes waits here until somebody sends it. Without a queue nothing waits.

use super::{clock::WallClock, event_queue::TelemetryQueue, log::ConsoleLog};
use crate::prompt;
use dispatcher_core::{Config, paywall::ports::Clock, serving::send_events, telemetry::outbox::Outbox};
use std::{cell::OnceCell, rc::Rc};
use worker::{Env, State};

thread_local! {
    static OUTBOX: OnceCell<Option<Rc<Outbox>>> = const { OnceCell::new() };
}

/// Opens it, where there is a queue.
pub fn open(env: &Env) {
    OUTBOX.with(|cell| {
        cell.get_or_init(|| TelemetryQueue::is_bound(env).then(Rc::default));
    });
}

pub fn get() -> Option<Rc<Outbox>> {
    OUTBOX.with(|cell| cell.get().cloned().flatten())
}

pub fn put(log: &str, line: &str) {
    OUTBOX.with(|cell| {
        if let Some(Some(outbox)) = cell.get() {
            outbox.put(WallClock.now(), log, line);
        }
    });
}

/// Has an object send what waits, unless somebody is about to.
pub fn send_from(state: &State, env: &Env, config: &Config) {
    let Some(outbox) = get().filter(|outbox| outbox.wants_sender(WallClock.now())) else { return };
    let queue = TelemetryQueue::new(env, config);
    prompt::keep(state.as_raw(), async move { send_events(&outbox, &queue, &WallClock, &ConsoleLog).await });
}
