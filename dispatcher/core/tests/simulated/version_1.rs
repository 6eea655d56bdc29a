//! Callers who speak version 1, and those who speak both.

use crate::world::{Facilitator, Tenant, World};
use dispatcher_core::protocol::{
    Version,
    header::{PAYMENT_RESPONSE, PAYMENT_SIGNATURE, X_PAYMENT},
};

const QUOTE: &str = "/t/acme/quote";

#[test]
fn an_offer_goes_out_in_both_versions_at_once() {
    let world = World::new();
    let answer = world.get(QUOTE, None);
    assert_eq!(answer.offer().unwrap().amount, world.offer().amount);
    let body = answer.json();
    assert_eq!((&body["x402Version"], &body["error"]), (&1.into(), &"payment_required".into()));
    assert_eq!(body["accepts"][0]["resource"], "https://edge.example/t/acme/quote");
    assert_eq!(body["accepts"][0]["network"], "base-sepolia");
    assert!(body["accepts"][0]["description"].is_string() && body["request_id"].is_string());
}

#[test]
fn who_pays_in_version_1_is_served_and_answered_in_version_1() {
    let world = World::new();
    let payment = world.sign(1);
    let answer = world.send_headers("GET", QUOTE, &[(X_PAYMENT, &payment.in_version_1())]);
    assert_eq!((answer.status, answer.text()), (200, "content of /quote"));
    let told = answer.payment_response_in(Version::V1).unwrap();
    assert_eq!((told.success, told.network.as_str()), (true, "base-sepolia"));
    assert_eq!(answer.header(PAYMENT_RESPONSE), None);
    assert_eq!(world.settled(), [("primary", 1)]);
}

#[test]
fn one_authorization_is_one_payment_in_whichever_version_it_comes() {
    let world = World::new();
    let payment = world.sign(1);
    world.primary(Facilitator::SettlesSilently);
    let pending = world.send_headers("GET", QUOTE, &[(X_PAYMENT, &payment.in_version_1())]);
    assert_eq!((pending.status, pending.code()), (503, "settlement_pending"));
    assert!(!pending.payment_response_in(Version::V1).unwrap().success && pending.header(PAYMENT_RESPONSE).is_none());
    world.primary(Facilitator::Honest);
    world.pass_seconds(3);
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200, "collected in version 2");
    let stranger = [(X_PAYMENT, payment.in_version_1()), ("cf-connecting-ip", "198.51.100.1".to_owned())];
    let stranger = stranger.each_ref().map(|(name, value)| (*name, value.as_str()));
    let again = world.send_headers("GET", QUOTE, &stranger);
    assert_eq!((again.status, again.code()), (409, "payment_already_used"));
    assert_eq!((world.settled(), world.tenant_runs()), (vec![("primary", 1)], 1));
}

#[test]
fn who_sends_both_headers_means_version_2() {
    let world = World::new();
    let payment = world.sign(1);
    let both = [(PAYMENT_SIGNATURE, payment.header.as_str()), (X_PAYMENT, "garbage")];
    let answer = world.send_headers("GET", QUOTE, &both);
    assert!(answer.status == 200 && answer.payment_response().is_some());
}

#[test]
fn an_expired_payment_is_still_collected_but_never_claimed() {
    let world = World::new();
    let (payment, late) = (world.sign(1), world.sign(2));
    world.primary(Facilitator::SettlesSilently);
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 503);
    world.primary(Facilitator::Honest);
    world.pass_seconds(1_000);
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200, "no new bill for what may have been paid for");
    let answer = world.get(QUOTE, Some(&late));
    assert_eq!((answer.status, answer.code()), (402, "invalid_exact_evm_payload_authorization_valid_before"));
}

#[test]
fn every_answer_can_be_read_by_a_page_on_another_origin() {
    let world = World::new();
    let readable = |answer: &crate::world::Got| {
        let exposed = answer.header("access-control-expose-headers").unwrap_or_default().to_owned();
        answer.header("access-control-allow-origin") == Some("*")
            && ["PAYMENT-REQUIRED", "PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE"].iter().all(|name| exposed.contains(name))
    };
    assert!(readable(&world.get(QUOTE, None)), "402");
    assert!(readable(&world.get_with(QUOTE, Some("!"))), "400");
    assert!(readable(&world.get("/t/initech/", None)), "404");
    assert!(readable(&world.get(QUOTE, Some(&world.sign(1)))), "paid");
    world.tenant(Tenant::Answers(418));
    assert!(readable(&world.get(QUOTE, Some(&world.sign(2)))), "the tenant's own error");
    world.tenant(Tenant::Throws("boom"));
    assert!(readable(&world.get(QUOTE, Some(&world.sign(3)))), "a tenant that failed");
}

#[test]
fn a_preflight_may_pay_even_where_the_tenant_knows_nothing_of_other_origins() {
    let world = World::new();
    for tenant in [Tenant::Answers(200), Tenant::Answers(405), Tenant::Throws("boom")] {
        world.tenant(tenant);
        let asked = [("access-control-request-method", "GET"), ("access-control-request-headers", "x-payment")];
        let answer = world.send_headers("OPTIONS", QUOTE, &asked);
        assert_eq!(answer.status, 204, "{tenant:?}");
        let allowed = answer.header("access-control-allow-headers").unwrap();
        assert!(allowed.contains("PAYMENT-SIGNATURE") && allowed.contains("X-PAYMENT"), "{allowed}");
    }
    assert_eq!(world.facilitator_calls(), 0);
}
