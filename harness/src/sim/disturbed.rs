//! The scenario's disturbances of the settlement ledger, and what they have counted. They outlive a process.

use fastrand::Rng;
use journal::Journal;
use reports::event::Event;
use scenario::{Disturbance, Disturbs, LedgerCall};
use std::{cell::RefCell, time::Duration};

pub struct Disturbed {
    disturbances: Vec<Disturbance>,
    /// How many writes or calls reached each, and the chance of those that pick by it.
    state: RefCell<(Vec<u64>, Rng)>,
    journal: Journal,
}

impl Disturbed {
    #[must_use]
    pub fn new(disturbances: &[Disturbance], seed: u64, journal: Journal) -> Self {
        let state = RefCell::new((vec![0; disturbances.len()], Rng::with_seed(seed)));
        Self { disturbances: disturbances.to_vec(), state, journal }
    }

    /// Whether storage refuses this write.
    #[must_use]
    pub fn refuses_write(&self, payment: &str) -> bool {
        self.takes(Disturbs::RefuseWrites, payment)
    }

    /// Whether storage refuses to set the alarm of this shard.
    #[must_use]
    pub fn refuses_alarm(&self, shard: &str) -> bool {
        self.takes(Disturbs::RefuseAlarms, shard)
    }

    /// Whether this call's answer is lost.
    #[must_use]
    pub fn loses_answer(&self, to: LedgerCall, payment: &str) -> bool {
        self.takes(Disturbs::LoseAnswers(to), payment)
    }

    fn takes(&self, does: Disturbs, payment: &str) -> bool {
        let now = Duration::from_micros(self.journal.clock().now_us());
        let mut state = self.state.borrow_mut();
        let (reached, rng) = &mut *state;
        let mut hit = |disturbance: &&Disturbance| {
            disturbance.does() == does && disturbance.window().contains(now) && {
                let nth = &mut reached[disturbance.index()];
                *nth += 1;
                disturbance.pick().takes(*nth, || rng.f64())
            }
        };
        let Some(taken) = self.disturbances.iter().find(&mut hit) else { return false };
        let (fault, payment) = (taken.reference(), payment.to_owned());
        self.journal.record(Event::LedgerDisturbed { fault, payment });
        true
    }
}
