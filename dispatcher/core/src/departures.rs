//! The responses that have left an isolate, and that the ledger has not been told of: one request tells for all that left in the
//! same second.
//!
//! Surprising: whoever is to tell may end before it does, with its process or by its platform. Then the next one that comes a
//! while later takes over.

use std::cell::{Cell, RefCell};
use x402_paywall::{UnixMillis, ledger::Departed};

/// The time after which whoever was to tell is taken for gone.
const GONE_AFTER_MS: u64 = 5_000;

#[derive(Debug, Default)]
pub struct Departures {
    waiting: RefCell<Vec<Departed>>,
    /// The time until which somebody is to tell.
    until: Cell<UnixMillis>,
}

impl Departures {
    /// Adds one, and says whether whoever adds it is to tell.
    #[must_use]
    pub fn add(&self, departed: Departed, now: UnixMillis) -> bool {
        self.waiting.borrow_mut().push(departed);
        let until = self.until.get();
        // A clock that was set back leaves nobody waiting for long.
        if now < until && until.since(now) <= GONE_AFTER_MS {
            return false;
        }
        self.until.set(now.plus(GONE_AFTER_MS));
        true
    }

    /// Takes all that wait. The next one to be added is to tell anew.
    #[must_use]
    pub fn take(&self) -> Vec<Departed> {
        self.until.set(UnixMillis::default());
        self.waiting.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn departed(payment: &str) -> Departed {
        Departed { payment: payment.to_owned(), holder: "h".to_owned(), delivered: true }
    }

    #[test]
    fn the_first_tells_for_all_and_the_next_anew() {
        let departures = Departures::default();
        let at = UnixMillis(1_000_000);
        assert!(departures.add(departed("a"), at));
        assert!(!departures.add(departed("b"), at.plus(900)));
        assert_eq!(departures.take(), [departed("a"), departed("b")]);
        assert!(departures.add(departed("c"), at.plus(1_100)));
        assert_eq!(departures.take(), [departed("c")]);
    }

    #[test]
    fn one_that_is_gone_is_taken_over_with_all_that_waited() {
        let departures = Departures::default();
        let at = UnixMillis(1_000_000);
        assert!(departures.add(departed("a"), at));
        assert!(!departures.add(departed("b"), at.plus(GONE_AFTER_MS - 1)));
        assert!(departures.add(departed("c"), at.plus(GONE_AFTER_MS)));
        assert_eq!(departures.take().len(), 3);
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_nobody_waiting() {
        let departures = Departures::default();
        assert!(departures.add(departed("a"), UnixMillis(9_000_000)));
        assert!(departures.add(departed("b"), UnixMillis(1_000_000)));
    }
}
