//! A price that is paid upfront: the money moves first, and the response stays owed until the tenant has given it.

use crate::world::{Facilitator, Tenant, World};
use dispatcher_core::{paywall::telemetry::Call, protocol::PaymentFlow};

const QUOTE: &str = "/t/upfront/quote";

#[test]
fn upfront_is_offered_and_settled_as_soon_as_it_is_verified() {
    let world = World::new();
    assert_eq!(world.get(QUOTE, None).offer().unwrap().flow, PaymentFlow::Upfront);
    let payment = world.sign_upfront(1);
    let answer = world.get(QUOTE, Some(&payment));
    assert_eq!((answer.status, answer.text()), (200, "content of /quote"));
    assert_eq!(answer.payment_response().unwrap().transaction, world.transaction(&payment));
    assert_eq!(world.calls_to("primary"), [Call::Verify, Call::Settle]);
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200, "its caller may have it again");
    assert_eq!(world.get_as_a_stranger(QUOTE, &payment).code(), "payment_already_used");
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
}

#[test]
fn version_1_cannot_say_upfront_and_is_not_offered_it() {
    let world = World::new();
    let unpaid = world.get(QUOTE, None);
    assert_eq!(unpaid.json()["accepts"].as_array().map(Vec::len), Some(0));
    let payment = world.sign(1).in_version_1();
    let refused = world.send_headers("GET", QUOTE, &[("x-payment", &payment)]);
    assert_eq!((refused.status, refused.code()), (402, "invalid_payment_requirements"));
    assert_eq!(world.facilitator_calls(), 0);
}

#[test]
fn a_payment_that_accepted_another_flow_is_refused() {
    let world = World::new();
    for (tenant, payment) in [("upfront", world.sign(1)), ("acme", world.sign_upfront(2))] {
        let answer = world.get(&format!("/t/{tenant}/quote"), Some(&payment));
        assert_eq!((answer.status, answer.code()), (402, "invalid_payment_requirements"), "{tenant}");
    }
    assert_eq!(world.facilitator_calls(), 0);
}

#[test]
fn a_tenant_that_fails_after_it_was_paid_still_owes_the_response() {
    for (tenant, status) in [
        (Tenant::Answers(500), 500),
        (Tenant::Answers(302), 302),
        (Tenant::Throws("boom"), 502),
        (Tenant::Endless, 502),
        (Tenant::Hangs, 504),
        (Tenant::Trickles, 504),
    ] {
        let world = World::new();
        let payment = world.sign_upfront(1);
        world.tenant(tenant);
        for _ in 0..2 {
            let failed = world.get(QUOTE, Some(&payment));
            assert_eq!((failed.status, failed.header("cache-control")), (status, Some("private")), "{tenant:?}");
            let receipt = failed.payment_response().expect("who was charged gets a receipt");
            assert!(receipt.success && receipt.transaction == world.transaction(&payment));
            assert!(!failed.text().contains("not charged") && failed.offer().is_none());
        }
        world.tenant(Tenant::Answers(200));
        assert_eq!(world.get(QUOTE, Some(&payment)).status, 200, "{tenant:?}");
        assert_eq!(world.get_as_a_stranger(QUOTE, &payment).code(), "payment_already_used", "{tenant:?}");
        assert_eq!((world.moved(), world.tenant_runs()), (1, 3), "{tenant:?}");
    }
}

#[test]
fn an_unknown_settlement_is_pending_before_the_tenant_ever_ran() {
    let world = World::new();
    let payment = world.sign_upfront(1);
    world.primary(Facilitator::SettlesSilently);
    let pending = world.get(QUOTE, Some(&payment));
    assert_eq!((pending.status, pending.code()), (503, "settlement_pending"));
    assert_eq!(world.tenant_runs(), 0);
    world.primary(Facilitator::Honest);
    world.pass_seconds(3);
    world.ring();
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200);
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
}

#[test]
fn a_refused_settlement_is_not_served() {
    let world = World::new();
    world.primary(Facilitator::RefusesToSettle);
    world.standby(Facilitator::RefusesToSettle);
    let refused = world.get(QUOTE, Some(&world.sign_upfront(1)));
    assert_eq!((refused.status, refused.code()), (402, "unsupported_scheme"));
    assert_eq!((world.moved(), world.tenant_runs()), (0, 0));
}

#[test]
fn a_crash_in_any_state_charges_once_and_the_response_is_had_in_the_end() {
    for writes in 0..8 {
        let world = World::new();
        let payment = world.sign_upfront(1);
        world.crash_after_writes(writes);
        let broken = world.get(QUOTE, Some(&payment));
        assert!(matches!(broken.status, 200 | 503) && broken.offer().is_none(), "after {writes}: {}", broken.status);
        world.restart();
        world.pass_seconds(61);
        world.ring();
        let answer = world.get(QUOTE, Some(&payment));
        let had = broken.status == 200;
        assert!(answer.status == 200 || had && answer.status == 409, "after {writes}: {}", answer.code());
        assert_eq!(world.moved(), 1, "after {writes} writes");
    }
}

#[test]
fn who_is_in_quarantine_takes_no_money_upfront_and_gives_what_is_owed() {
    let world = World::new();
    world.tenant(Tenant::Throws("Worker exceeded CPU time limit."));
    let owed = world.sign_upfront(1);
    for nonce in 1..=5 {
        let (address, wallet) = (format!("192.0.2.{nonce}"), World::wallet(nonce));
        let payment = if nonce == 1 { world.sign_upfront(1) } else { world.sign_upfront_by(&wallet, nonce) };
        let headers = [("cf-connecting-ip", address.as_str()), ("payment-signature", &payment.header)];
        let answer = world.send_headers("GET", QUOTE, &headers);
        assert_eq!((answer.status, answer.code()), (503, "tenant_cpu_limit_exceeded"));
        world.pass_seconds(1);
    }
    world.tenant(Tenant::Answers(200));
    for payment in [None, Some(&world.sign_upfront(6))] {
        let answer = world.get(QUOTE, payment);
        assert_eq!((answer.status, answer.code()), (503, "not_selling"));
        assert!(answer.header("retry-after").is_some() && answer.offer().is_none());
    }
    assert_eq!(world.moved(), 5, "the sixth was not taken");
    let at_its_own = [("cf-connecting-ip", "192.0.2.1"), ("payment-signature", owed.header.as_str())];
    assert_eq!(world.send_headers("GET", QUOTE, &at_its_own).status, 200);
    world.pass_seconds(600);
    assert_eq!(world.get(QUOTE, Some(&world.sign_upfront(7))).status, 402, "its window is over by now");
}
