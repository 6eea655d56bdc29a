//! Payments that were begun where nothing is sold any more: whoever may have been charged collects, or learns what became of
//! the money; and nothing is begun.

use crate::world::{Facilitator, Payment, Tenant, World};
use serde_json::{Value, json};

const QUOTE: &str = "/t/acme/quote";
const UPFRONT: &str = "/t/upfront/quote";

/// A payment whose settlement moved the money and was not answered.
fn unknown(world: &World) -> Payment {
    let payment = world.sign(1);
    world.primary(Facilitator::SettlesSilently);
    assert_eq!(world.get(QUOTE, Some(&payment)).code(), "settlement_pending");
    payment
}

/// Later, with a facilitator that answers again.
fn recover(world: &World) {
    world.primary(Facilitator::Honest);
    world.pass_seconds(2);
}

#[test]
fn a_payment_whose_tenant_left_is_pending_while_it_is_unknown_and_then_collected() {
    let mut world = World::new();
    let payment = unknown(&world);
    world.only("globex");
    world.pass_seconds(2);
    let pending = world.get(QUOTE, Some(&payment));
    assert_eq!((pending.status, pending.code()), (503, "settlement_pending"));
    assert!(pending.offer().is_none() && pending.header("retry-after").is_some());
    recover(&world);
    let collected = world.get(QUOTE, Some(&payment));
    assert_eq!((collected.status, collected.text()), (200, "content of /quote"));
    assert_eq!(collected.payment_response().unwrap().transaction, world.transaction(&payment));
    assert_eq!(collected.header("cache-control"), Some("private"));
    assert_eq!(collected.header("access-control-allow-origin"), Some("*"));
    assert_eq!(collected.header("x-tenant-id"), None);
    assert_eq!(world.last_line().transaction, Some(world.transaction(&payment)));
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200, "its caller may have it again");
    let stranger = world.get_as_a_stranger(QUOTE, &payment);
    assert_eq!((stranger.status, stranger.code()), (409, "payment_already_used"));
    assert!(stranger.text().contains(&world.transaction(&payment)));
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
}

#[test]
fn nothing_is_begun_where_no_tenant_is_and_what_bought_nothing_is_not_found() {
    let mut world = World::new();
    world.primary(Facilitator::Dead);
    world.standby(Facilitator::Dead);
    let refused = world.sign(2);
    assert_eq!(world.get(QUOTE, Some(&refused)).code(), "facilitators_unavailable");
    world.only("globex");
    let (fresh, calls) = (world.sign(3), world.facilitator_calls());
    for payment in [Some(&fresh), Some(&refused), None] {
        let lost = world.get(QUOTE, payment);
        assert_eq!((lost.status, lost.code()), (404, "tenant_not_found"));
        assert!(lost.offer().is_none() && lost.payment_response().is_none());
    }
    let v1 = fresh.in_version_1();
    assert_eq!(world.send_headers("GET", QUOTE, &[("x-payment", &v1)]).code(), "tenant_not_found");
    assert_eq!((world.facilitator_calls(), world.tenant_runs()), (calls, 0));
}

#[test]
fn what_was_bought_of_a_tenant_that_left_is_given_to_nobody_else() {
    let mut world = World::new();
    let payment = unknown(&world);
    world.only("globex");
    recover(&world);
    for elsewhere in ["/t/acme/other", "/t/acme/quote?a=1", "/t/strict/quote", "/quote", "/t/globex/quote"] {
        let other = world.get(elsewhere, Some(&payment));
        assert_eq!((other.status, other.code()), (409, "payment_already_used"), "{elsewhere}");
    }
    assert_eq!(world.send("POST", QUOTE, Some(&payment.header)).status, 409);
    // Neither does the key alone do, which anyone can read off the chain, nor another's signature.
    let (forged, elsewhere) =
        (payment.with_signature_of(&world.sign(2)), payment.tampered("eip155:84532", "eip155:8453"));
    assert_eq!(world.get_with(QUOTE, Some(&forged)).code(), "payment_already_used");
    assert_eq!(world.get_with(QUOTE, Some(&elsewhere)).code(), "tenant_not_found");
    assert_eq!(world.send("HEAD", QUOTE, Some(&payment.header)).status, 404);
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200);
}

#[test]
fn who_paid_upfront_and_got_nothing_hears_of_it_and_is_owed_it_should_the_tenant_come_back() {
    let mut world = World::new();
    let payment = world.sign_upfront(1);
    world.tenant(Tenant::Throws("boom"));
    assert_eq!(world.get(UPFRONT, Some(&payment)).status, 502);
    world.only("globex");
    for _ in 0..2 {
        let owed = world.get(UPFRONT, Some(&payment));
        assert_eq!(
            (owed.status, owed.code(), owed.header("cache-control")),
            (404, "tenant_not_found", Some("private"))
        );
        assert!(owed.text().contains("charged") && owed.offer().is_none());
        let receipt = owed.payment_response().expect("who was charged gets a receipt");
        assert!(receipt.success && receipt.transaction == world.transaction(&payment));
    }
    world.tenant(Tenant::Answers(200));
    world.reprice("20000");
    assert_eq!(world.get(UPFRONT, Some(&payment)).status, 200);
    assert_eq!(world.moved(), 1);
}

#[test]
fn a_page_may_ask_for_what_it_paid_for() {
    let world = World::new();
    let preflight = |headers| {
        let headers = [("access-control-request-method", "GET"), ("access-control-request-headers", headers)];
        world.send_headers("OPTIONS", "/t/nobody/quote", &headers)
    };
    let answer = preflight("content-type, payment-signature");
    assert_eq!(answer.status, 204);
    assert!(answer.header("access-control-allow-headers").unwrap().contains("PAYMENT-SIGNATURE"));
    assert_eq!(preflight("content-type").status, 404);
    let free = [("access-control-request-method", "GET"), ("access-control-request-headers", "payment-signature")];
    let answer = world.send_headers("OPTIONS", "/t/free/quote", &free);
    assert!(answer.header("access-control-allow-headers").unwrap().contains("PAYMENT-SIGNATURE"));
}

#[test]
fn of_payments_to_whoever_gives_few_of_an_address_are_looked_up_and_all_are_served() {
    let world = World::new();
    for (first, caller) in [(0, &[("cf-connecting-ip", "192.0.2.1")][..]), (100, &[])] {
        let looked_up = (first..first + 60).filter(|nonce| {
            let payment = world.sign(*nonce);
            let headers = [caller, &[("payment-signature", payment.header.as_str())]].concat();
            assert_eq!(world.send_headers("GET", "/t/free/quote", &headers).status, 200);
            world.last_line().payment.is_some()
        });
        assert_eq!(looked_up.count(), 20, "{caller:?}");
    }
}

#[test]
fn payments_in_vain_where_nobody_is_are_cut_off_by_address() {
    let world = World::new();
    let send = |address: &str, payment: &str| {
        world
            .send_headers("GET", "/t/nobody/x", &[("cf-connecting-ip", address), ("payment-signature", payment)])
            .status
    };
    for (address, payment) in [("192.0.2.1", "junk".to_owned()), ("192.0.2.2", world.sign(1).header)] {
        let statuses: Vec<_> = (0..200).map(|_| send(address, &payment)).collect();
        assert_eq!((statuses[0], statuses[199]), (404, 429), "{address}");
    }
    assert_eq!(send("192.0.2.3", &world.sign(2).header), 404);
}

#[test]
fn what_was_paid_to_a_tenant_that_now_gives_is_collected_and_nothing_else_is_asked_of_payments() {
    let mut world = World::new();
    let payment = unknown(&world);
    let gives = |tenant: &mut Value| drop(tenant.as_object_mut().unwrap().remove("price"));
    world.publish(gives);
    world.pass_seconds(2);
    assert_eq!(world.get(QUOTE, Some(&payment)).code(), "settlement_pending");
    recover(&world);
    let collected = world.get(QUOTE, Some(&payment));
    assert_eq!(collected.payment_response().unwrap().transaction, world.transaction(&payment));
    assert_eq!(world.tenant_runs(), 1);
    world.pass_seconds(601);
    for given in [payment.header.clone(), world.sign(2).header, "junk".to_owned()] {
        let free = world.get_with(QUOTE, Some(&given));
        assert_eq!((free.status, free.payment_response().is_none()), (200, true));
    }
    assert_eq!((world.moved(), world.tenant_runs()), (1, 4));
}

/// Whatever else of its price changes, too.
#[test]
fn no_change_of_a_price_bills_anew_whose_settlement_is_unknown() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 6] = [
        ("required", |price| price["paymentIdentifier"] = json!("required")),
        ("off", |price| price["paymentIdentifier"] = json!("off")),
        ("upfront", |price| price["paymentFlow"] = json!("upfront")),
        ("permit2", |price| price["assetTransferMethod"] = json!("permit2")),
        ("payTo", |price| price["payTo"] = json!("0x857b06519E91e3A54538791bDbb0E22373e36b66")),
        ("maxTimeoutSeconds", |price| price["maxTimeoutSeconds"] = json!(60)),
    ];
    for (what, change) in changes {
        for version_1 in [false, true] {
            let mut world = World::new();
            let payment = world.sign(1);
            let v1 = payment.in_version_1();
            let (name, header) = if version_1 { ("x-payment", &v1) } else { ("payment-signature", &payment.header) };
            world.primary(Facilitator::SettlesSilently);
            assert_eq!(world.send_headers("GET", QUOTE, &[(name, header)]).code(), "settlement_pending");
            world.publish(|tenant| tenant.get_mut("price").map_or((), change));
            recover(&world);
            let collected = world.send_headers("GET", QUOTE, &[(name, header)]);
            assert_eq!((collected.status, world.moved(), world.tenant_runs()), (200, 1, 1), "{what} {version_1}");
        }
    }
}

#[test]
fn an_identifier_that_a_price_takes_no_more_keeps_nobody_from_collecting() {
    let mut world = World::new();
    let payment = world.sign_as("pay_0123456789abcdef", 1);
    world.primary(Facilitator::SettlesSilently);
    assert_eq!(world.get(QUOTE, Some(&payment)).code(), "settlement_pending");
    world.publish(|tenant| tenant.get_mut("price").map_or((), |price| price["paymentIdentifier"] = json!("off")));
    recover(&world);
    // Known from the chain, and not with its identifier.
    let copied = world.get_with(QUOTE, Some(&world.sign(1).header));
    assert_eq!((copied.status, copied.code()), (409, "payment_already_used"));
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200);
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
}

#[test]
fn where_no_facilitator_is_configured_any_more_nobody_is_billed_and_what_was_bought_is_collected() {
    let mut world = World::new();
    let payment = unknown(&world);
    world.drop_facilitators();
    recover(&world);
    let dearer = world.sign(2).tampered("\"amount\":\"10000\"", "\"amount\":\"20000\"");
    for payment in [world.sign(3).header, dearer] {
        let refused = world.get_with(QUOTE, Some(&payment));
        assert_eq!((refused.status, refused.code()), (503, "facilitators_unavailable"));
        assert!(refused.offer().is_none());
    }
    let forged = world.get_with(QUOTE, Some(&payment.with_signature_of(&world.sign(2))));
    assert_eq!((forged.status, forged.code()), (409, "payment_already_used"));
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200);
}
