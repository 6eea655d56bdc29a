//! No malformation leaves a good payment behind, held against a reader that shares nothing with the dispatcher's
//! admission: the honest facilitator double.

use super::*;
use crate::payer::{Invoice, Payers};
use doubles::{Chain, FacilitatorRequest, Repeat, honest};
use journal::Journal;
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc};
use system::clock::SystemClock;
use x402_protocol::{
    Network, Offer,
    v2::{PaymentRequired, ResourceInfo},
};

const DRAWS: u64 = 8;
/// Unix seconds at which the payments are judged.
const NOW: u64 = 1_795_000_000;

fn invoice() -> Invoice {
    let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".parse().unwrap();
    let offer = Offer::usdc(Network::BaseSepolia, 10_000.into(), pay_to, 60);
    let resource = ResourceInfo { url: "https://acme.example/".to_owned(), ..ResourceInfo::default() };
    let required = PaymentRequired {
        x402_version: x402_protocol::Version::V2,
        error: None,
        resource,
        accepts: vec![offer.to_requirements()],
        extensions: None,
    };
    Invoice::read_header(&header::encode(&required)).unwrap()
}

fn is_honoured(payment: &Payment, invoice: &Invoice) -> bool {
    let Some(text) = payment.header.to_str().ok().and_then(|header| header::decode(header).ok()) else { return false };
    // Text, and not a value: that would lose a key that stands twice.
    let requirements = json!(invoice.offer.to_requirements());
    let body = format!(r#"{{"x402Version":2,"paymentPayload":{text},"paymentRequirements":{requirements}}}"#);
    let request = FacilitatorRequest::parse(body.as_bytes());
    honest::verify(
        "honest",
        &request,
        &Chain::new(Journal::channel(Arc::new(SystemClock::start())).0),
        NOW,
        Repeat::Yes,
    )
    .is_valid
}

#[test]
fn no_malformation_can_be_honoured() {
    let (invoice, payers) = (invoice(), Payers::from_seed(1));
    for n in 0..DRAWS {
        let draft = payers.draft(&invoice, n, 0, NOW);
        assert!(is_honoured(&draft.sign(), &invoice));
        for malformation in Malformation::all() {
            let payment = malformation.payment(draft.clone(), NOW, &mut Rng::with_seed(n));
            assert!(!is_honoured(&payment, &invoice), "{} (draw {n})", malformation.name);
        }
    }
}

#[test]
fn there_are_many_each_with_a_name_of_its_own_and_every_one_is_drawn() {
    let names: BTreeSet<_> = Malformation::all().map(|malformation| malformation.name).collect();
    assert_eq!(names.len(), Malformation::all().count());
    let mut chance = Rng::with_seed(1);
    let mut drawn = |draw: fn(&mut Rng) -> &'static Malformation| -> BTreeSet<&str> {
        (0..2_000).map(|_| draw(&mut chance).name).collect()
    };
    let (plain, unproven) = (drawn(Malformation::any), drawn(Malformation::of_nobody));
    assert!(plain.is_disjoint(&unproven) && unproven.contains("forged"));
    assert_eq!(plain.union(&unproven).copied().collect::<BTreeSet<_>>(), names);
}
