//! Writes down when phases, faults and the windows of kills begin and end, so that a history tells it without the scenario.

use journal::Journal;
use reports::event::Event;
use scenario::Scenario;
use std::time::Duration;
use tracing::{Span, info, info_span};

/// Comes back at the run's end. `say` is told of each phase as it begins.
pub async fn mark(scenario: &Scenario, journal: &Journal, say: &dyn Fn(&str)) {
    let mut current = Span::none();
    for (at, event) in marks(scenario) {
        let now = Duration::from_micros(journal.clock().now_us());
        tokio::time::sleep(at.saturating_sub(now)).await;
        if let Event::PhaseStarted { phase } = &event
            && let Some(phase) = scenario.timeline().phase(phase)
        {
            let (from, to) = (phase.window().from().as_secs(), phase.window().to().as_secs());
            say(&format!("phase {} ({from} s to {to} s)", phase.name()));
            current = info_span!("phase", name = phase.name().as_str());
        }
        if let Event::FaultStarted { fault } | Event::FaultEnded { fault } = &event {
            let is_on = matches!(event, Event::FaultStarted { .. });
            current.in_scope(|| info!(on = fault.on.as_str(), inject = fault.inject.as_str(), is_on, "fault"));
        } else {
            current.in_scope(|| info!("begins"));
        }
        journal.record(event);
    }
    // A run that is to go on after its traffic does.
    let now = Duration::from_micros(journal.clock().now_us());
    tokio::time::sleep(scenario.end().saturating_sub(now)).await;
}

fn marks(scenario: &Scenario) -> Vec<(Duration, Event)> {
    let phases = scenario
        .timeline()
        .phases()
        .iter()
        .map(|phase| (phase.window().from(), Event::PhaseStarted { phase: phase.name().as_str().to_owned() }));
    let faults = scenario.faults().iter().map(|fault| (fault.window(), fault.reference()));
    let kills = scenario.kills().iter().map(|kill| (kill.window(), kill.reference()));
    let changes = scenario.directory_changes().iter().map(|change| (change.window(), change.reference()));
    let actions = scenario.operator_actions().iter().map(|action| (action.window(), action.reference()));
    let disturbances = scenario.ledger_disturbances().iter().map(|one| (one.window(), one.reference()));
    let misdeliveries = scenario.misdeliveries().iter().map(|one| (one.window(), one.reference()));
    let windows = faults.chain(kills).chain(changes).chain(actions).chain(disturbances).chain(misdeliveries);
    let windows = windows.flat_map(|(window, fault)| {
        let began = Event::FaultStarted { fault: fault.clone() };
        [(window.from(), began), (window.to(), Event::FaultEnded { fault })]
    });
    let mut marks: Vec<_> = phases.chain(windows).collect();
    // Stable: at the same moment phases come before faults, and faults in the file's order.
    marks.sort_by_key(|(at, _)| *at);
    marks
}
