//! Room at one facilitator for payments of which nothing is known.
//!
//! A check can be made slow by whoever pays, so the calls for strangers that are under way are bounded, in all, for each
//! network and for each payer. What only a chain can check can be made slow for nothing, so half of the room is kept from it.
//! Payers who are known are not bound by it.

use super::witness::{Grade, Witness};
use crate::UnixMillis;

/// Calls under way for strangers.
const STRANGERS: usize = 16;
/// The share for payments whose signature is not known to be their payer's.
const UNPROVEN: usize = 8;
/// The same for one network, and for one payer: accounts with code that is slow cost something to make.
const OF_ONE_NETWORK: usize = 2;
const OF_ONE_PAYER: usize = 2;
/// The same for all callers who do not say where they are.
const OF_NOWHERE: usize = 8;

/// The calls that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Room(Vec<Place>);

#[derive(Clone, Copy, Debug)]
struct Place {
    network: u64,
    payer: u64,
    is_proven: bool,
    /// The time until which it is under way at most. A count alone would not do: whoever waited may be gone.
    until: UnixMillis,
}

impl Room {
    /// Takes a place, if the payment needs one and there is one.
    pub(super) fn enter(&mut self, witness: &Witness, is_proven: bool, until: UnixMillis, now: UnixMillis) -> bool {
        if witness.grade != Grade::Stranger {
            return true;
        }
        self.0.retain(|place| now < place.until);
        let Witness { network, payer, .. } = *witness;
        let count = |is: &dyn Fn(&Place) -> bool| self.0.iter().filter(|place| is(place)).count();
        let most = if network == 0 { OF_NOWHERE } else { OF_ONE_NETWORK };
        let fits = self.0.len() < STRANGERS
            && count(&|place| place.network == network) < most
            && count(&|place| place.payer == payer) < OF_ONE_PAYER
            && (is_proven || count(&|place| !place.is_proven) < UNPROVEN);
        if fits {
            self.0.push(Place { network, payer, is_proven, until });
        }
        fits
    }

    /// Gives the place back.
    pub(super) fn leave(&mut self, witness: &Witness) {
        let is_own = |place: &Place| place.network == witness.network && place.payer == witness.payer;
        let held = self.0.iter().position(is_own);
        if let Some(position) = held.filter(|_| witness.grade == Grade::Stranger) {
            self.0.remove(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(0);
    const UNTIL: UnixMillis = UnixMillis(100);

    fn witness(network: u64, payer: u64, grade: Grade) -> Witness {
        Witness { payment: 0, payer, network, grade }
    }

    #[test]
    fn one_network_has_two_places_and_all_strangers_sixteen() {
        let (mut room, mut payer) = (Room::default(), 0);
        let mut enters = |network, grade| {
            payer += 1;
            room.enter(&witness(network, payer, grade), true, UNTIL, NOW)
        };
        assert_eq!([1, 1, 1].map(|network| enters(network, Grade::Stranger)), [true, true, false]);
        assert!((2..9).all(|network| enters(network, Grade::Stranger) && enters(network, Grade::Stranger)));
        assert!(!enters(9, Grade::Stranger));
        assert!(enters(1, Grade::Regular) && enters(1, Grade::Sound));
    }

    #[test]
    fn one_payer_has_two_places_and_what_only_a_chain_can_check_half_of_them() {
        let mut room = Room::default();
        let mut enters = |n, payer, proven| room.enter(&witness(n, payer, Grade::Stranger), proven, UNTIL, NOW);
        assert_eq!([1, 2, 3].map(|n| enters(n, 7, true)), [true, true, false]);
        assert_eq!((10..30).filter(|n| enters(*n, *n, false)).count(), 8);
        assert_eq!((30..50).filter(|n| enters(*n, *n, true)).count(), 6, "the rest is for those who signed");
    }

    #[test]
    fn a_place_is_given_back_or_runs_out() {
        let mut room = Room::default();
        let stranger = witness(1, 1, Grade::Stranger);
        for _ in 0..2 {
            assert!(room.enter(&stranger, true, UNTIL, NOW));
        }
        room.leave(&witness(1, 1, Grade::Regular));
        assert!(!room.enter(&stranger, true, UNTIL, UnixMillis(1)));
        room.leave(&stranger);
        assert!(room.enter(&stranger, true, UNTIL, UnixMillis(2)));
        assert!(!room.enter(&stranger, true, UnixMillis(200), UnixMillis(99)));
        assert!(room.enter(&stranger, true, UnixMillis(200), UNTIL), "whoever held it is gone");
    }
}
