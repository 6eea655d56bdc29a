//! A client whose clock is wrong by minutes. Where what it signs holds at the true time all the same, it is served; where it
//! does not, it is told so and not charged.

use super::{
    Bought, Visit,
    about::{About, Swarm},
};
use crate::ask::Ask;
use grammar::Listed;
use reports::event::{ExchangeKind, Flaw};
use x402_protocol::Uint256;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About =
    About::buyer(Listed::new("skewed", "has a clock that is minutes ahead or behind", "1"), Swarm::Sometimes);

/// Clients of some generations begin their window this long before their own time.
const BACKDATED_S: i64 = 600;

/// How far the clock is ahead, in seconds, and what is wrong with a payment signed by it. An offer is good for 300 s.
const SKEWS: [(i64, Option<&str>); 6] = [
    (-900, Some("signed-in-the-past")),
    (-298, Some("signed-to-end-at-once")),
    (-120, None),
    (120, None),
    (900, Some("signed-in-the-future")),
    (YEAR_S, Some("signed-to-last-a-year")),
];
const YEAR_S: i64 = 365 * 24 * 3_600;

pub async fn act(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let (skew_s, flaw) = SKEWS[visit.payers.chance(visit.arrival.number).usize(0..SKEWS.len())];
    let now_s = visit.unix_now().saturating_add_signed(skew_s);
    let mut draft = visit.draft(&invoice, 0);
    let begins_s = now_s.saturating_add_signed(-BACKDATED_S);
    // Clients of other generations let it begin with time itself.
    draft.authorization.valid_after = if skew_s == YEAR_S { Uint256::ZERO } else { Uint256::from(begins_s) };
    draft.authorization.valid_before = Uint256::from(now_s + invoice.offer.max_timeout_seconds);
    let payment = draft.sign();
    if let Some(name) = flaw {
        return visit.be_refused(&ask, payment, Flaw { name: name.to_owned(), answers: vec![402], local: true }).await;
    }
    let outcome = visit.collect_or_give_up(&ask, &payment, ExchangeKind::Payment).await;
    Bought { outcome, payments: vec![payment] }
}
