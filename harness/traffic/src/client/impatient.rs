//! A client that loses patience: it hangs up while its payment is on its way to be settled, and asks again with the same
//! payment. It must have its content then, since it may have been charged.

use super::{
    Bought, Visit,
    about::{About, Swarm},
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};
use std::time::Duration;
use x402_protocol::Uint256;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new("impatient", "hangs up while its payment is being settled, and resends it later", "1"),
    Swarm::Sometimes,
);

/// Long enough for a payment to be verified and the tenant to run, less than a slow settlement takes.
pub const PATIENCE: Duration = Duration::from_millis(600);
/// Until it asks again, while the settlement is still under way. Whoever comes back later can only be given what the runtime
/// did not call delivered, and a proxy in between (`wrangler dev` has one) hides that a caller went: that is what
/// payment-identifiers are for.
const AWAY: Duration = Duration::from_millis(500);

pub async fn act(visit: &Visit<'_>) -> Bought {
    buy_in_two_goes(visit, AWAY, None).await
}

/// Hangs up while it is being charged, stays away for so long, and asks again with the same payment, which is good for so many
/// seconds, or for as long as the offer says.
pub async fn buy_in_two_goes(visit: &Visit<'_>, away: Duration, life_s: Option<u64>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let mut draft = visit.draft(&invoice, 0);
    if let Some(life_s) = life_s {
        draft.authorization.valid_before = Uint256::from(visit.unix_now() + life_s);
    }
    let payment = draft.sign();
    let sending = Sending::new(&ask, ExchangeKind::Payment).with(&payment).no_longer_than(PATIENCE);
    let outcome = match visit.send(sending).await.map(|got| got.answer.status) {
        Some(200..=299) => PurchaseOutcome::Served,
        _ => {
            tokio::time::sleep(away).await;
            visit.collect_or_give_up(&ask, &payment, ExchangeKind::Resend).await
        }
    };
    Bought { outcome, payments: vec![payment] }
}
