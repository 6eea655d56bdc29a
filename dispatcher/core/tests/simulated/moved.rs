//! Payers that have moved to another address, and prove their key to collect what they paid for.

use crate::world::{Facilitator, World};
use serde_json::Value;

const QUOTE: &str = "/t/acme/quote";
const ELSEWHERE: (&str, &str) = ("cf-connecting-ip", "198.51.100.1");

/// Pays at one address, and is told at another what to sign.
fn moved(world: &World, nonce: u8) -> (crate::world::Payment, Value) {
    let payment = world.sign(nonce);
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200);
    let told = world.get_as_a_stranger(QUOTE, &payment);
    assert_eq!((told.status, told.code()), (409, "payment_already_used"));
    let challenge = told.json()["extensions"]["sign-in-with-x"].clone();
    assert_eq!(challenge["supportedChains"][0]["chainId"], "eip155:84532");
    (payment, challenge)
}

fn collect(world: &World, payment: &crate::world::Payment, proof: &str) -> (u16, String) {
    let headers = [("payment-signature", payment.header.as_str()), ("sign-in-with-x", proof), ELSEWHERE];
    let got = world.send_headers("GET", QUOTE, &headers);
    (got.status, got.text().to_owned())
}

#[test]
fn a_payer_that_signs_the_challenge_collects_once_with_each_proof() {
    let world = World::new();
    let (payment, challenge) = moved(&world, 1);
    let proof = world.sign_in(&challenge, &[]);
    assert_eq!(collect(&world, &payment, &proof), (200, "content of /quote".to_owned()));
    assert_eq!(collect(&world, &payment, &proof).0, 409, "a proof is good for one use");
    world.pass_seconds(1);
    let again = world.get_as_a_stranger(QUOTE, &payment).json()["extensions"]["sign-in-with-x"].clone();
    assert_eq!(collect(&world, &payment, &world.sign_in(&again, &[])).0, 200);
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
}

#[test]
fn what_is_proven_for_something_else_proves_nothing() {
    let world = World::new();
    let (payment, challenge) = moved(&world, 1);
    let (_, other) = moved(&world, 2);
    for (what, changes) in [
        ("another host", &[("domain", Value::from("evil.example"))][..]),
        ("another resource", &[("uri", Value::from("https://edge.example/t/globex/quote"))]),
        ("another payment", &[("resources", other["info"]["resources"].clone())]),
        ("no payment", &[("resources", Value::from(Vec::<String>::new()))]),
        ("another chain", &[("chainId", Value::from("eip155:8453"))]),
        ("long ago", &[("issuedAt", Value::from("2027-01-15T07:54:59.000Z"))]),
        ("the future", &[("issuedAt", Value::from("2027-01-15T08:02:00.000Z"))]),
        ("what has expired", &[("expirationTime", Value::from("2027-01-15T07:59:59.000Z"))]),
    ] {
        assert_eq!(collect(&world, &payment, &world.sign_in(&challenge, changes)).0, 409, "{what}");
    }
    let stranger = world.sign_in_as(9, &challenge);
    assert_eq!(collect(&world, &payment, &stranger).0, 409, "another key");
    assert_eq!(collect(&world, &payment, "garbage").0, 409);
    assert_eq!(collect(&world, &payment, &world.sign_in(&challenge, &[])).0, 200, "none of it used the payment up");
}

#[test]
fn a_proof_of_the_key_is_none_of_the_credentials() {
    let world = World::new();
    let payment = world.sign(1);
    let bought = [("payment-signature", payment.header.as_str()), ("authorization", "Bearer alice")];
    assert_eq!(world.send_headers("GET", QUOTE, &bought).status, 200);
    let challenge = world.get_as_a_stranger(QUOTE, &payment).json()["extensions"]["sign-in-with-x"].clone();
    let proof = world.sign_in(&challenge, &[]);
    assert_eq!(collect(&world, &payment, &proof).0, 409);
    let whole = [bought[0], bought[1], ("sign-in-with-x", proof.as_str()), ELSEWHERE];
    assert_eq!(world.send_headers("GET", QUOTE, &whole).status, 200);
}

#[test]
fn a_payer_that_moves_while_its_settlement_is_unknown_collects_as_well() {
    let world = World::new();
    let payment = world.sign(1);
    world.primary(Facilitator::SettlesSilently);
    assert_eq!(world.get(QUOTE, Some(&payment)).code(), "settlement_pending");
    world.primary(Facilitator::Honest);
    world.pass_seconds(3);
    let challenge = world.get_as_a_stranger(QUOTE, &payment).json()["extensions"]["sign-in-with-x"].clone();
    assert_eq!(collect(&world, &payment, &world.sign_in(&challenge, &[])), (200, "content of /quote".to_owned()));
}
