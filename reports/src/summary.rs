//! What was done in a run, by phase and by fault, from its events. A closed port sees no calls, so for `refuse` the
//! dispatcher's own attempts are the only trace; every other fault is counted by the double that applied it.

use crate::event::{Event, Exchange, ExchangeKind, ExchangeOutcome, FacilitatorAttempt, FaultRef, Recorded};
use crate::latency::Latencies;
use crate::report::{FaultSummary, PhaseSummary};

/// The end of one exchange, as a caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Served,
    Offered,
    Refused,
    Pending,
    Failed,
    Left,
}

impl Seen {
    pub const ALL: [Self; 6] = [Self::Served, Self::Offered, Self::Refused, Self::Pending, Self::Failed, Self::Left];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Offered => "offered",
            Self::Refused => "refused",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }

    pub fn of(exchange: &Exchange) -> Self {
        let answer = match &exchange.outcome {
            ExchangeOutcome::Answered(answer) => answer,
            ExchangeOutcome::HungUp => return Self::Left,
            ExchangeOutcome::Failed { .. } => return Self::Failed,
        };
        let paying = !matches!(exchange.kind, ExchangeKind::Unpaid | ExchangeKind::Challenge | ExchangeKind::Preflight);
        match answer.status {
            200..=299 => Self::Served,
            402 if !paying => Self::Offered,
            400..=499 => Self::Refused,
            503 if matches!(answer.code.as_deref(), Some("settlement_pending" | "payment_in_progress")) => {
                Self::Pending
            }
            _ => Self::Failed,
        }
    }
}

/// The phases that began, in their order.
pub fn phases(events: &[Recorded]) -> Vec<PhaseSummary> {
    let latencies = Latencies::of(events);
    let starts = events.iter().filter_map(|recorded| match &recorded.event {
        Event::PhaseStarted { phase } => Some((phase.as_str(), recorded.at_us)),
        _ => None,
    });
    let starts: Vec<(&str, u64)> = starts.collect();
    let ends = starts.iter().skip(1).map(|(_, from)| *from).chain([end_us(events)]);
    starts.iter().zip(ends).map(|(&(name, from), to)| phase(name, from, to, events, &latencies)).collect()
}

/// The faults that began, in the file's order.
pub fn faults(events: &[Recorded]) -> Vec<FaultSummary> {
    let mut faults: Vec<FaultSummary> = Vec::new();
    for recorded in events {
        if let Event::FaultStarted { fault } = &recorded.event {
            let ended =
                events.iter().find(|later| matches!(&later.event, Event::FaultEnded { fault: f } if f == fault));
            let to_us = ended.map_or_else(|| end_us(events), |later| later.at_us);
            let hits = match fault.on.as_str() {
                DIRECTORY => u64::from(was_noticed(fault, events)),
                _ => hits(fault, recorded.at_us, to_us, events),
            };
            faults.push(FaultSummary {
                fault: fault.clone(),
                from_ms: recorded.at_us / 1000,
                to_ms: to_us / 1000,
                hits,
            });
        }
    }
    faults.sort_by_key(|summary| summary.fault.index);
    faults
}

fn phase(name: &str, from: u64, to: u64, events: &[Recorded], latencies: &Latencies) -> PhaseSummary {
    let seen: Vec<Seen> = events
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::ExchangeEnded(exchange) if exchange.phase == name => Some(Seen::of(exchange)),
            _ => None,
        })
        .collect();
    let count = |kind: Seen| seen.iter().filter(|one| **one == kind).count() as u64;
    PhaseSummary {
        name: name.to_owned(),
        from_ms: from / 1000,
        to_ms: to / 1000,
        requests: seen.len() as u64,
        served: count(Seen::Served),
        offered: count(Seen::Offered),
        refused: count(Seen::Refused),
        pending: count(Seen::Pending),
        failed: count(Seen::Failed),
        left: count(Seen::Left),
        latency: latencies.quantiles(name),
    }
}

fn hits(fault: &FaultRef, from_us: u64, to_us: u64, events: &[Recorded]) -> u64 {
    let unreachable =
        |attempt: &&FacilitatorAttempt| attempt.facilitator == fault.on && attempt.result == "unreachable";
    let hits = events.iter().map(|recorded| match &recorded.event {
        Event::FacilitatorCalled(call) => usize::from(call.fault.as_ref() == Some(fault)),
        Event::LedgerDisturbed { fault: hit, .. } | Event::TelemetryDisturbed { fault: hit, .. } => {
            usize::from(hit == fault)
        }
        Event::DispatcherKilled(killing) => usize::from(killing.kill == *fault),
        Event::OperatorActed(act) => usize::from(act.act == *fault && act.status == Some(200)),
        Event::DispatcherRequest(request) if fault.inject == "refuse" && (from_us..to_us).contains(&recorded.at_us) => {
            request.attempts.iter().filter(unreachable).count()
        }
        _ => 0,
    });
    hits.sum::<usize>() as u64
}

/// The name of a change of the stored directory.
const DIRECTORY: &str = "directory";

/// Whether the dispatcher's log says anything of the directory before it changes again.
fn was_noticed(change: &FaultRef, events: &[Recorded]) -> bool {
    let mut since = events.iter().skip_while(
        |recorded| !matches!(&recorded.event, Event::DirectoryChanged(made) if made.change.as_ref() == Some(change)),
    );
    since.next();
    since
        .take_while(|recorded| !matches!(recorded.event, Event::DirectoryChanged(_)))
        .any(|recorded| matches!(recorded.event, Event::DispatcherDirectory(_)))
}

/// When the last thing happened: a run that was cut short has no `RunEnded`.
fn end_us(events: &[Recorded]) -> u64 {
    events.iter().map(|recorded| recorded.at_us).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{DirectoryChange, DirectoryLine, DirectoryNews, DispatcherRequest, Killing};
    use crate::fixture::{at, call, exchange, fault};

    #[test]
    fn exchanges_are_counted_by_what_the_caller_saw() {
        let paying = |mut exchange: Exchange| {
            exchange.kind = ExchangeKind::Payment;
            exchange
        };
        assert_eq!(Seen::of(&exchange("p", 200, None)), Seen::Served);
        assert_eq!(Seen::of(&exchange("p", 402, None)), Seen::Offered);
        assert_eq!(Seen::of(&paying(exchange("p", 402, None))), Seen::Refused);
        assert_eq!(Seen::of(&exchange("p", 503, Some("settlement_pending"))), Seen::Pending);
        assert_eq!(Seen::of(&exchange("p", 503, Some("facilitators_unavailable"))), Seen::Failed);
        let mut cut = exchange("p", 200, None);
        cut.outcome = ExchangeOutcome::Failed { what: "connection reset".to_owned() };
        assert_eq!(Seen::of(&cut), Seen::Failed);
        cut.outcome = ExchangeOutcome::HungUp;
        assert_eq!(Seen::of(&cut), Seen::Left);
    }

    #[test]
    fn a_phase_lasts_until_the_next_and_the_last_until_the_end() {
        let events = [
            at(0, Event::PhaseStarted { phase: "steady".to_owned() }),
            at(5, Event::ExchangeEnded(exchange("steady", 200, None))),
            at(8_000, Event::PhaseStarted { phase: "outage".to_owned() }),
            at(20_000, Event::RunEnded),
        ];
        let phases = phases(&events);
        assert_eq!((phases[0].from_ms, phases[0].to_ms, phases[0].requests), (0, 8_000, 1));
        assert_eq!((phases[1].from_ms, phases[1].to_ms, phases[1].latency), (8_000, 20_000, None));
    }

    #[test]
    fn a_fault_is_counted_by_the_calls_it_took() {
        let (reset, hang) = (fault(0, "reset"), fault(1, "hang"));
        let events = [
            at(1, Event::FaultStarted { fault: reset.clone() }),
            at(2, Event::FacilitatorCalled(call(Some(reset.clone())))),
            at(3, Event::FacilitatorCalled(call(None))),
            at(4, Event::FaultEnded { fault: reset }),
            at(5, Event::FaultStarted { fault: hang }),
        ];
        let hits: Vec<u64> = faults(&events).iter().map(|summary| summary.hits).collect();
        assert_eq!(hits, [1, 0]);
    }

    #[test]
    fn a_kill_is_counted_by_the_deaths_it_caused() {
        let kill = FaultRef { on: "dispatcher".to_owned(), ..fault(0, "kill at settling") };
        let killed = Event::DispatcherKilled(Killing { kill: kill.clone(), payment: None });
        let events = [at(1, Event::FaultStarted { fault: kill }), at(2, killed)];
        assert_eq!(faults(&events)[0].hits, 1);
    }

    #[test]
    fn a_change_of_the_directory_is_counted_once_the_dispatcher_says_a_word_of_it() {
        let change = FaultRef { on: DIRECTORY.to_owned(), ..fault(0, "missing") };
        let started = at(1, Event::FaultStarted { fault: change.clone() });
        let changed = Event::DirectoryChanged(DirectoryChange {
            change: Some(change),
            tenants: None,
            to_be_logged: DirectoryNews::Kept,
        });
        let line = DirectoryLine { event: "kept".to_owned(), version: Some(1), why: "is missing".to_owned() };
        let noticed = [started.clone(), at(2, changed.clone()), at(3, Event::DispatcherDirectory(line.clone()))];
        assert_eq!(faults(&noticed)[0].hits, 1);
        let before = [at(0, Event::DispatcherDirectory(line)), started, at(2, changed)];
        assert_eq!(faults(&before)[0].hits, 0);
    }

    #[test]
    fn a_closed_port_is_counted_by_who_ran_into_it() {
        let refuse = fault(0, "refuse");
        let attempt = |facilitator: &str, result: &str| FacilitatorAttempt {
            facilitator: facilitator.to_owned(),
            call: crate::event::FacilitatorEndpoint::Verify,
            result: result.to_owned(),
            ms: 1,
        };
        let request = Event::DispatcherRequest(DispatcherRequest {
            request_id: "r".to_owned(),
            tenant_id: None,
            route: "GET /".to_owned(),
            status: 200,
            code: None,
            payment: None,
            transaction: None,
            attempts: vec![
                attempt("primary", "unreachable"),
                attempt("standby", "unreachable"),
                attempt("primary", "ok"),
            ],
            ms: 1,
        });
        let events = [
            at(1, request.clone()),
            at(2, Event::FaultStarted { fault: refuse.clone() }),
            at(3, request),
            at(4, Event::FaultEnded { fault: refuse }),
        ];
        assert_eq!(faults(&events)[0].hits, 1);
    }
}
