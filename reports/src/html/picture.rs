//! What the chart draws, counted from the events: one pass, and nothing of it drawn yet.

use std::collections::BTreeMap;

use crate::{
    event::{Event, ExchangeOutcome, FacilitatorEndpoint, Recorded},
    html::axis::Axis,
    machine,
    report::Report,
    summary::Seen,
};

/// States of a payment that is under way, in the order of its life.
pub const OPEN: [&str; 5] = ["claimed", "verified", "executed", "settling", "unknown"];

#[derive(Debug)]
pub struct Picture {
    pub axis: Axis,
    /// The arrivals in each bin, by outcome in the order of [`Seen::ALL`].
    pub arrivals: Vec<[u32; Seen::ALL.len()]>,
    /// The waits of what was due in each bin: p50, p95 and p99 in microseconds; `None` where nothing was.
    pub latency: Vec<Option<[u64; 3]>>,
    /// How many payments are in each of the open states at the end of each bin, as the dispatcher logs it.
    pub open: Vec<[u32; OPEN.len()]>,
    /// In cores: the run's own, and others'. `None` where nobody looked.
    pub machine: Vec<Option<(f64, f64)>>,
    pub cores: u32,
    /// The dispatcher's opinions of each facilitator, and since when.
    pub standings: BTreeMap<String, Vec<(u64, String)>>,
    /// From a kill until the dispatcher answers again.
    pub outages: Vec<(u64, u64)>,
    /// The changes from outside: the directory, by operators.
    pub deploys: Vec<(u64, String)>,
    pub alerts: Vec<(u64, String)>,
    /// When each rule was seen to be broken.
    pub broken: Vec<(String, Vec<u64>)>,
}

impl Picture {
    pub fn of(report: &Report, events: &[Recorded]) -> Self {
        let last = events.iter().map(|recorded| recorded.at_us).max().unwrap_or(0);
        let axis = Axis::new(report.phases.iter().map(|phase| phase.to_ms * 1000).max().unwrap_or(0).max(last));
        let mut picture = Self {
            axis,
            arrivals: vec![[0; Seen::ALL.len()]; axis.bins()],
            latency: Vec::new(),
            open: Vec::new(),
            machine: vec![None; axis.bins()],
            cores: 1,
            standings: BTreeMap::new(),
            outages: Vec::new(),
            deploys: Vec::new(),
            alerts: Vec::new(),
            broken: broken(report, events),
        };
        let mut waits = vec![Vec::new(); axis.bins()];
        for recorded in events {
            picture.take(recorded, &mut waits);
        }
        picture.latency = waits.into_iter().map(quantiles).collect();
        picture.open = open(events, axis);
        picture
    }

    fn take(&mut self, recorded: &Recorded, waits: &mut [Vec<u64>]) {
        let at_us = recorded.at_us;
        match &recorded.event {
            Event::ExchangeEnded(exchange) => {
                let bin = self.axis.bin_of(exchange.due_us);
                self.arrivals[bin][Seen::of(exchange) as usize] += 1;
                if exchange.outcome != ExchangeOutcome::HungUp {
                    waits[bin].push(exchange.ended_us.saturating_sub(exchange.due_us));
                }
            }
            Event::MachineLoad(load) => {
                self.cores = load.cores;
                let first = self.axis.bin_of(at_us.saturating_sub(1_000_000));
                for bin in first..=self.axis.bin_of(at_us.saturating_sub(1)) {
                    self.machine[bin] = Some((load.ours, machine::others(load)));
                }
            }
            Event::FacilitatorStanding(standing) => {
                let verb = match standing.call {
                    FacilitatorEndpoint::Verify => "verify",
                    FacilitatorEndpoint::Settle => "settle",
                    FacilitatorEndpoint::Supported => "supported",
                };
                let stood = self.standings.entry(format!("{verb} at {}", standing.facilitator)).or_default();
                if stood.is_empty() {
                    stood.push((0, standing.from.clone()));
                }
                stood.push((at_us, standing.to.clone()));
            }
            Event::DispatcherKilled(_) => self.outages.push((at_us, self.axis.end_us())),
            Event::DispatcherStarted => {
                if let Some(outage) = self.outages.last_mut() {
                    outage.1 = at_us;
                }
            }
            Event::DirectoryChanged(change) => {
                // What was there when the run began is no change.
                if let Some(change) = &change.change {
                    self.deploys.push((at_us, format!("directory: {}", change.inject)));
                }
            }
            Event::OperatorActed(act) => {
                self.deploys.push((at_us, format!("operator: {} {}", act.act.inject, act.tenant)))
            }
            Event::DispatcherAlert(alert) => self.alerts.push((at_us, alert.alert.clone())),
            _ => {}
        }
    }
}

/// By witness, the first of each rule first.
fn broken(report: &Report, events: &[Recorded]) -> Vec<(String, Vec<u64>)> {
    let at = |line: usize| events.get(line.checked_sub(1)?).map(moment);
    let broken = report.checks.iter().filter_map(|check| {
        let witness = check.witness.as_ref()?;
        Some((check.id.clone(), witness.events.iter().filter_map(|event| at(event.line)).collect()))
    });
    broken.collect()
}

/// When it happened, by whoever knows best: an exchange's end is what a rule sees of it.
pub fn moment(recorded: &Recorded) -> u64 {
    match &recorded.event {
        Event::ExchangeEnded(exchange) => exchange.ended_us,
        Event::FacilitatorCalled(call) => call.received_us,
        _ => recorded.at_us,
    }
}

fn quantiles(mut waits: Vec<u64>) -> Option<[u64; 3]> {
    waits.sort_unstable();
    let last = waits.len().checked_sub(1)?;
    Some([0.50, 0.95, 0.99].map(|quantile| waits[(last as f64 * quantile).round() as usize]))
}

fn open(events: &[Recorded], axis: Axis) -> Vec<[u32; OPEN.len()]> {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    let mut counts = [0_u32; OPEN.len()];
    let mut stages: Vec<(u64, &str, Option<usize>)> = events
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::DispatcherPayment(line) => {
                Some((recorded.at_us, line.payment.as_str(), OPEN.iter().position(|state| *state == line.stage)))
            }
            _ => None,
        })
        .collect();
    stages.sort_by_key(|(at_us, ..)| *at_us);
    let mut stages = stages.into_iter().peekable();
    let mut bins = Vec::with_capacity(axis.bins());
    for bin in 0..axis.bins() {
        let end = (bin as u64 + 1) * axis.bin_us();
        while let Some((_, payment, state)) = stages.next_if(|(at_us, ..)| *at_us < end) {
            let was = match state {
                Some(state) => states.insert(payment, state),
                None => states.remove(payment),
            };
            was.into_iter().for_each(|was| counts[was] -= 1);
            state.into_iter().for_each(|state| counts[state] += 1);
        }
        bins.push(counts);
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, history};

    #[test]
    fn everything_that_arrived_is_in_a_bin() {
        let events = history();
        let picture = Picture::of(&failing(), &events);
        let exchanges = events.iter().filter(|recorded| matches!(recorded.event, Event::ExchangeEnded(_))).count();
        assert_eq!(picture.arrivals.iter().flatten().sum::<u32>() as usize, exchanges);
        assert_eq!(
            picture.latency.iter().flatten().count(),
            picture.arrivals.iter().filter(|bin| bin.iter().any(|n| *n > 0)).count()
        );
        assert!(picture.latency.iter().flatten().all(|[p50, p95, p99]| p50 <= p95 && p95 <= p99));
    }

    #[test]
    fn a_payment_is_open_until_it_is_settled() {
        let picture = Picture::of(&failing(), &history());
        let unknown = OPEN.iter().position(|state| *state == "unknown").expect("it is one");
        let bins: Vec<usize> = (0..picture.open.len()).filter(|bin| picture.open[*bin][unknown] > 0).collect();
        let seconds = |bin: &usize| *bin as u64 * picture.axis.bin_us() / 1_000_000;
        assert_eq!((bins.first().map(seconds), bins.last().map(seconds)), (Some(11), Some(12)));
        assert_eq!(picture.open.last(), Some(&[0; OPEN.len()]));
    }

    #[test]
    fn standings_and_outages_have_their_times() {
        let picture = Picture::of(&failing(), &history());
        let stood = &picture.standings["settle at primary"];
        let stood: Vec<(u64, &str)> = stood.iter().map(|(at, what)| (*at / 1000, what.as_str())).collect();
        assert_eq!(stood, [(0, "healthy"), (9_500, "quarantined"), (15_000, "probing"), (15_200, "healthy")]);
        assert_eq!(picture.outages, [(12_000_000, 12_900_000)]);
    }
}
