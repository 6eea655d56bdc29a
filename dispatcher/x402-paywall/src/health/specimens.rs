//! Payments that one facilitator has answered soundly, to probe it with. A few, of origins that are independent of each other:
//! whoever has bought once could otherwise choose what we probe with, and make it fail.

use super::witness::Witness;
use serde_json::value::RawValue;
use std::rc::Rc;

const KEPT: usize = 3;

/// The latest last.
#[derive(Debug, Default)]
pub(super) struct Specimens(Vec<(Witness, Rc<RawValue>)>);

impl Specimens {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes one in, in place of what its origin had in here.
    pub(super) fn keep(&mut self, witness: Witness, specimen: Rc<RawValue>) {
        self.0.retain(|(other, _)| witness.is_independent_of(other));
        self.0.push((witness, specimen));
        let extra = self.0.len().saturating_sub(KEPT);
        self.0.drain(..extra);
    }

    /// One of them, another one each turn, and the latest first.
    pub(super) fn nth(&self, turn: usize) -> Option<&RawValue> {
        let last = self.0.len().checked_sub(1)?;
        Some(&self.0[last - turn % self.0.len()].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::witness::Grade;

    fn specimen(n: u64) -> Rc<RawValue> {
        RawValue::from_string(n.to_string()).unwrap().into()
    }

    #[test]
    fn no_origin_has_more_than_one_and_each_has_its_turn() {
        let mut specimens = Specimens::default();
        assert!(specimens.nth(0).is_none() && specimens.is_empty());
        let mut keep = |payment, origin| {
            let witness = Witness { payment, payer: origin, network: origin, grade: Grade::Sound };
            specimens.keep(witness, specimen(payment));
        };
        (1..=4).for_each(|n| keep(n, n));
        (5..50).for_each(|n| keep(n, 9));
        let turns: Vec<_> = (0..4).map(|turn| specimens.nth(turn).unwrap().get()).collect();
        assert_eq!(turns, ["49", "4", "3", "49"]);
    }
}
