//! Room at one facilitator for payments of which nothing is known.
//!
//! A check can be made slow by whoever pays, so the calls for strangers that are under way are bounded, in all, for each
//! network and for each payer. What only a chain can check can be made slow for nothing, so half of the room is kept from it.
//! A network whose check took long while others were answered shares two places with its like for a minute. Payers who are
//! known are not bound by it.

use super::witness::{Grade, Witness};
use crate::UnixMillis;
use std::collections::VecDeque;

/// Calls under way for strangers.
const STRANGERS: usize = 16;
/// The share for payments whose signature is not known to be their payer's.
const UNPROVEN: usize = 8;
/// The same for one network, and for one payer: accounts with code that is slow cost something to make.
const OF_ONE_NETWORK: usize = 2;
const OF_ONE_PAYER: usize = 2;
/// The same for all callers who do not say where they are.
const OF_NOWHERE: usize = 8;
/// The same for all networks whose last check took long, and how many of them are remembered, for how long.
const OF_THE_SLOW: usize = 2;
const SLOW_KEPT: usize = 256;
const SLOW_FOR_MS: u64 = 60_000;
/// Others are answered if somebody was within this time.
const LATELY_MS: u64 = 5_000;

/// The calls that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    places: Vec<Place>,
    /// Networks whose last check took long, the latest last, and until when that counts.
    slow: VecDeque<(u64, UnixMillis)>,
    /// When a call last ended quickly.
    quick_at: UnixMillis,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    network: u64,
    payer: u64,
    is_proven: bool,
    is_slow: bool,
    /// The time until which it is under way at most. A count alone would not do: whoever waited may be gone.
    until: UnixMillis,
}

impl Room {
    /// Takes a place, if the payment needs one and there is one.
    pub(super) fn enter(&mut self, witness: &Witness, is_proven: bool, until: UnixMillis, now: UnixMillis) -> bool {
        if witness.grade != Grade::Stranger {
            return true;
        }
        self.places.retain(|place| now < place.until);
        let Witness { network, payer, .. } = *witness;
        let is_slow = self.slow.iter().any(|(slow, until)| *slow == network && now < *until);
        let count = |is: &dyn Fn(&Place) -> bool| self.places.iter().filter(|place| is(place)).count();
        let most = if network == 0 { OF_NOWHERE } else { OF_ONE_NETWORK };
        let fits = self.places.len() < STRANGERS
            && (!is_slow || count(&|place| place.is_slow) < OF_THE_SLOW)
            && count(&|place| place.network == network) < most
            && count(&|place| place.payer == payer) < OF_ONE_PAYER
            && (is_proven || count(&|place| !place.is_proven) < UNPROVEN);
        if fits {
            self.places.push(Place { network, payer, is_proven, is_slow, until });
        }
        fits
    }

    /// Gives the place back. `was_slow` tells whether the call took most of its time.
    pub(super) fn leave(&mut self, witness: &Witness, was_slow: bool, now: UnixMillis) {
        if !was_slow {
            self.quick_at = now;
        }
        if witness.grade != Grade::Stranger {
            return;
        }
        let is_own = |place: &Place| place.network == witness.network && place.payer == witness.payer;
        if let Some(position) = self.places.iter().position(is_own) {
            self.places.remove(position);
        }
        self.slow.retain(|(network, until)| *network != witness.network && now < *until);
        // Where nobody is answered, it is not the payment that takes long.
        let others_are_answered = self.quick_at > UnixMillis(0) && now.since(self.quick_at) < LATELY_MS;
        if was_slow && others_are_answered && witness.network != 0 {
            let extra = (self.slow.len() + 1).saturating_sub(SLOW_KEPT);
            self.slow.drain(..extra);
            self.slow.push_back((witness.network, now.plus(SLOW_FOR_MS)));
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
        room.leave(&witness(1, 1, Grade::Regular), false, UnixMillis(1));
        assert!(!room.enter(&stranger, true, UNTIL, UnixMillis(1)));
        room.leave(&stranger, false, UnixMillis(1));
        assert!(room.enter(&stranger, true, UNTIL, UnixMillis(2)));
        assert!(!room.enter(&stranger, true, UnixMillis(200), UnixMillis(99)));
        assert!(room.enter(&stranger, true, UnixMillis(200), UNTIL), "whoever held it is gone");
    }

    /// Each takes its place, holds it for all of its time, and comes again. Returns how many of so many found one.
    fn come_and_hold(room: &mut Room, networks: std::ops::Range<u64>, at: UnixMillis) -> usize {
        let until = at.plus(2_500);
        let came: Vec<_> = networks.map(|network| witness(network, network, Grade::Stranger)).collect();
        let held: Vec<_> = came.iter().filter(|witness| room.enter(witness, true, until, at)).collect();
        for witness in &held {
            room.leave(witness, true, at.plus(2_000));
        }
        held.len()
    }

    #[test]
    fn networks_whose_checks_take_long_share_two_places_while_others_are_answered() {
        let mut room = Room::default();
        let buyer = witness(900, 900, Grade::Stranger);
        let at = |seconds: u64| UnixMillis(1_000_000 + seconds * 1_000);
        let mut held = Vec::new();
        for round in 0..5 {
            assert!(room.enter(&buyer, true, at(2 * round).plus(2_500), at(2 * round)), "round {round}");
            room.leave(&buyer, false, at(2 * round));
            held.push(come_and_hold(&mut room, 1..41, at(2 * round)));
        }
        assert_eq!(held, [16, 16, 12, 2, 2], "forty of them fill it for six seconds");
        assert_eq!(come_and_hold(&mut room, 1..41, at(90)), 16, "and again after a minute");
    }

    #[test]
    fn who_is_answered_quickly_is_not_slow_any_more_and_where_nobody_is_nobody_is_slow() {
        let mut room = Room::default();
        let at = |seconds: u64| UnixMillis(1_000_000 + seconds * 1_000);
        assert_eq!([0, 2, 4].map(|round| come_and_hold(&mut room, 1..17, at(round))), [16, 16, 16], "an outage");
        let buyer = witness(900, 900, Grade::Stranger);
        assert!(room.enter(&buyer, true, at(8), at(6)));
        room.leave(&buyer, false, at(6));
        assert_eq!([6, 8].map(|round| come_and_hold(&mut room, 1..17, at(round))), [16, 2]);
        let slow = witness(5, 5, Grade::Stranger);
        assert!(room.enter(&slow, true, at(12), at(10)));
        room.leave(&slow, false, at(10));
        let again = [5, 6, 7, 8].map(|n| room.enter(&witness(n, n, Grade::Stranger), true, at(13), at(10)));
        assert_eq!(again, [true, true, true, false]);
    }
}
