//! Kills the dispatcher when the scenario says so, and starts it again. One after another: a kill that falls due while the
//! dispatcher is down waits until it is back.

use super::ledger_readout;
use crate::{
    play::{LEDGER_SHARDS, moments, raised, reached, waits_for_an_event},
    world::{World, WorldError},
};
use journal::Journal;
use reports::event::{Event, Killing};
use scenario::{Kill, Scenario};
use std::time::Duration;
use system::clock::SystemClock;

/// The parts of the running world that a kill needs.
pub struct Target<'a> {
    pub world: &'a mut World,
    pub http: &'a reqwest::Client,
    pub platform_token: &'a str,
}

/// Comes back when no kill can come any more.
pub async fn carry_out(
    scenario: &Scenario,
    seed: u64,
    target: Target<'_>,
    journal: &Journal,
    say: &dyn Fn(&str),
) -> Result<(), WorldError> {
    let mut events = journal.follow();
    let mut moments = moments(scenario.kills(), seed);
    let mut armed: Vec<&Kill> = scenario.kills().iter().filter(|kill| waits_for_an_event(kill)).collect();
    loop {
        let now = Duration::from_micros(journal.clock().now_us());
        armed.retain(|kill| kill.window().to() > now);
        let next_moment = moments.first().map(|(at, _)| *at);
        let Some(until) = next_moment.or_else(|| armed.iter().map(|kill| kill.window().to()).max()) else {
            return Ok(());
        };
        let (kill, payment) = tokio::select! {
            biased;
            (armed_at, payment) = reached(&mut events, &armed, journal) => (armed.remove(armed_at), Some(payment)),
            () = tokio::time::sleep(until.saturating_sub(now)) => match next_moment {
                Some(_) => (moments.remove(0).1, None),
                None => continue,
            },
        };
        say(&format!("killing the dispatcher: {}", kill.reference().inject));
        journal.record(Event::DispatcherKilled(Killing { kill: kill.reference(), payment: payment.clone() }));
        let raised = kill.raises().map(|shards| raised(shards, SystemClock::start().unix_ms()));
        target.world.crash_and_restart(raised.as_deref().map(|value| (LEDGER_SHARDS, value))).await?;
        journal.record(Event::DispatcherStarted);
        if let Some(payment) = payment {
            let state =
                ledger_readout::state(target.http, &target.world.urls[0], target.platform_token, &payment).await;
            journal.record(state.map_or_else(|unreadable| unreadable, Event::LedgerAfterKill));
        }
        // What happened before the kill must not cause the next one.
        events = events.resubscribe();
    }
}
