//! Whom payments rely on, while some of those who pay mean harm and some of those who are relied on are ill.

use crate::world::{Facilitator, World};
use dispatcher_core::paywall::telemetry::Call;

const FACILITATOR: &str = r#"[{"id":"primary","url":"https://primary"}]"#;

/// The `n`th address of version 4.
fn address(n: u8) -> String {
    format!("203.0.113.{n}")
}

/// Honest sales by the world's own payer, until one fails.
fn honest_sales(world: &World, nonces: std::ops::Range<u8>) -> usize {
    nonces
        .take_while(|nonce| world.get_from(&address(1), "/t/globex/quote", Some(&world.sign(*nonce))).status == 200)
        .count()
}

#[test]
fn payments_without_money_from_one_address_put_nobody_away() {
    let world = World::new();
    for facilitator in [World::primary, World::standby] {
        facilitator(&world, Facilitator::ChokesOnStrangers);
    }
    for nonce in 100..110 {
        let hostile = world.sign_by(nonce, nonce);
        assert_eq!(world.get_from(&address(9), "/t/acme/quote", Some(&hostile)).status, 503);
    }
    assert_eq!(honest_sales(&world, 1..51), 50);
    assert!(world.changes().iter().all(|change| !change.ends_with("quarantined")), "{:?}", world.changes());
    assert!(world.facilitator_alerts().is_empty());
}

#[test]
fn a_hundred_subscribers_of_one_wide_network_are_one_witness_among_honest_callers() {
    let world = World::with(FACILITATOR);
    world.primary(Facilitator::ChokesOnStrangers);
    for n in 0..100_u8 {
        let hostile = world.sign_by(100 + n, 100 + n);
        world.get_from(&format!("2001:db8:7:{n:x}::1"), "/t/acme/quote", Some(&hostile));
        if n.is_multiple_of(10) {
            let honest = world.get_from(&address(n), "/t/globex/quote", Some(&world.sign(1 + n)));
            assert_eq!(honest.status, 200, "after {n} hostile payments");
        }
        world.exchange();
    }
    assert!(world.changes().iter().all(|change| !change.ends_with("quarantined")), "{:?}", world.changes());
}

/// A purchase to probe with, and then a quiet while.
fn sell_once(world: &World) {
    assert_eq!(world.get_from(&address(250), "/t/acme/quote", Some(&world.sign_by(250, 250))).status, 200);
    world.exchange();
    world.pass_seconds(6);
}

/// Until we have looked ourselves at what strangers say.
fn look(world: &World) {
    for _ in 0..8 {
        world.pass_seconds(1);
        world.exchange();
    }
}

#[test]
fn an_outage_that_three_independent_callers_find_is_looked_into_and_then_it_is_one() {
    let world = World::with(FACILITATOR);
    sell_once(&world);
    world.primary(Facilitator::Dead);
    for n in 1..=3 {
        assert_eq!(world.get_from(&address(n), "/t/acme/quote", Some(&world.sign_by(n, n))).status, 503);
    }
    world.tell();
    assert_eq!(world.changes(), ["primary Verify degraded"]);
    look(&world);
    assert_eq!(world.changes(), ["primary Verify degraded", "primary Verify quarantined"]);
}

#[test]
fn a_lone_caller_is_told_503_and_has_nobody_put_away() {
    let world = World::with(FACILITATOR);
    world.primary(Facilitator::Dead);
    for nonce in 1..=20 {
        assert_eq!(world.get_from(&address(1), "/t/acme/quote", Some(&world.sign(nonce))).status, 503);
    }
    world.tell();
    assert_eq!(world.changes(), ["primary Verify degraded"]);
    world.primary(Facilitator::Honest);
    assert_eq!(honest_sales(&world, 30..33), 3);
    world.tell();
    assert_eq!(world.changes(), ["primary Verify degraded", "primary Verify healthy"]);
}

#[test]
fn once_all_are_healed_the_next_callers_succeed_at_once() {
    let world = World::new();
    sell_once(&world);
    world.primary(Facilitator::Dead);
    world.standby(Facilitator::Dead);
    for n in 1..=3 {
        world.get_from(&address(n), "/t/acme/quote", Some(&world.sign_by(n, n)));
    }
    world.tell();
    assert_eq!(world.changes(), ["primary Verify degraded", "standby Verify degraded"]);
    look(&world);
    assert_eq!(world.changes()[2..], ["primary Verify quarantined", "standby Verify quarantined"]);
    let calls = world.facilitator_calls();
    for n in 10..40 {
        let refused = world.get_from(&address(n), "/t/acme/quote", Some(&world.sign_by(n, n)));
        assert_eq!((refused.status, refused.code()), (503, "facilitators_unavailable"));
        assert!(refused.header("retry-after").is_some());
    }
    assert!(world.facilitator_calls() - calls <= 8, "a few are let through, and not all");

    world.primary(Facilitator::Honest);
    world.pass_seconds(1);
    let sold = (50..60)
        .filter(|n| world.get_from(&address(*n), "/t/acme/quote", Some(&world.sign_by(*n, *n))).status == 200)
        .count();
    assert_eq!(sold, 10);
}

#[test]
fn while_all_are_quarantined_hardly_an_offer_goes_out() {
    let world = World::with(FACILITATOR);
    sell_once(&world);
    world.primary(Facilitator::Dead);
    for n in 1..=3 {
        world.get_from(&address(n), "/t/acme/quote", Some(&world.sign_by(n, n)));
    }
    look(&world);
    let offers = (0..20).filter(|_| world.get("/t/acme/quote", None).status == 402).count();
    assert_eq!(offers, 3);
    let without = world.get("/t/acme/quote", None);
    assert_eq!((without.status, without.code(), without.offer().is_none()), (503, "facilitators_unavailable", true));
    assert!(without.header("retry-after").is_some());
}

#[test]
fn an_offer_that_no_facilitator_lists_is_not_made() {
    let world = World::with(FACILITATOR);
    world.primary(Facilitator::ServesAnotherNetwork);
    assert_eq!(world.get("/t/acme/quote", None).status, 402, "nothing is known yet, and nobody waits");
    for _ in 0..2 {
        world.pass_seconds(2);
        world.exchange();
    }
    for payment in [None, Some(&world.sign(1))] {
        let refused = world.get("/t/acme/quote", payment);
        assert_eq!((refused.status, refused.code()), (503, "facilitators_unavailable"));
        assert!(refused.offer().is_none());
    }
    assert_eq!(world.facilitator_calls(), 0);
}

#[test]
fn a_no_that_is_not_about_the_payment_has_the_next_one_asked() {
    for reason in [
        "unexpected_verify_error",
        "rpc_unavailable",
        "rate_limited",
        "invalid_exact_evm_payload_signature",
        "invalid_exact_evm_payload_authorization_valid_before",
        "Something went wrong",
        "unsupported_scheme",
        "invalid_payload",
    ] {
        let world = World::new();
        world.primary(Facilitator::SaysNo(reason));
        assert_eq!(world.get("/t/acme/quote", Some(&world.sign(1))).status, 200, "{reason}");
        assert_eq!(world.settled(), [("standby", 1)]);
    }
}

#[test]
fn a_no_about_the_payment_ends_the_search_and_is_what_the_caller_hears() {
    let world = World::new();
    world.primary(Facilitator::SaysNo("insufficient_funds"));
    let refused = world.get("/t/acme/quote", Some(&world.sign(1)));
    assert_eq!((refused.status, refused.code()), (402, "insufficient_funds"));
    assert!(world.calls_to("standby").is_empty());
}

#[test]
fn where_nobody_says_yes_the_caller_hears_what_was_said_of_the_payment_or_503() {
    for (primary, standby, status, code) in [
        (Facilitator::SaysNo("invalid_payload"), Facilitator::SaysNo("unsupported_scheme"), 402, "invalid_payload"),
        (Facilitator::Dead, Facilitator::SaysNo("invalid_payload"), 402, "invalid_payload"),
        (Facilitator::SaysNo("rpc_error"), Facilitator::SaysNo("What?"), 503, "facilitators_unavailable"),
        (Facilitator::SaysNo("invalid_signature"), Facilitator::Dead, 503, "facilitators_unavailable"),
        // The payer's account may have code that refuses what its key has signed.
        (Facilitator::SaysNo("invalid_signature"), Facilitator::SaysNo("invalid_signature"), 402, "invalid_signature"),
    ] {
        let world = World::new();
        world.primary(primary);
        world.standby(standby);
        let answer = world.get("/t/acme/quote", Some(&world.sign(1)));
        assert_eq!((answer.status, answer.code()), (status, code), "{primary:?} {standby:?}");
        assert_eq!(world.moved(), 0);
    }
}

#[test]
fn a_facilitator_whose_node_is_down_is_put_away_while_a_sound_one_serves() {
    let world = World::new();
    world.primary(Facilitator::SaysNo("unexpected_verify_error"));
    assert_eq!(honest_sales(&world, 1..10), 9);
    world.tell();
    assert_eq!(world.changes(), ["primary Verify quarantined"]);
    assert_eq!(world.calls_to("primary").len(), 3);
}

#[test]
fn a_facilitator_that_refuses_everything_is_asked_last_with_an_alert_and_its_own_words() {
    let body = r#"{"errorType":"invalid_request","errorMessage":"property extensions is not allowed"}"#;
    let world = World::with(FACILITATOR);
    world.primary(Facilitator::Says(400, body));
    for n in 1..=3 {
        let answer = world.get_from(&address(n), "/t/acme/quote", Some(&world.sign_by(n, n)));
        assert!(answer.status == 503 && !answer.text().contains("property"));
    }
    world.tell();
    assert_eq!(world.changes(), ["primary Verify degraded"]);
    let said = Some("property extensions is not allowed");
    assert_eq!(world.last_line().attempts[0].said.as_deref(), said);
    let [alert] = &world.facilitator_alerts()[..] else { panic!("one alert") };
    assert_eq!(
        (&*alert.alert, alert.reason.as_str(), alert.said.as_deref()),
        ("facilitator_refuses_all", "http_400", said)
    );
}

#[test]
fn refused_credentials_raise_an_alert_that_says_so() {
    let world = World::with(FACILITATOR);
    world.primary(Facilitator::Says(401, r#"{"errorMessage":"jwt expired"}"#));
    for n in 1..=3 {
        world.get_from(&address(n), "/t/acme/quote", Some(&world.sign_by(n, n)));
    }
    world.tell();
    let [alert] = &world.facilitator_alerts()[..] else { panic!("one alert") };
    assert_eq!(
        (&*alert.alert, alert.call, alert.said.as_deref()),
        ("credentials_refused", Call::Verify, Some("jwt expired"))
    );
}

#[test]
fn a_redirect_is_told_by_where_it_leads() {
    let world = World::new();
    world.primary(Facilitator::Says(308, "https://www.elsewhere.example/verify?key=hunter2"));
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(1))).status, 200);
    let attempt = world.last_line().attempts[0].clone();
    assert_eq!((attempt.result.as_str(), attempt.said.as_deref()), ("redirect", Some("to www.elsewhere.example")));
}
