//! A client that pays once, and then presents payments that are two at once: to a reader that minds the case of names, a fresh
//! one that was signed and never settled; to one that does not, the one that was paid for. Whoever validates the one and has the
//! other settled sells again and again for one transfer.

use super::{
    Visit,
    about::{AN_ATTACK, About, ClientRole},
};
use crate::{
    ask::Ask,
    caller::Sending,
    payer::{Payment, plain},
};
use grammar::Listed;
use reports::event::{ExchangeKind, Flaw};
use serde_json::Value;
use x402_protocol::{Version, header};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Attacker,
    ..About::buyer(
        Listed::new(
            "differential",
            "presents payments that another reader takes for one that it has paid already",
            "1",
        ),
        AN_ATTACK,
    )
};

/// Sorts behind every name of a payment, so that what stands under it comes last.
const LAST: &str = "~";

/// The place of a second member, and its spelling: at every depth that a facilitator reads.
const SPELLINGS: [(&str, &str, &str); 7] = [
    ("", "payload", "Payload"),
    ("", "payload", "PAYLOAD"),
    ("/payload", "authorization", "Authorization"),
    ("/payload", "signature", "Signature"),
    ("/payload/authorization", "nonce", "Nonce"),
    ("", "accepted", "Accepted"),
    ("", "x402Version", "X402Version"),
];

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let paid = visit.draft(&invoice, 0);
    let (payment, paid) = (paid.sign(), paid.json(&paid.signature()));
    visit.send(Sending::new(&ask, ExchangeKind::Payment).with(&payment)).await;
    let mut signed: Vec<_> = payment.key.into_iter().collect();
    for (nth, (at, name, spelled)) in (1..).zip(SPELLINGS) {
        let draft = visit.draft(&invoice, nth);
        let mut json = draft.json(&draft.signature());
        let second = paid.pointer(at).map_or(Value::Null, |object| object[name].clone());
        let object = json.pointer_mut(at).and_then(Value::as_object_mut).expect("a payment has this object");
        object.insert(format!("{LAST}{spelled}"), second);
        let text = json.to_string().replace(&format!("\"{LAST}"), "\"");
        let key = Some(draft.key());
        let payment =
            Payment { key, identifier: None, version: Version::V2, header: plain(header::encode_text(&text)) };
        let flaw = Flaw { name: format!("two-readings-by-{spelled}"), answers: vec![400], local: true };
        // Each for a request of its own, as a thief would.
        let other = Ask { query: format!("{}&take={nth}", ask.query), ..ask.clone() };
        visit.send(Sending::new(&other, ExchangeKind::Payment).with(&payment).flawed(flaw)).await;
        signed.extend(payment.key);
    }
    signed
}
