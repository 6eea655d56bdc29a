//! What a tenant's runs may use, as plan, override and quarantine say, and what a Worker that burns comes to.

use super::world::{Tenant, World};
use dispatcher_core::plan::{Limits, Plan};

#[test]
fn a_worker_that_burns_for_five_callers_is_told_of_and_put_away() {
    let world = World::new();
    world.tenant(Tenant::Throws("Worker exceeded CPU time limit."));
    let burns = |address: &str| {
        let burnt = world.send_headers("GET", "/t/free/x", &[("cf-connecting-ip", address)]);
        assert_eq!(burnt.code(), "tenant_cpu_limit_exceeded");
    };
    for n in 0..10 {
        // One caller has as many sources as it likes in its own network.
        burns(&format!("2001:db8:1:{n}::1"));
    }
    assert_eq!(world.alerts(), []);
    for n in 1..5 {
        world.pass_seconds(1);
        burns(&format!("192.0.2.{n}"));
        assert_eq!((world.last_run().limits, world.last_line().limits), (Plan::Free.limits(), None));
    }
    let [alert] = &world.alerts()[..] else { panic!("{:?}", world.alerts()) };
    assert_eq!((alert.tenant_id.as_deref(), alert.in_a_row), (Some("free"), Some(5)));
    world.get("/t/free/x", None);
    let quarantine = Limits { cpu_ms: 5, sub_requests: 1 };
    assert_eq!((world.last_run().limits, world.last_line().limits.as_deref()), (quarantine, Some("quarantine")));
    world.tenant(Tenant::Answers(200));
    assert_eq!(world.get("/t/acme/x", Some(&world.sign(1))).status, 200);
    assert_eq!(world.last_run().limits, Plan::Pro.limits(), "nobody else's");
    world.pass_seconds(600);
    world.get("/t/free/x", None);
    assert_eq!((world.last_run().limits, world.last_line().limits), (Plan::Free.limits(), None));
}

#[test]
fn an_address_that_only_asks_for_offers_may_still_pay() {
    let world = World::new();
    let from = ("cf-connecting-ip", "192.0.2.1");
    let offers = (0..400).filter(|_| world.send_headers("GET", "/t/acme/quote", &[from]).status == 402);
    assert_eq!(offers.count(), 300);
    let payment = world.sign(1);
    let paid = world.send_headers("GET", "/t/acme/quote", &[from, ("payment-signature", &payment.header)]);
    assert_eq!(paid.status, 200);
}

#[test]
fn a_payment_for_what_fails_is_verified_three_times_and_then_waits_while_others_buy() {
    let world = World::new();
    world.tenant(Tenant::Answers(500));
    let ask = |address: &str, payment: &str| {
        world.send_headers("GET", "/t/acme/quote", &[("cf-connecting-ip", address), ("payment-signature", payment)])
    };
    let failing = world.sign(1).header;
    let answers: Vec<_> = (0..20).map(|_| ask("192.0.2.1", &failing)).collect();
    assert_eq!(answers.iter().filter(|answer| answer.status == 500).count(), 3);
    assert_eq!((answers[19].code(), answers[19].header("retry-after")), ("rate_limited", Some("2")));
    assert_eq!((world.facilitator_calls(), world.tenant_runs(), world.moved()), (3, 3, 0));
    world.tenant(Tenant::Answers(200));
    assert_eq!(ask("192.0.2.2", &world.sign(2).header).status, 200);
    world.pass_seconds(2);
    assert_eq!(ask("192.0.2.1", &failing).status, 200);
}
