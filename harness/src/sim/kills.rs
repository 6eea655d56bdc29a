//! Kills the dispatcher when the scenario says so, and starts it again, as the live tier does it.

use super::edge::Edge;
use crate::play::{moments, raised, reached};
use dispatcher_core::paywall::{ledger::layout::Layout, ports::Clock as _};
use reports::event::{Event, Killing};
use scenario::{Kill, Scenario, When};
use std::time::Duration;

/// How long the dispatcher stays away: about what wrangler takes to start it again.
const DOWN: Duration = Duration::from_secs(1);

/// Comes back when no kill can come any more.
pub async fn carry_out(scenario: &Scenario, seed: u64, edge: &Edge) {
    let journal = &edge.journal;
    let mut events = journal.follow();
    let mut moments = moments(scenario.kills(), seed);
    let mut as_money_moves: Vec<&Kill> =
        scenario.kills().iter().filter(|kill| matches!(kill.when(), When::MoneyMoves { .. })).collect();
    let last = scenario.kills().iter().map(|kill| kill.window().to()).max().unwrap_or_default();
    loop {
        let now = Duration::from_micros(journal.clock().now_us());
        as_money_moves.retain(|kill| kill.window().to() > now);
        let next = moments.first().map(|(at, _)| *at);
        if next.is_none() && now > last {
            return;
        }
        // A millisecond over, so that a window's end has passed.
        let wait = next.unwrap_or(last + Duration::from_millis(1)).saturating_sub(now);
        let (kill, payment) = tokio::select! {
            biased;
            (kill, payment) = edge.armed.hit() => (kill, Some(payment)),
            (at, payment) = reached(&mut events, &as_money_moves, journal) => {
                (as_money_moves.remove(at).clone(), Some(payment))
            }
            () = tokio::time::sleep(wait) => match next {
                Some(_) => (moments.remove(0).1.clone(), None),
                None => continue,
            },
        };
        journal.record(Event::DispatcherKilled(Killing { kill: kill.reference(), payment: payment.clone() }));
        edge.kill();
        if let Some(shards) = kill.raises() {
            let layout = Layout::from_json(&raised(shards, edge.clock.now().0));
            edge.layout.set(layout.expect("the scenario was checked"));
        }
        tokio::time::sleep(DOWN).await;
        edge.start();
        journal.record(Event::DispatcherStarted);
        if let Some(payment) = payment {
            let state = edge.ledger_state(&payment).await;
            journal.record(state.map_or_else(|unreadable| unreadable, Event::LedgerAfterKill));
        }
        // What happened before the kill must not cause the next one.
        events = events.resubscribe();
    }
}
