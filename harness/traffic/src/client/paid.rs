//! A client that buys, as a conforming client with an agent behind it does: it resends the same payment when it is told
//! that the outcome is open, and signs a new one when it is billed again. The latter is how a dispatcher that answers an
//! unknown settlement with a bill makes its callers pay twice, so the client must not be wiser than real ones.

use super::{
    Bought, Collected, Visit,
    about::{About, Swarm},
};
use crate::ask::Ask;
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new("paid", "buys, as an official client does: resends when told to, signs anew when billed again", "8"),
    Swarm::Always,
);

/// How often a client signs for one purchase before its owner's budget says no.
const MAX_SIGNATURES: u64 = 3;

pub async fn act(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let mut invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let mut bought = Bought::nothing(PurchaseOutcome::Refused);
    for attempt in 0..MAX_SIGNATURES {
        bought.payments.push(visit.pay(&invoice, attempt));
        match visit.collect(&ask, &bought.payments[attempt as usize], ExchangeKind::Payment).await {
            Collected::Ended(outcome) => return Bought { outcome, ..bought },
            // A refused settlement carries no new offer; the old one still stands.
            Collected::Billed(new) => invoice = new.unwrap_or(invoice),
        }
    }
    bought
}
