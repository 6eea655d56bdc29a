//! A run's history as `wrangler tail --format json` would have printed it: the dispatcher's own lines, each in its event, and nothing that
//! only a harness knows.

use super::started_ms;
use reports::event::{Event, Recorded};
use serde_json::{Value, json};

/// The log's text, up to that second.
#[must_use]
pub fn tailed(history: &[Recorded], until_s: u64) -> String {
    let began_ms = started_ms(history);
    let shown = history.iter().filter(|recorded| recorded.at_us < until_s * 1_000_000);
    let events = shown.filter_map(|recorded| {
        let line = line(&recorded.event)?;
        let at_ms = began_ms + recorded.at_us / 1_000;
        let event = json!({
            "wallTime": 0, "cpuTime": 0, "truncated": false, "executionModel": "stateless", "outcome": "ok",
            "scriptName": "dispatcher",
            "diagnosticsChannelEvents": [], "exceptions": [],
            "logs": [{"message": [line.to_string()], "level": "log", "timestamp": at_ms}],
            "eventTimestamp": at_ms,
            "event": {"request": {"url": "https://tenant.example/", "method": "GET", "headers": {}}},
        });
        serde_json::to_string_pretty(&event).ok()
    });
    events.map(|event| event + "\n").collect()
}

fn line(event: &Event) -> Option<Value> {
    let (log, line) = match event {
        Event::DispatcherRequest(line) => ("request", serde_json::to_value(line)),
        Event::DispatcherPayment(line) => ("payment", serde_json::to_value(line)),
        Event::FacilitatorStanding(line) => ("facilitator", serde_json::to_value(line)),
        Event::DispatcherAlert(line) => ("alert", serde_json::to_value(line)),
        Event::DispatcherTrouble(line) => ("trouble", serde_json::to_value(line)),
        Event::DispatcherOperator(line) => ("operator", serde_json::to_value(line)),
        Event::DispatcherDirectory(line) => ("directory", serde_json::to_value(line)),
        _ => return None,
    };
    let mut line = line.ok()?;
    line.as_object_mut()?.insert("log".to_owned(), log.into());
    Some(line)
}
