//! A client that uses others' payment-identifiers, which can be guessed: those of purchases that were made, to hear about them,
//! and of those that are about to be, to be in their way. It has no key and no money.

use super::{
    Visit,
    about::{AN_ATTACK, About, ClientRole},
    blamer,
};
use crate::{
    ask::Ask,
    caller::Sending,
    payer::{Payment, plain},
};
use futures_util::future::join_all;
use grammar::Listed;
use reports::event::{ExchangeKind, Flaw};
use x402_protocol::{Version, header};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Attacker,
    ..About::buyer(
        Listed::new("squatter", "presents keyless payments under other purchases' payment-identifiers", "1"),
        AN_ATTACK,
    )
};

/// How many purchases before and after its own it goes for.
const AROUND: u64 = 4;
/// It comes again as soon as it is sent away.
const ROUNDS: u64 = 2;

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let number = visit.arrival.number;
    for round in 0..ROUNDS {
        let payments: Vec<_> = others(number)
            .map(|other| {
                let mut chance = visit.payers.chance(number << 16 | other << 2 | round);
                let mut draft = visit.draft(&invoice, other * ROUNDS + round);
                draft.authorization.from = blamer::nobody(&mut chance);
                draft.identifier = Some(visit.payers.identifier(other));
                let header = plain(header::encode(&draft.json(&blamer::nobodys(&mut chance))));
                let (key, identifier) = (Some(draft.key()), draft.identifier.clone());
                Payment { key, identifier, version: Version::V2, header }
            })
            .collect();
        // Nothing of anybody's purchase is told to who has paid nothing: it hears about its own payment alone.
        let flaw =
            || Flaw { name: "keyless-under-anothers-name".to_owned(), answers: vec![400, 402, 503], local: false };
        let send = |payment| visit.send(Sending::new(&ask, ExchangeKind::Payment).with(payment).flawed(flaw()));
        join_all(payments.iter().map(send)).await;
    }
    Vec::new()
}

pub fn others(number: u64) -> impl Iterator<Item = u64> {
    (number.saturating_sub(AROUND)..=number + AROUND).filter(move |other| *other != number)
}
