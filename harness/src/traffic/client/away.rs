//! A client that hangs up while it is being charged, and comes back when nobody thinks of it any more. In between only the
//! dispatcher itself can find out what became of its payment.

use super::{Bought, Visit, impatient};
use std::time::Duration;

/// Longer than any pause that a ledger may make while the question is young.
const AWAY: Duration = Duration::from_secs(30);

pub async fn buy(visit: &Visit<'_>) -> Bought {
    impatient::buy_in_two_goes(visit, AWAY).await
}
