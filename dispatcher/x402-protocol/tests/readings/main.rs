//! One reading: a payment that we accept is the same payment to every other reader, both in the client's words and in ours.
//!
//! The other readers are a model of Go's `encoding/json`, which ignores case and lets the later of two members win, and the
//! real ones of Node and of Python, each in one process for all texts. Node must be there; Python is left out, and said so,
//! if it is not.

mod documents;
mod readers;

use documents::{Document, bases};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use readers::{Facts, Reader};
use x402_protocol::{
    ExactEvmPayload, Offer, Version, v1, v1_request,
    v2::{self, ResourceInfo},
    v2_request,
};

const TEXTS: usize = 6_000;

/// A payment that we accept, and the reading of it.
struct Accepted {
    text: String,
    ours: Facts,
    /// The question that a facilitator gets about it.
    question: String,
}

fn resource() -> ResourceInfo {
    ResourceInfo { url: "https://acme.example/quote".to_owned(), ..ResourceInfo::default() }
}

/// The offer that all base documents are for.
fn offer() -> Offer {
    Offer::from_requirements(&v2::PaymentPayload::parse(&bases()[0].to_string()).unwrap().accepted).unwrap()
}

fn facts(
    version: Version,
    network: &str,
    amount: Option<String>,
    pay_to: Option<String>,
    exact: &ExactEvmPayload,
) -> Facts {
    let transfer = &exact.transfer;
    Facts::new([
        version.number().to_string(),
        network.to_owned(),
        amount.unwrap_or_default(),
        pay_to.unwrap_or_default(),
        transfer.method().name().to_owned(),
        transfer.from().to_string(),
        transfer.to().to_string(),
        transfer.amount().to_string(),
        transfer.valid_after().to_string(),
        transfer.valid_before().to_string(),
        match transfer {
            x402_protocol::Transfer::Eip3009(authorization) => authorization.nonce.to_string(),
            x402_protocol::Transfer::Permit2(permit) => permit.nonce.to_string(),
        },
        exact.signature.to_string(),
    ])
}

/// Read as version 2 and as version 1: no text is both.
fn accepted(text: &str) -> Option<Accepted> {
    let two = v2::PaymentPayload::parse(text);
    let one = v1::PaymentPayload::parse(text);
    assert!(two.is_err() || one.is_err(), "{text}");
    if let Ok(payment) = two {
        let accepted = &payment.accepted;
        let (amount, pay_to) = (Some(accepted.amount.clone()), Some(accepted.pay_to.clone()));
        let ours = facts(Version::V2, &accepted.network, amount, pay_to, &payment.exact);
        let question = v2_request(&payment, &offer(), &resource(), None).get().to_owned();
        return Some(Accepted { text: text.to_owned(), ours, question });
    }
    let payment = one.ok()?;
    let ours = facts(Version::V1, &payment.network, None, None, &payment.exact);
    let requirements = v1::PaymentRequirements::of(&offer(), &resource()).unwrap();
    let question = v1_request(&payment, &requirements).get().to_owned();
    Some(Accepted { text: text.to_owned(), ours, question })
}

/// The same texts at every run.
fn texts() -> Vec<String> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = documents::changed();
    let drawn = (0..TEXTS).map(|_| strategy.new_tree(&mut runner).expect("nothing is filtered").current());
    let plain = bases().iter().map(Document::to_string).collect::<Vec<_>>();
    plain.into_iter().chain(drawn.map(|document| document.to_string())).collect()
}

#[test]
fn whatever_we_accept_every_reader_reads_as_we_do() {
    let texts = texts();
    let accepted: Vec<Accepted> = texts.iter().filter_map(|text| accepted(text)).collect();
    let (all, ours) = (texts.len(), accepted.len());
    // Neither all good nor all bad, or nothing would be compared.
    assert!(ours > all / 20 && ours < all * 3 / 4, "{ours} of {all} are accepted");
    assert!(accepted.iter().any(|one| one.ours.version() == "1") && accepted.iter().any(|one| one.ours.is_permit()));

    let words: Vec<&str> = accepted.iter().map(|one| one.text.as_str()).collect();
    let questions: Vec<&str> = accepted.iter().map(|one| one.question.as_str()).collect();
    for reader in Reader::present() {
        let (in_theirs, in_ours) = (reader.payments(&words), reader.questions(&questions));
        for ((one, theirs), forwarded) in accepted.iter().zip(in_theirs).zip(in_ours) {
            assert_eq!(theirs.as_ref(), Some(&one.ours), "{} reads otherwise: {}", reader.name(), one.text);
            let signed = forwarded.as_ref().map(Facts::signed);
            assert_eq!(signed, Some(one.ours.signed()), "{} reads otherwise: {}", reader.name(), one.question);
        }
    }
}

/// The readers do differ, so what they agree on is worth something.
#[test]
fn a_text_that_readers_differ_about_is_one_that_we_refuse() {
    let plain = bases()[0].to_string();
    let other = plain.replace("10000", "1");
    let (_, payload) = other.split_once(r#""payload":"#).unwrap();
    let payload = &payload[..payload.find(r#","resource""#).unwrap()];
    let two = plain.replacen('{', &format!(r#"{{"payload":{payload},"#), 1);
    let cased = format!("{},\"Payload\":{payload}}}", &plain[..plain.len() - 1]);
    for text in [two, cased] {
        let mut readings: Vec<_> =
            Reader::present().iter().flat_map(|reader| reader.payments(&[&text])).flatten().collect();
        readings.push(readers::first_wins(&text).unwrap());
        readings.sort();
        readings.dedup();
        assert!(readings.len() > 1, "{text}");
        assert!(accepted(&text).is_none(), "{text}");
    }
}
