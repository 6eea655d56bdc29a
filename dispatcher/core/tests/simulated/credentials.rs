//! What a caller sends to prove something: what of it a tenant sees, and how much of it is read.

use crate::world::World;
use dispatcher_core::protocol::header::MAX_HEADER_CHARS;
use serde_json::json;

const QUOTE: &str = "/t/acme/quote";

#[test]
fn a_wallets_proof_and_a_payment_of_another_protocol_never_reach_a_tenant() {
    let world = World::new();
    world.get(QUOTE, Some(&world.sign(1)));
    let strip = world.last_run().strip;
    assert!(strip("sign-in-with-x", "e30=") && strip("authorization", "Payment e30="));
    assert!(strip("x-forwarded-prefix", "/t/other"));
    assert!(!strip("authorization", "Bearer token") && !strip("cookie", "Payment"));
}

#[test]
fn what_is_too_long_to_be_a_payment_is_refused_before_it_is_read() {
    let world = World::new();
    let longest = "A".repeat(MAX_HEADER_CHARS);
    let half = "A".repeat(MAX_HEADER_CHARS / 2 + 1);
    for headers in [
        &[("payment-signature", longest.as_str()), ("x-payment", half.as_str())][..],
        &[("payment-signature", half.as_str()), ("x-payment", half.as_str()), ("sign-in-with-x", half.as_str())],
        &[("payment-signature", "!"), ("sign-in-with-x", &format!("{longest}{longest}"))],
    ] {
        for slug in ["acme", "nobody"] {
            let answer = world.send_headers("GET", &format!("/t/{slug}/quote"), headers);
            let wanted = if slug == "acme" { (400, "invalid_payload") } else { (404, "tenant_not_found") };
            assert_eq!((answer.status, answer.code()), wanted);
        }
    }
    let payment = world.sign(1);
    let small = [("payment-signature", payment.header.as_str()), ("x-payment", "e30="), ("sign-in-with-x", "e30=")];
    assert_eq!(world.send_headers("GET", QUOTE, &small).status, 200);
}

#[test]
fn a_key_that_the_record_lists_is_a_part_of_who_bought() {
    let bought_with = |listed: &[&str], header: (&'static str, &str)| {
        let mut world = World::new();
        world.publish(|tenant| tenant["credentialHeaders"] = json!(listed));
        let payment = world.sign(1);
        let headers = [header, ("payment-signature", payment.header.as_str())];
        assert_eq!(world.send_headers("GET", QUOTE, &headers).status, 200);
        world.record(&payment)["claim"]["origin"]["credentials"].clone()
    };
    let listed = ["x-api-key"];
    let alice = bought_with(&listed, ("x-api-key", "alice"));
    assert!(alice.is_string());
    assert_ne!(alice, bought_with(&listed, ("x-api-key", "mallory")));
    assert_ne!(alice, bought_with(&listed, ("accept", "*/*")));
    assert_eq!(bought_with(&listed, ("accept", "*/*")), bought_with(&[], ("x-api-key", "alice")));
    assert_ne!(bought_with(&listed, ("authorization", "Bearer a")), bought_with(&listed, ("accept", "*/*")));
}
