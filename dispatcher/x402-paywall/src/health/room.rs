//! Room at one facilitator for payments of which nothing is known.
//!
//! A check can be made slow by whoever pays, so the calls for strangers that are under way are bounded, in all and for each
//! network. Payers who are known are not bound by it.

use super::witness::{Grade, Witness};
use crate::UnixMillis;

/// Calls under way for strangers.
const STRANGERS: usize = 16;
/// The same for one network.
const OF_ONE_NETWORK: usize = 2;
/// The same for all callers who do not say where they are.
const OF_NOWHERE: usize = 8;

/// Whose calls are under way, and until when at most. A deadline and not a count alone: whoever waited may be gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Room(Vec<(u64, UnixMillis)>);

impl Room {
    /// Takes a place, if the payment needs one and there is one.
    pub(super) fn enter(&mut self, witness: &Witness, until: UnixMillis, now: UnixMillis) -> bool {
        if witness.grade != Grade::Stranger {
            return true;
        }
        self.0.retain(|(_, until)| now < *until);
        let of_network = self.0.iter().filter(|(network, _)| *network == witness.network).count();
        let most = if witness.network == 0 { OF_NOWHERE } else { OF_ONE_NETWORK };
        let fits = self.0.len() < STRANGERS && of_network < most;
        if fits {
            self.0.push((witness.network, until));
        }
        fits
    }

    /// Gives the place back.
    pub(super) fn leave(&mut self, witness: &Witness) {
        let held = self.0.iter().position(|(network, _)| *network == witness.network);
        if let Some(position) = held.filter(|_| witness.grade == Grade::Stranger) {
            self.0.remove(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness(network: u64, grade: Grade) -> Witness {
        Witness { payment: 0, payer: 0, network, grade }
    }

    #[test]
    fn one_network_has_two_places_and_all_strangers_sixteen() {
        let (mut room, until, now) = (Room::default(), UnixMillis(100), UnixMillis(0));
        let mut enters = |network, grade| room.enter(&witness(network, grade), until, now);
        assert_eq!([1, 1, 1].map(|network| enters(network, Grade::Stranger)), [true, true, false]);
        assert!((2..9).all(|network| enters(network, Grade::Stranger) && enters(network, Grade::Stranger)));
        assert!(!enters(9, Grade::Stranger));
        assert!(enters(1, Grade::Regular) && enters(1, Grade::Sound));
    }

    #[test]
    fn a_place_is_given_back_or_runs_out() {
        let mut room = Room::default();
        let stranger = witness(1, Grade::Stranger);
        for _ in 0..2 {
            assert!(room.enter(&stranger, UnixMillis(100), UnixMillis(0)));
        }
        room.leave(&witness(1, Grade::Regular));
        assert!(!room.enter(&stranger, UnixMillis(100), UnixMillis(1)));
        room.leave(&stranger);
        assert!(room.enter(&stranger, UnixMillis(100), UnixMillis(2)));
        assert!(!room.enter(&stranger, UnixMillis(200), UnixMillis(99)));
        assert!(room.enter(&stranger, UnixMillis(200), UnixMillis(100)), "whoever held it is gone");
    }
}
