//! Has operators act when the scenario says so, in either tier's time. How the dispatcher is asked is the tier's.

use journal::Journal;
use reports::event::{Event, OperatorAct, OperatorDoes};
use scenario::{Does, OperatorAction, Scenario};
use serde_json::json;
use std::time::Duration;

/// How often whoever gets no answer asks: a dispatcher that was killed is back by then.
const TRIES: usize = 30;
const AGAIN: Duration = Duration::from_secs(1);

/// Why a scenario puts a tenant away, as the platform API wants to know it.
#[must_use]
pub fn body(lasting: Option<Duration>, unix_now_ms: u64) -> String {
    let until_ms = lasting.map(|lasting| unix_now_ms + lasting.as_millis() as u64);
    json!({"reason": "the scenario says so", "author": "operator", "until_ms": until_ms}).to_string()
}

/// Comes back after the last action. `ask` puts one to the dispatcher and returns the answer's status, if there is one.
pub async fn carry_out(scenario: &Scenario, journal: &Journal, ask: impl AsyncFn(&OperatorAction) -> Option<u16>) {
    for action in scenario.operator_actions() {
        let now = Duration::from_micros(journal.clock().now_us());
        tokio::time::sleep(action.at().saturating_sub(now)).await;
        let asked_us = journal.clock().now_us();
        let mut status = ask(action).await;
        for _ in 1..TRIES {
            if status.is_some() {
                break;
            }
            tokio::time::sleep(AGAIN).await;
            status = ask(action).await;
        }
        let does = match action.does() {
            Does::Quarantine { lasting, .. } => {
                OperatorDoes::Quarantine { until_us: lasting.map(|lasting| asked_us + lasting.as_micros() as u64) }
            }
            Does::LiftQuarantine { .. } => OperatorDoes::LiftQuarantine,
        };
        let tenant = action.tenant().as_str().to_owned();
        journal.record(Event::OperatorActed(OperatorAct { act: action.reference(), tenant, does, asked_us, status }));
    }
}
