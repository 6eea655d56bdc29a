//! The dispatcher on simulated ports: what each situation answers, what it costs, and whether anybody paid.

mod chain;
mod credentials;
mod field;
mod former;
mod health;
mod limits;
mod mounted;
mod moved;
mod pages;
mod upfront;
mod version_1;
mod world;

use dispatcher_core::paywall::telemetry::Call;
use world::{Facilitator, Tenant, World};

#[test]
fn an_unpaid_request_gets_the_offer_and_costs_nobody_anything() {
    let world = World::new();
    let answer = world.get("/t/acme/quote", None);
    assert_eq!((answer.status, answer.code()), (402, "payment_required"));
    assert_eq!(answer.offer().unwrap().pay_to, world.offer().pay_to);
    assert_eq!((world.facilitator_calls(), world.tenant_runs()), (0, 0));
}

#[test]
fn a_bill_fits_into_a_header_whatever_the_url() {
    let world = World::new();
    for target in [format!("/t/acme/quote?{}", "a".repeat(10_000)), format!("/t/acme/{}", "a".repeat(10_000))] {
        let answer = world.get(&target, None);
        assert_eq!(answer.status, 402);
        assert!(answer.header("payment-required").unwrap().len() < 8 * 1024);
    }
}

#[test]
fn a_paid_request_is_settled_once_and_then_handed_over() {
    let world = World::new();
    let payment = world.sign(1);
    let answer = world.get("/t/acme/quote?a=1", Some(&payment));
    assert_eq!((answer.status, answer.text()), (200, "content of /quote?a=1"));
    let told = answer.payment_response().unwrap();
    assert!(told.success && told.transaction == world.transaction(&payment));
    assert_eq!(answer.header("cache-control"), Some("private"));
    assert_eq!(world.settled(), [("primary", 1)]);

    // Handed over is not delivered: its caller may have it again, and nobody else.
    let again = world.get("/t/acme/quote?a=1", Some(&payment));
    assert_eq!((again.status, again.text()), (200, "content of /quote?a=1"));
    let stranger = world.get_as_a_stranger("/t/acme/quote?a=1", &payment);
    assert_eq!((stranger.status, stranger.code()), (409, "payment_already_used"));
    assert!(stranger.text().contains(&world.transaction(&payment)) && !stranger.text().contains("content"));
    world.pass_seconds(601);
    assert_eq!(world.get("/t/acme/quote?a=1", Some(&payment)).code(), "payment_already_used");
    assert_eq!((world.settled(), world.tenant_runs()), (vec![("primary", 1)], 1));
}

#[test]
fn whoever_reads_the_chain_takes_nothing_from_a_payer_that_waits() {
    for (slug, sign) in [("acme", World::sign as fn(&World, u8) -> world::Payment), ("upfront", World::sign_upfront)] {
        let world = World::new();
        let (target, payment) = (format!("/t/{slug}/quote"), sign(&world, 1));
        world.primary(Facilitator::SettlesSilently);
        assert_eq!(world.get(&target, Some(&payment)).code(), "settlement_pending");
        world.primary(Facilitator::Honest);
        world.pass_seconds(3);
        let runs = world.tenant_runs();
        let stranger = world.get_as_a_stranger(&target, &payment);
        assert_eq!((stranger.status, stranger.code(), world.tenant_runs()), (409, "payment_already_used", runs));
        let payer = world.get(&target, Some(&payment));
        assert_eq!((payer.status, payer.text(), world.moved()), (200, "content of /quote", 1), "{slug}");
    }
}

#[test]
fn an_answer_made_for_some_credentials_goes_to_no_others() {
    let world = World::new();
    let payment = world.sign(1);
    let send = |more: &[(&'static str, &str)]| {
        let mut headers = vec![("payment-signature", payment.header.as_str())];
        headers.extend(more);
        world.send_headers("GET", "/t/acme/quote", &headers)
    };
    assert_eq!(send(&[("authorization", "Bearer alice")]).status, 200);
    for other in [&[][..], &[("authorization", "Bearer bob")], &[("authorization", "Bearer alice"), ("cookie", "a=1")]]
    {
        assert_eq!(send(other).code(), "payment_already_used", "{other:?}");
    }
    assert_eq!(send(&[("authorization", "Bearer alice")]).status, 200);
}

/// Each was seen after the money had moved.
#[test]
fn a_no_after_the_money_moved_is_pending_and_the_chain_has_the_last_word() {
    const REASONS: [&str; 8] = [
        "settle_exact_evm_transaction_confirmation_timed_out",
        "settle_exact_node_failure",
        "insufficient_funds",
        "invalid_exact_evm_payload_signature",
        "invalid_exact_evm_transaction_failed",
        "unexpected_settle_error",
        "Gave up waiting for a receipt, sorry",
        "",
    ];
    for reason in REASONS {
        let world = World::new();
        let payment = world.sign(1);
        world.primary(Facilitator::MovesAndSays(reason));
        let pending = world.get("/t/acme/quote", Some(&payment));
        assert_eq!((pending.status, pending.code()), (503, "settlement_pending"), "{reason}");
        assert!(pending.offer().is_none() && world.calls_to("standby").is_empty(), "{reason}");

        let world = World::with_chain();
        let payment = world.sign(1);
        world.primary(Facilitator::MovesAndSays(reason));
        let told = world.get("/t/acme/quote", Some(&payment));
        assert_eq!((told.status, told.text()), (200, "content of /quote"), "{reason}");
    }
}

#[test]
fn a_lack_of_funds_is_final_once_the_chain_shows_it() {
    let world = World::new();
    world.primary(Facilitator::KeepsAndSays("insufficient_funds"));
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(1))).status, 503);
    let world = World::with_chain();
    world.primary(Facilitator::KeepsAndSays("insufficient_funds"));
    let refused = world.get("/t/acme/quote", Some(&world.sign(1)));
    assert_eq!((refused.status, refused.code()), (402, "insufficient_funds"));
}

#[test]
fn a_payment_that_was_spent_elsewhere_buys_nothing_here() {
    let world = World::with_chain();
    let payment = world.sign(1);
    world.spend_elsewhere(&payment);
    let told = world.get("/t/acme/quote", Some(&payment));
    assert_eq!((told.status, told.code()), (409, "payment_already_used"));
    assert!(told.text().contains(&world.transaction(&payment)) && told.offer().is_none());
    assert_eq!(world.get("/t/acme/quote", Some(&payment)).code(), "payment_already_used");
}

#[test]
fn one_transaction_pays_for_one_purchase_of_a_payer() {
    let world = World::new();
    world.primary(Facilitator::ShowsOneTransaction);
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(1))).status, 200);
    let second = world.get("/t/acme/quote", Some(&world.sign(2)));
    assert_eq!((second.status, second.code()), (503, "settlement_pending"));
    assert!(!second.text().contains("content"));
    let troubles = world.troubles();
    assert!(troubles.len() == 1 && troubles[0].contains("was shown for"), "{troubles:?}");
}

#[test]
fn refused_credentials_leave_a_payment_unmoved_and_the_next_one_is_asked() {
    let world = World::new();
    world.primary(Facilitator::WantsAKeyToSettle);
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(1))).status, 200);
    assert_eq!(world.settled(), [("standby", 1)]);
    world.standby(Facilitator::WantsAKeyToSettle);
    let payment = world.sign(2);
    let nobody = world.get("/t/acme/quote", Some(&payment));
    assert_eq!((nobody.status, nobody.code()), (503, "facilitators_unavailable"));
    world.primary(Facilitator::Honest);
    assert_eq!(world.get("/t/acme/quote", Some(&payment)).status, 200, "it was not used");
}

#[test]
fn a_lost_settle_answer_is_pending_and_the_same_payment_collects_without_a_second_run() {
    let world = World::new();
    let payment = world.sign(1);
    world.primary(Facilitator::SettlesSilently);
    let pending = world.get("/t/acme/quote", Some(&payment));
    assert_eq!((pending.status, pending.code()), (503, "settlement_pending"));
    assert!(pending.offer().is_none() && pending.header("retry-after").is_some());
    assert_eq!(pending.payment_response().unwrap().error_reason.as_deref(), Some("settlement_pending"));
    assert_eq!(world.last_line().payment.as_deref(), Some(payment.key()), "on call, one looks for the payment");

    world.primary(Facilitator::Honest);
    world.pass_seconds(2);
    let collected = world.get("/t/acme/quote", Some(&payment));
    assert_eq!((collected.status, collected.text()), (200, "content of /quote"));
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
    assert!(world.calls_to("standby").is_empty(), "unknown stays with the same facilitator");
}

#[test]
fn a_facilitator_that_says_pending_is_asked_once_more_while_the_caller_waits() {
    let world = World::new();
    world.primary(Facilitator::SaysPendingThen(None));
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(1))).status, 200);
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
}

#[test]
fn a_price_that_changes_while_a_settlement_is_unknown_bills_nobody_twice() {
    let mut world = World::new();
    let payment = world.sign(1);
    world.primary(Facilitator::SettlesSilently);
    assert_eq!(world.get("/t/acme/quote", Some(&payment)).code(), "settlement_pending");
    world.reprice("20000");
    world.primary(Facilitator::Honest);
    world.pass_seconds(2);
    assert_eq!(world.get("/t/acme/quote", Some(&payment)).status, 200);

    let cheap = world.get("/t/acme/quote", Some(&world.sign(2)));
    assert_eq!((cheap.status, cheap.code()), (402, "invalid_payment_requirements"));
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
}

#[test]
fn what_is_said_after_pending_is_no_refusal() {
    let world = World::new();
    world.primary(Facilitator::SaysPendingThen(Some("insufficient_funds")));
    let answer = world.get("/t/acme/quote", Some(&world.sign(1)));
    assert_eq!((answer.status, answer.code()), (503, "settlement_pending"));
    assert!(world.calls_to("standby").is_empty(), "the money may have moved at the primary");
}

#[test]
fn a_facilitator_slower_than_its_time_out_is_waited_for_longer_each_time() {
    let world = World::new();
    let payment = world.sign(1);
    // The default time-out is 20 s.
    world.primary(Facilitator::Slow(25_000));
    assert_eq!(world.get("/t/acme/quote", Some(&payment)).code(), "settlement_pending");
    world.pass_seconds(2);
    assert_eq!(world.get("/t/acme/quote", Some(&payment)).status, 200);
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
}

#[test]
fn no_lie_about_a_settlement_is_served() {
    for lie in [Facilitator::ClaimsAnotherPayer, Facilitator::ClaimsNoTransaction] {
        let world = World::new();
        world.primary(lie);
        let answer = world.get("/t/acme/quote", Some(&world.sign(1)));
        assert_eq!((answer.status, answer.code()), (503, "settlement_pending"), "{lie:?}");
        assert!(!answer.text().contains("content"));
    }
}

#[test]
fn verify_fails_over_and_settle_follows_who_verified() {
    let world = World::new();
    world.primary(Facilitator::Dead);
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(1))).status, 200);
    assert_eq!(world.calls_to("primary"), [Call::Verify]);
    assert_eq!(world.calls_to("standby"), [Call::Verify, Call::Settle]);
    assert_eq!(world.last_line().attempts[0].result, "unreachable");
}

#[test]
fn a_known_refusal_to_settle_moves_on_and_the_last_one_is_a_402_without_a_charge() {
    let world = World::new();
    world.primary(Facilitator::RefusesToSettle);
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(1))).status, 200);
    assert_eq!(world.settled(), [("standby", 1)]);

    world.standby(Facilitator::RefusesToSettle);
    let refused = world.get("/t/acme/quote", Some(&world.sign(2)));
    assert_eq!((refused.status, refused.code()), (402, "unsupported_scheme"));
    assert!(!refused.payment_response().unwrap().success);
    assert_eq!(world.moved(), 1);
}

#[test]
fn nobody_pays_for_a_tenant_that_fails_and_the_payment_can_be_used_again() {
    for (tenant, status, code) in [
        (Tenant::Throws("boom"), 502, "tenant_worker_failure"),
        (Tenant::Throws("Worker not found."), 502, "tenant_worker_failure"),
        (Tenant::Throws("Worker exceeded CPU time limit."), 503, "tenant_cpu_limit_exceeded"),
        (Tenant::Answers(404), 404, ""),
        (Tenant::Answers(301), 301, ""),
        (Tenant::Answers(500), 500, ""),
        (Tenant::Endless, 502, "tenant_response_too_large"),
        (Tenant::Hangs, 504, "tenant_time_limit_exceeded"),
        (Tenant::Trickles, 504, "tenant_time_limit_exceeded"),
    ] {
        let world = World::new();
        let payment = world.sign(1);
        world.tenant(tenant);
        let answer = world.get("/t/acme/quote", Some(&payment));
        assert_eq!((answer.status, answer.code()), (status, code), "{tenant:?}");
        assert_eq!(world.moved(), 0, "{tenant:?}");

        world.tenant(Tenant::Answers(200));
        assert_eq!(world.get("/t/acme/quote", Some(&payment)).status, 200, "{tenant:?}");
    }
}

#[test]
fn one_payment_buys_one_request() {
    for other in ["/t/acme/dearer", "/t/acme/quote?all=1", "/t/globex/quote"] {
        let world = World::new();
        let payment = world.sign(1);
        assert_eq!(world.get("/t/acme/quote", Some(&payment)).status, 200);
        let answer = world.get(other, Some(&payment));
        assert_eq!((answer.status, answer.code()), (409, "payment_already_used"), "{other}");
        assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
    }
}

#[test]
fn a_crash_in_any_state_loses_nothing_and_charges_once() {
    for writes in 0..7 {
        let world = World::new();
        let payment = world.sign(1);
        world.crash_after_writes(writes);
        let broken = world.get("/t/acme/quote", Some(&payment));
        assert!(broken.status == 503 || broken.status == 200, "after {writes} writes: {}", broken.status);
        assert!(broken.offer().is_none());
        world.restart();
        world.pass_seconds(61);
        let answer = world.get("/t/acme/quote", Some(&payment));
        assert!(matches!(answer.status, 200 | 409), "after {writes} writes: {} {}", answer.status, answer.code());
        assert_eq!(world.moved(), 1, "after {writes} writes");
    }
}

const IDENTIFIER: &str = "pay_0123456789abcdef";

#[test]
fn an_identifier_takes_one_payment_and_gives_its_response_back_at_any_time() {
    let world = World::new();
    let (first, second) = (world.sign_as(IDENTIFIER, 1), world.sign_as(IDENTIFIER, 2));
    assert_eq!(world.get("/t/acme/quote", Some(&first)).status, 200);

    let conflict = world.get("/t/acme/quote", Some(&second));
    assert_eq!((conflict.status, conflict.code()), (409, "payment_identifier_conflict"));
    assert!(conflict.text().contains(&world.transaction(&first)));
    assert_eq!(conflict.payment_response().unwrap().transaction, world.transaction(&first));
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));

    // It was handed over before.
    let again = world.get("/t/acme/quote", Some(&first));
    assert_eq!((again.status, again.text()), (200, "content of /quote"));
    assert_eq!(again.payment_response().unwrap().transaction, world.transaction(&first));
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));

    // Sellers have their own customers.
    assert_eq!(world.get("/t/globex/quote", Some(&second)).status, 200);
}

#[test]
fn an_identifier_is_free_again_once_its_payment_came_to_nothing() {
    let world = World::new();
    world.tenant(Tenant::Answers(500));
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign_as(IDENTIFIER, 1))).status, 500);
    assert_eq!(world.bound(), Vec::<String>::new());
    world.tenant(Tenant::Answers(200));

    world.primary(Facilitator::RefusesToSettle);
    world.standby(Facilitator::RefusesToSettle);
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign_as(IDENTIFIER, 2))).status, 402);
    assert_eq!(world.bound(), Vec::<String>::new());
    world.primary(Facilitator::Dead);
    world.standby(Facilitator::Dead);
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign_as(IDENTIFIER, 3))).status, 503);
    assert_eq!(world.bound(), Vec::<String>::new());

    world.primary(Facilitator::Honest);
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign_as(IDENTIFIER, 4))).status, 200);
    assert_eq!((world.moved(), world.bound().len()), (1, 1));
}

#[test]
fn an_unknown_settlement_keeps_its_identifier() {
    let world = World::new();
    let (first, second) = (world.sign_as(IDENTIFIER, 1), world.sign_as(IDENTIFIER, 2));
    world.primary(Facilitator::SettlesSilently);
    assert_eq!(world.get("/t/acme/quote", Some(&first)).code(), "settlement_pending");
    assert_eq!(world.get("/t/acme/quote", Some(&second)).code(), "payment_identifier_conflict");
    world.primary(Facilitator::Honest);
    world.pass_seconds(2);
    assert_eq!(world.get("/t/acme/quote", Some(&first)).status, 200);
    assert_eq!(world.moved(), 1);
}

#[test]
fn a_price_may_require_an_identifier_or_look_at_none() {
    let world = World::new();
    for (tenant, payment, status, code) in [
        ("strict", world.sign(1), 400, "payment_identifier_required"),
        ("strict", world.sign_as("too-short", 2).for_a_price_that_requires_one(), 400, "invalid_payment_identifier"),
        ("acme", world.sign_as("not/of/the/grammar", 3), 400, "invalid_payment_identifier"),
        ("strict", world.sign_as(IDENTIFIER, 4).for_a_price_that_requires_one(), 200, ""),
        ("plain", world.sign_as("too-short", 5), 200, ""),
    ] {
        let answer = world.get(&format!("/t/{tenant}/quote"), Some(&payment));
        assert_eq!((answer.status, answer.code()), (status, code), "{tenant}");
    }
    let declared = |tenant| world.get(&format!("/t/{tenant}/quote"), None).required().extensions;
    let required =
        |tenant| declared(tenant).map(|extensions| extensions["payment-identifier"]["info"]["required"].clone());
    assert_eq!(
        [required("strict"), required("acme"), required("plain")],
        [Some(true.into()), Some(false.into()), None]
    );
}

#[test]
fn a_crash_in_any_state_binds_no_identifier_for_ever_and_settles_once_under_it() {
    for writes in 0..16 {
        let world = World::new();
        let payment = world.sign_as(IDENTIFIER, 1);
        world.crash_after_writes(writes);
        let broken = world.get("/t/acme/quote", Some(&payment));
        assert!(matches!(broken.status, 200 | 503), "after {writes} writes: {}", broken.status);
        world.restart();
        // Nobody comes back; the alarms do what is left.
        for _ in 0..3 {
            world.pass_seconds(110);
            world.ring();
        }
        let moved = world.moved();
        assert_eq!(world.bound().len(), moved, "after {writes} writes: bound for ever, or set free too early");

        let fresh = world.get("/t/acme/quote", Some(&world.sign_for_long_as(IDENTIFIER, 2)));
        let wanted = if moved == 1 { (409, "payment_identifier_conflict") } else { (200, "") };
        assert_eq!((fresh.status, fresh.code()), wanted, "after {writes} writes");
        assert_eq!(world.moved(), 1, "after {writes} writes");
    }
}

#[test]
fn a_second_crash_on_the_way_back_binds_no_identifier_for_ever_either() {
    for (first, second) in (0..4).flat_map(|first| (0..8).map(move |second| (first, second))) {
        let world = World::new();
        let payment = world.sign_for_long_as(IDENTIFIER, 1);
        for writes in [first, second] {
            world.crash_after_writes(writes);
            world.get("/t/acme/quote", Some(&payment));
            world.restart();
        }
        for _ in 0..3 {
            world.pass_seconds(110);
            world.ring();
        }
        assert_eq!(world.bound().len(), world.moved(), "after {first}, then {second} writes");
    }
}

#[test]
fn the_alarm_settles_the_books_without_the_caller() {
    let world = World::new();
    let payment = world.sign(1);
    world.primary(Facilitator::SettlesSilently);
    world.get("/t/acme/quote", Some(&payment));
    world.primary(Facilitator::Honest);
    world.pass_seconds(3);
    world.ring();
    let calls = world.facilitator_calls();
    assert_eq!(world.get("/t/acme/quote", Some(&payment)).status, 200);
    assert_eq!(world.facilitator_calls(), calls, "it was settled before the caller came back");
}

#[test]
fn a_payment_that_does_not_hold_costs_no_facilitator_call() {
    let world = World::new();
    let payment = world.sign(1);
    for (header, status, code) in [
        ("!".to_owned(), 400, "invalid_payload"),
        (payment.tampered(r#""x402Version":2"#, r#""x402Version":3"#), 400, "invalid_x402_version"),
        (payment.tampered(r#""amount":"10000""#, r#""amount":"1""#), 402, "invalid_payment_requirements"),
        (payment.tampered(r#""payload":"#, r#""Payload":{},"payload":"#), 400, "invalid_payload"),
        (payment.tampered(r#""signature":"#, r#""permit2Authorization":null,"signature":"#), 400, "invalid_payload"),
        (world.sign_expired(3).header, 402, "invalid_exact_evm_payload_authorization_valid_before"),
    ] {
        let answer = world.get_with("/t/acme/quote", Some(&header));
        assert_eq!((answer.status, answer.code()), (status, code));
        assert_eq!(answer.offer().is_some(), status == 402);
    }
    assert_eq!((world.facilitator_calls(), world.tenant_runs()), (0, 0));
}

/// It may be a smart account's, whose owner signs in 65 bytes as well.
#[test]
fn a_signature_that_recovers_to_another_is_the_facilitators_to_judge() {
    let world = World::new();
    let forged = world.sign(1).with_signature_of(&world.sign(2));
    let answer = world.get_with("/t/acme/quote", Some(&forged));
    assert_eq!((answer.status, answer.code()), (402, "invalid_exact_evm_signature"));
    assert!(answer.offer().is_some());
    assert_eq!((world.facilitator_calls(), world.tenant_runs(), world.moved()), (1, 0, 0));
}

#[test]
fn without_a_facilitator_a_paid_tenant_is_unavailable_and_a_free_one_is_not() {
    let world = World::without_facilitators();
    for payment in [None, Some(&world.sign(1))] {
        let answer = world.get("/t/acme/quote", payment);
        assert_eq!((answer.status, answer.code()), (503, "facilitators_unavailable"));
        assert!(answer.offer().is_none());
    }
    assert_eq!(world.get("/t/free/quote", None).status, 200);
}

#[test]
fn a_head_gets_the_offer_and_never_settles() {
    let world = World::new();
    let answer = world.send("HEAD", "/t/acme/quote", Some(&world.sign(1).header));
    assert_eq!(answer.status, 402);
    assert_eq!(world.facilitator_calls(), 0);
}

#[test]
fn every_dispatch_carries_its_plans_limits_and_no_internal_header_of_the_callers() {
    let world = World::new();
    world.get("/t/acme/quote", Some(&world.sign(1)));
    let run = world.last_run();
    assert_eq!((run.limits.cpu_ms, run.limits.sub_requests), (50, 50));
    let strips = |name| (run.strip)(name, "");
    assert!(strips("payment-signature") && strips("x-tenant-id") && !strips("accept"));
    let line = world.last_line();
    let (trace, ran) = (line.trace.expect("every request is in a trace"), line.run.expect("the tenant ran"));
    assert_eq!(ran.ended, "200");
    assert_eq!(
        run.set,
        [
            ("x-request-id".to_owned(), line.request_id),
            ("traceparent".into(), trace.header(&ran.span)),
            ("x-tenant-id".into(), "acme".into()),
            ("x-forwarded-prefix".into(), "/t/acme".into())
        ]
    );
}

#[test]
fn who_is_nobodys_tenant_is_told_so() {
    let world = World::new();
    for (path, status, code) in [
        ("/t/initech/", 404, "tenant_not_found"),
        ("/", 404, "tenant_not_found"),
        ("/t/%2e%2e/", 400, "invalid_dispatch_key"),
    ] {
        let answer = world.get(path, None);
        assert_eq!((answer.status, answer.code()), (status, code));
        assert!(answer.header("x-request-id").is_some());
    }
}

#[test]
fn a_hung_facilitator_costs_three_callers_their_time_and_then_nobody() {
    let world = World::new();
    world.primary(Facilitator::Hangs);
    for nonce in 1..=3 {
        assert_eq!(world.get("/t/acme/quote", Some(&world.sign(nonce))).status, 200);
        assert_eq!(world.last_line().ms, 5_000);
    }
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(4))).status, 200);
    let line = world.last_line();
    assert_eq!((line.ms, line.attempts[0].result.as_str()), (0, "quarantined"));
    assert_eq!(world.changes(), ["primary Verify quarantined"]);

    world.primary(Facilitator::Honest);
    world.pass_seconds(5);
    world.exchange();
    world.pass_seconds(1);
    world.exchange();
    assert_eq!(world.changes(), ["primary Verify quarantined", "primary Verify healthy"]);
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(5))).status, 200);
    assert_eq!(world.last_line().attempts[0].facilitator, "primary");
}

#[test]
fn where_settle_hangs_and_verify_does_not_payments_go_elsewhere_and_lost_ones_are_the_probes() {
    let world = World::new();
    world.primary(Facilitator::HangsAtSettle);
    let lost: Vec<_> = (1..=3).map(|nonce| world.sign(nonce)).collect();
    for payment in &lost {
        assert_eq!(world.get("/t/acme/quote", Some(payment)).code(), "settlement_pending");
    }
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(4))).status, 200);
    assert_eq!(world.settled(), [("standby", 1)]);
    world.pass_seconds(2);
    let settles = || world.calls_to("primary").iter().filter(|call| **call == Call::Settle).count();
    let before = settles();
    for payment in &lost {
        assert_eq!(world.get("/t/acme/quote", Some(payment)).code(), "settlement_pending");
    }
    assert_eq!(settles(), before + 1, "it hangs, and until the next turn nobody is asked about");

    world.primary(Facilitator::Honest);
    world.pass_seconds(5);
    for payment in &lost {
        assert_eq!(world.get("/t/acme/quote", Some(payment)).status, 200);
    }
    assert_eq!(world.settled(), [("primary", 3), ("standby", 1)]);
}

#[test]
fn a_payment_whose_facilitators_all_fail_while_the_tenant_runs_is_given_back() {
    let world = World::with(r#"[{"id":"primary","url":"https://primary"}]"#);
    world.primary(Facilitator::HangsAtSettle);
    for nonce in 1..=3 {
        world.get("/t/acme/quote", Some(&world.sign(nonce)));
    }
    let refused = world.get("/t/acme/quote", Some(&world.sign(4)));
    assert_eq!((refused.status, refused.code()), (503, "facilitators_unavailable"));
    world.primary(Facilitator::Honest);
    world.pass_seconds(10);
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(4))).status, 200, "the first settle that finds it healed");
}

#[test]
fn a_facilitator_gets_its_key_and_no_line_tells_it() {
    let list = r#"[{"id":"primary","url":"https://primary","headers":[{"name":"x-api-key","secret":"KEY"}]}]"#;
    let world = World::with(list);
    world.primary(Facilitator::WantsAKey);
    let answer = world.get("/t/acme/quote", Some(&world.sign(1)));
    assert_eq!(answer.status, 200);
    assert!(!format!("{:?} {}", world.last_line(), answer.text()).contains(world::SECRET));

    let without = World::with(r#"[{"id":"primary","url":"https://primary"}]"#);
    without.primary(Facilitator::WantsAKey);
    assert_eq!(without.get("/t/acme/quote", Some(&without.sign(1))).status, 503);
    assert_eq!(without.last_line().attempts[0].result, "http_401");
}

#[test]
fn who_does_not_list_the_offer_is_not_asked() {
    let world = World::new();
    world.primary(Facilitator::ServesAnotherNetwork);
    world.get("/t/acme/quote", Some(&world.sign(1)));
    world.pass_seconds(11);
    world.get("/t/acme/quote", Some(&world.sign(2)));
    let asked = world.calls_to("primary").len();
    assert_eq!(world.get("/t/acme/quote", Some(&world.sign(3))).status, 200);
    assert_eq!(
        (world.calls_to("primary").len(), world.last_line().attempts[0].result.as_str()),
        (asked, "cannot_serve")
    );
}
