//! Latency by phase, from when a request was due to the last byte of its answer: a dispatcher that makes callers queue
//! cannot hide it, because the wait counts as well.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::event::{Event, ExchangeOutcome, Recorded};
use crate::report::Quantiles;

/// Longer than any client waits; what takes longer counts as this long.
const LONGEST: Duration = Duration::from_secs(600);

/// Three digits: a quantile is at most 0.1 % off.
const DIGITS: u8 = 3;

/// A histogram for each phase that had exchanges.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    phases: BTreeMap<String, Histogram<u64>>,
}

impl Latencies {
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Recorded>) -> Self {
        let mut latencies = Self::default();
        for recorded in events {
            // How long a client waits before it hangs up says nothing of the dispatcher.
            if let Event::ExchangeEnded(exchange) = &recorded.event
                && exchange.outcome != ExchangeOutcome::HungUp
            {
                let took = Duration::from_micros(exchange.ended_us.saturating_sub(exchange.due_us));
                latencies.record(&exchange.phase, took);
            }
        }
        latencies
    }

    /// `percent` is 50.0 for the median. `None` for a phase without exchanges.
    pub fn quantile(&self, phase: &str, percent: f64) -> Option<Duration> {
        self.phases.get(phase).map(|histogram| Duration::from_micros(histogram.value_at_quantile(percent / 100.0)))
    }

    pub fn count(&self, phase: &str) -> u64 {
        self.phases.get(phase).map_or(0, Histogram::len)
    }

    pub fn quantiles(&self, phase: &str) -> Option<Quantiles> {
        let histogram = self.phases.get(phase)?;
        let ms = |micros: u64| micros as f64 / 1000.0;
        Some(Quantiles {
            p50_ms: ms(histogram.value_at_quantile(0.50)),
            p95_ms: ms(histogram.value_at_quantile(0.95)),
            p99_ms: ms(histogram.value_at_quantile(0.99)),
            max_ms: ms(histogram.max()),
        })
    }

    pub fn record(&mut self, phase: &str, took: Duration) {
        if !self.phases.contains_key(phase) {
            self.phases.insert(phase.to_owned(), empty());
        }
        if let Some(histogram) = self.phases.get_mut(phase) {
            histogram.saturating_record(took.as_micros() as u64);
        }
    }
}

fn empty() -> Histogram<u64> {
    Histogram::new_with_max(LONGEST.as_micros() as u64, DIGITS).expect("the bounds are constants and in range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::exchange;

    #[test]
    fn a_request_that_waited_to_be_sent_waited() {
        let mut late = exchange("steady", 200, None);
        late.due_us = 1_000_000;
        late.sent_us = 1_900_000;
        late.ended_us = 2_000_000;
        let events = [Recorded { at_us: 2_000_000, event: Event::ExchangeEnded(late) }];
        let latencies = Latencies::of(&events);
        assert_eq!(latencies.count("steady"), 1);
        let p50 = latencies.quantile("steady", 50.0).expect("one exchange");
        assert!((999_000..=1_001_000).contains(&p50.as_micros()), "{p50:?}");
    }

    #[test]
    fn a_phase_without_exchanges_has_no_latency() {
        assert_eq!(Latencies::default().quantile("steady", 95.0), None);
        assert_eq!(Latencies::default().quantiles("steady"), None);
    }

    #[test]
    fn quantiles_are_of_the_phase_alone() {
        let mut latencies = Latencies::default();
        (1..=100).for_each(|ms| latencies.record("steady", Duration::from_millis(ms)));
        latencies.record("outage", Duration::from_secs(10_000));
        let steady = latencies.quantiles("steady").expect("it had exchanges");
        assert!((94.9..=95.2).contains(&steady.p95_ms), "{steady:?}");
        let outage = latencies.quantiles("outage").expect("it had one");
        assert!((599_000.0..=601_000.0).contains(&outage.max_ms), "{outage:?}");
    }
}
