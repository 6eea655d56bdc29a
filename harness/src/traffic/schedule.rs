//! Who arrives when, drawn from the seed before the run begins: the same seed gives the same arrivals.

use crate::scenario::{Name, Scenario};
use fastrand::Rng;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// 0-based, in order of being due.
    pub number: u64,
    /// Microseconds since the run began.
    pub due_us: u64,
    pub tenant: Name,
    pub wants: Wants,
    /// Whether it comes by the tenant's host, rather than by `/t/<slug>`.
    pub by_host: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Asks without ever paying.
    Unpaid,
    Purchase,
}

#[must_use]
pub fn schedule(scenario: &Scenario, seed: u64) -> Vec<Arrival> {
    let mut rng = Rng::with_seed(seed);
    let mut arrivals = Vec::new();
    for traffic in scenario.traffic() {
        for n in 0..traffic.arrivals() {
            let due_us = traffic.window().from().as_micros() as u64 + (n as f64 * 1e6 / traffic.rate()) as u64;
            let paid = rng.u64(0..traffic.mix().total()) < u64::from(traffic.mix().paid());
            let (wants, tenants) =
                if paid { (Wants::Purchase, traffic.paid_tenants()) } else { (Wants::Unpaid, traffic.tenants()) };
            let tenant = tenants[rng.usize(0..tenants.len())].clone();
            arrivals.push(Arrival { number: 0, due_us, tenant, wants, by_host: rng.bool() });
        }
    }
    arrivals.sort_by_key(|arrival| arrival.due_us);
    for (number, arrival) in arrivals.iter_mut().enumerate() {
        arrival.number = number as u64;
    }
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage() -> Scenario {
        let text = include_str!("../../../scenarios/outage.toml");
        Scenario::parse("outage.toml", text).expect("the shipped scenario is valid")
    }

    #[test]
    fn a_seed_gives_the_same_arrivals_and_another_seed_others() {
        assert_eq!(schedule(&outage(), 42), schedule(&outage(), 42));
        assert_ne!(schedule(&outage(), 42), schedule(&outage(), 43));
    }

    #[test]
    fn arrivals_follow_rate_and_mix() {
        let arrivals = schedule(&outage(), 1);
        assert_eq!(arrivals.len() as u64, outage().traffic().iter().map(|traffic| traffic.arrivals()).sum::<u64>());
        assert!(arrivals.windows(2).all(|pair| pair[0].due_us <= pair[1].due_us));
        for wants in [Wants::Unpaid, Wants::Purchase] {
            assert!(arrivals.iter().any(|arrival| arrival.wants == wants));
        }
    }
}
