//! A client whose authorization is good when it is verified and over before a slow tenant is through. Nothing can be settled
//! then, so nothing may be served; and the client must not be left in doubt.

use super::{
    Bought, Visit,
    about::{About, Swarm},
};
use crate::ask::Ask;
use facts::clients::ENDS_WHILE_THE_TENANT_RUNS;
use grammar::Listed;
use reports::event::Flaw;
use x402_protocol::Uint256;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new("short-lived", "signs an authorization that ends while a slow tenant runs", "1"),
    Swarm::Sometimes,
);

/// A facilitator wants six seconds for a block: good for a verification at once, not for a settlement some seconds later.
const LIFE_S: u64 = 9;

pub async fn act(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let mut draft = visit.draft(&invoice, 0);
    draft.authorization.valid_before = Uint256::from(visit.unix_now() + LIFE_S);
    let payment = draft.sign();
    // Only by running the tenant can the dispatcher find out.
    let flaw = Flaw { name: ENDS_WHILE_THE_TENANT_RUNS.to_owned(), answers: vec![402], local: false };
    visit.be_refused(&ask, payment, flaw).await
}
