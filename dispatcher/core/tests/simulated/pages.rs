//! Pages on other origins: what a browser hears before they may pay, and that the question itself buys nothing.

use crate::world::{Tenant, World};
use dispatcher_core::paywall::telemetry::Call;
use serde_json::json;

const QUOTE: &str = "/t/acme/quote";
const METHOD: (&str, &str) = ("access-control-request-method", "POST");
const OPEN: &[(&str, &str)] = &[
    ("access-control-allow-origin", "https://app.example"),
    ("access-control-allow-credentials", "true"),
    ("access-control-expose-headers", "ETag"),
    ("set-cookie", "a=1"),
    ("set-cookie", "b=2"),
];

#[test]
fn no_method_and_no_header_makes_a_tenant_that_sells_run_unpaid() {
    let mut world = World::new();
    world.tenant(Tenant::Says(200, OPEN));
    for quarantined in [false, true] {
        if quarantined {
            world.publish(|tenant| tenant["plan"] = json!("quarantine"));
        }
        let tenants = ["/t/acme/quote", "/t/acme", "/t/upfront/quote?a=1", "/t/strict/quote"];
        let methods = ["OPTIONS", "options", "GET", "HEAD", "POST", "TRACE", "PROPFIND", "QUERY", "X"];
        let asked: [&[(&str, &str)]; 5] = [
            &[],
            &[METHOD],
            &[("access-control-request-method", "")],
            &[METHOD, ("access-control-request-headers", "payment-signature")],
            &[("origin", "https://app.example"), ("access-control-request-headers", "x-payment")],
        ];
        for (tenant, method) in tenants.into_iter().flat_map(|tenant| methods.map(|method| (tenant, method))) {
            for headers in asked {
                let answer = world.send_headers(method, tenant, headers);
                let at = format!("{method} {tenant} {headers:?}");
                assert!(!answer.text().contains("content of"), "{at}");
                assert!(matches!(answer.status, 204 | 402 | 503), "{at}: {}", answer.status);
                assert_eq!(answer.status == 204, answer.text().is_empty(), "{at}");
            }
        }
    }
    assert_eq!((world.tenant_runs(), world.facilitator_calls()), (0, 0));
}

#[test]
fn a_preflight_with_a_payment_is_a_preflight() {
    let world = World::new();
    let payment = world.sign(1);
    let answer = world.send_headers("OPTIONS", QUOTE, &[METHOD, ("payment-signature", &payment.header)]);
    assert_eq!((answer.status, answer.text(), world.tenant_runs(), world.moved()), (204, "", 0, 0));
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200);
}

#[test]
fn whatever_status_a_tenant_answers_with_it_is_sold_or_free_for_everybody() {
    for status in [100, 101, 199, 200, 201, 204, 205, 206, 226, 299, 300, 304, 400, 402, 451, 500, 599] {
        let world = World::new();
        world.tenant(Tenant::Answers(status));
        let answer = world.get(QUOTE, Some(&world.sign(1)));
        let moved = usize::from((200..300).contains(&status));
        assert_eq!(world.moved(), moved, "{status}");
        assert_eq!(world.calls_to("primary").contains(&Call::Settle), moved == 1, "{status}");
        let wanted = if status < 200 { 502 } else { status };
        assert_eq!(answer.status, wanted);
        assert_eq!(answer.payment_response().is_some(), moved == 1, "{status}");
    }
}

#[test]
fn a_page_may_send_what_it_asks_for() {
    let world = World::new();
    let asked = [METHOD, ("access-control-request-headers", "content-type,payment-signature,x-tenant-id")];
    let answer = world.send_headers("OPTIONS", QUOTE, &asked);
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
    let allowed = answer.header("access-control-allow-headers").unwrap();
    for name in ["content-type", "PAYMENT-SIGNATURE", "X-PAYMENT", "SIGN-IN-WITH-X"] {
        assert!(allowed.split(", ").any(|one| one == name), "{allowed}");
    }
    assert!(!allowed.contains("x-tenant-id"));
    assert_eq!(answer.headers("vary"), ["Access-Control-Request-Method, Access-Control-Request-Headers"]);
}

#[test]
fn a_record_says_which_pages_may_and_its_word_holds_for_every_answer() {
    let mut world = World::new();
    world.publish(|tenant| tenant["cors"] = json!({"origins": ["https://app.example"], "credentials": true}));
    world.tenant(Tenant::Says(200, &[("access-control-allow-origin", "*"), ("vary", "accept")]));
    for (nonce, origin, allowed) in [(1, "https://app.example", true), (3, "https://evil.example", false)] {
        let (paid, failed) = (world.sign(nonce), world.sign(nonce + 1));
        let origin = ("origin", origin);
        let answers = [
            world.send_headers("OPTIONS", QUOTE, &[METHOD, origin]),
            world.send_headers("GET", QUOTE, &[origin]),
            world.send_headers("GET", QUOTE, &[origin, ("payment-signature", &paid.header)]),
            {
                world.tenant(Tenant::Says(404, &[("access-control-allow-origin", "*")]));
                world.send_headers("GET", QUOTE, &[origin, ("payment-signature", &failed.header)])
            },
        ];
        world.tenant(Tenant::Says(200, &[("access-control-allow-origin", "*"), ("vary", "accept")]));
        assert_eq!(answers.each_ref().map(|answer| answer.status), [204, 402, 200, 404]);
        for answer in &answers {
            let wanted: &[&str] = if allowed { &["https://app.example"] } else { &[] };
            assert_eq!(answer.headers("access-control-allow-origin"), wanted, "{}", answer.status);
            assert_eq!(answer.header("access-control-allow-credentials").is_some(), allowed, "{}", answer.status);
            let [vary] = answer.headers("vary")[..] else { panic!("{:?}", answer.headers("vary")) };
            assert!(vary.contains("Origin"));
        }
    }
}

#[test]
fn nothing_is_said_twice_beside_what_a_tenant_says_itself() {
    let world = World::new();
    for (status, nonce) in [(200, 1), (404, 2)] {
        world.tenant(Tenant::Says(status, OPEN));
        let answer = world.get(QUOTE, Some(&world.sign(nonce)));
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers("access-control-allow-origin"), ["https://app.example"]);
        let [exposed] = answer.headers("access-control-expose-headers")[..] else { panic!("said twice, or never") };
        assert!(exposed.starts_with("ETag, PAYMENT-REQUIRED"));
        assert_eq!(answer.headers("set-cookie").len(), 2);
        assert_eq!(answer.headers("cache-control").len(), usize::from(status == 200));
    }
}

#[test]
fn a_tenant_that_gives_answers_its_own_preflights() {
    let mut world = World::new();
    world.publish(|tenant| tenant["cors"] = json!({"origins": ["https://other.example"]}));
    world.tenant(Tenant::Says(200, OPEN));
    let asked = [METHOD, ("access-control-request-headers", "x-payment")];
    for headers in [&asked[..1], &asked[..]] {
        let answer = world.send_headers("OPTIONS", "/t/free/quote", headers);
        assert_eq!((answer.status, answer.text()), (200, "content of /quote"));
        assert_eq!(answer.headers("access-control-allow-origin"), ["https://app.example"]);
    }
    assert_eq!(world.tenant_runs(), 2);
}
