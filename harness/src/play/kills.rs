//! When a scenario's kills fall due: at moments that are known beforehand, or at events.

use fastrand::Rng;
use journal::Journal;
use reports::event::Event;
use scenario::{Kill, When};
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Keeps the moments apart from what else is drawn from the run's seed.
const SALT: u64 = 0x6b69_6c6c;

/// Whether it is an event that decides the moment.
#[must_use]
pub fn waits_for_an_event(kill: &Kill) -> bool {
    match kill.when() {
        When::At(_) | When::Random { .. } => false,
        When::Payment { .. } | When::Stored { .. } | When::MoneyMoves { .. } => true,
    }
}

/// The kills whose moment is known beforehand, in their order.
#[must_use]
pub fn moments(kills: &[Kill], seed: u64) -> Vec<(Duration, &Kill)> {
    let mut rng = Rng::with_seed(seed ^ SALT);
    let mut moments = Vec::new();
    for kill in kills {
        match kill.when() {
            When::At(at) => moments.push((at, kill)),
            When::Random { times, window } => {
                let (from, to) = (window.from().as_micros() as u64, window.to().as_micros() as u64);
                moments.extend((0..times).map(|_| (Duration::from_micros(rng.u64(from..to)), kill)));
            }
            When::Payment { .. } | When::Stored { .. } | When::MoneyMoves { .. } => {}
        }
    }
    moments.sort_by_key(|(at, _)| *at);
    moments
}

/// Waits for an event that one of the armed kills waits for, in its window. Gives the kill's position and the payment.
pub async fn reached(events: &mut Receiver<Event>, armed: &[&Kill], journal: &Journal) -> (usize, String) {
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            // Whatever was missed: the next payment will do as well.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => std::future::pending().await,
        };
        let now = Duration::from_micros(journal.clock().now_us());
        let fits = |kill: &&Kill| kill.window().contains(now);
        let hit = armed.iter().enumerate().filter(|(_, kill)| fits(kill));
        let hit = hit.filter_map(|(index, kill)| Some((index, cause(kill, &event)?))).next();
        if let Some(hit) = hit {
            return hit;
        }
    }
}

/// The payment, if the event is what the kill waits for.
#[must_use]
pub fn cause(kill: &Kill, event: &Event) -> Option<String> {
    match (kill.when(), event) {
        (When::Payment { reaches, .. }, Event::DispatcherPayment(line)) if line.stage == reaches.as_logged() => {
            Some(line.payment.clone())
        }
        (When::MoneyMoves { .. }, Event::TransferMoved(transfer)) => Some(transfer.payment.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenario::Scenario;

    fn scenario(kills: &str) -> Scenario {
        let good = include_str!("../../scenario/src/tests/good.toml");
        Scenario::parse("good.toml", &format!("{good}\n{kills}")).map_err(miette::Report::new).expect("valid")
    }

    #[test]
    fn moments_come_from_the_seed_and_lie_in_their_window() {
        let scenario = scenario(
            "[[kill]]\nwhen.random = { times = 4, from = \"3s\", to = \"18s\" }\n[[kill]]\nwhen.at = \"1s\"\n",
        );
        let drawn = |seed| moments(scenario.kills(), seed).iter().map(|(at, _)| *at).collect::<Vec<_>>();
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert_eq!(drawn(1)[0], Duration::from_secs(1));
        let window = scenario.kills()[0].window();
        assert!(drawn(1).len() == 5 && drawn(1)[1..].iter().all(|at| window.contains(*at)), "{:?}", drawn(1));
    }

    #[test]
    fn a_kill_waits_for_its_stage_or_for_the_money() {
        let scenario = scenario(
            "[[kill]]\nwhen.payment = { reaches = \"handed-over\", from = \"0s\", to = \"9s\" }\n\
             [[kill]]\nwhen.money-moves = { from = \"0s\", to = \"9s\" }\n",
        );
        let line = |stage: &str| {
            let line = serde_json::json!({"request_id": null, "tenant_id": "acme", "payment": "p", "stage": stage});
            Event::DispatcherPayment(serde_json::from_value(line).expect("a line"))
        };
        let [at_stage, at_money] = scenario.kills() else { panic!("two kills") };
        assert_eq!(cause(at_stage, &line("handed_over")).as_deref(), Some("p"));
        assert_eq!(cause(at_stage, &line("settled")), None);
        assert_eq!(cause(at_money, &line("handed_over")), None);
    }
}
