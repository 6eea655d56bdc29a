//! A client that hangs up while it is being charged, and comes back when nobody thinks of it any more, and its payment has run
//! out. In between only the dispatcher itself can find out what became of it.

use super::{
    Bought, Visit,
    about::{About, NOT_TRIED},
    impatient,
};
use grammar::Listed;
use std::time::Duration;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new("away", "hangs up while its payment is being settled, and resends it half a minute later", "1"),
    NOT_TRIED,
);

/// Longer than any pause that a ledger may make while the question is young.
const AWAY: Duration = Duration::from_secs(30);
/// Its payment can be settled for so long: it has been, if it ever is, and has run out when the client is back.
const LIFE_S: u64 = 25;

pub async fn act(visit: &Visit<'_>) -> Bought {
    impatient::buy_in_two_goes(visit, AWAY, Some(LIFE_S)).await
}
