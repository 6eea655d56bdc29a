//! Tenants that are reached by slug: their addresses lead below the slug, and their pages are nobody else's.

use crate::world::{Facilitator, Tenant, World};
use serde_json::json;

const JOB: &[(&str, &str)] = &[
    ("location", "/jobs/1"),
    ("content-location", "https://edge.example/jobs/1"),
    ("link", "</jobs/2>; rel=next"),
    ("link", "<https://elsewhere.example/>; rel=x"),
    ("refresh", "0; url=/jobs/1"),
];
const PAGE: &[(&str, &str)] =
    &[("content-type", "text/html"), ("content-security-policy", "default-src 'self'"), ("set-cookie", "a=1; Path=/")];

#[test]
fn what_a_tenant_names_of_its_own_leads_below_its_mount() {
    for (status, payment) in [(201, true), (302, true), (404, true), (200, false)] {
        let world = World::new();
        world.tenant(Tenant::Says(status, JOB));
        let slug = if payment { "acme" } else { "free" };
        let answer = world.get(&format!("/t/{slug}/quote"), payment.then(|| world.sign(1)).as_ref());
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers("location"), [format!("/t/{slug}/jobs/1")]);
        assert_eq!(answer.headers("content-location"), [format!("https://edge.example/t/{slug}/jobs/1")]);
        assert_eq!(answer.headers("refresh"), [format!("0; url=/t/{slug}/jobs/1")]);
        let links = [format!("</t/{slug}/jobs/2>; rel=next"), "<https://elsewhere.example/>; rel=x".to_owned()];
        assert_eq!(answer.headers("link"), links);
        let prefix = ("x-forwarded-prefix".to_owned(), format!("/t/{slug}"));
        assert!(world.last_run().set.contains(&prefix));
    }
}

#[test]
fn what_was_kept_of_a_sale_is_put_right_where_it_is_collected() {
    let mut world = World::new();
    world.tenant(Tenant::Says(201, JOB));
    let payment = world.sign(1);
    world.primary(Facilitator::SettlesSilently);
    assert_eq!(world.get("/t/acme/quote", Some(&payment)).status, 503);
    world.primary(Facilitator::Honest);
    world.pass_seconds(2);
    // The tenant has left meanwhile, and its place has not.
    world.only("globex");
    let collected = world.get("/t/acme/quote", Some(&payment));
    assert_eq!((collected.status, collected.header("location")), (201, Some("/t/acme/jobs/1")));
}

#[test]
fn a_tenant_at_its_own_host_is_told_no_mount_and_says_what_it_likes() {
    let mut world = World::new();
    world.publish(|tenant| tenant["hosts"] = json!([format!("{}.edge.example", tenant["id"].as_str().unwrap())]));
    world.tenant(Tenant::Says(201, JOB));
    let answer = world.at_host("acme.edge.example", "/quote", Some(&world.sign(1)));
    assert_eq!((answer.status, answer.header("location")), (201, Some("/jobs/1")));
    assert_eq!(answer.header("content-location"), Some("https://edge.example/jobs/1"));
    assert!(world.last_run().set.iter().all(|(name, _)| name != "x-forwarded-prefix"));
    world.tenant(Tenant::Says(200, PAGE));
    let page = world.at_host("acme.edge.example", "/page", Some(&world.sign(2)));
    assert_eq!(page.headers("content-security-policy"), ["default-src 'self'"]);
}

#[test]
fn a_page_below_a_slug_has_an_origin_of_its_own_unless_its_record_says_otherwise() {
    let mut world = World::new();
    for (nonce, status, slug) in [(1, 200, "acme"), (2, 404, "acme"), (3, 200, "free")] {
        world.tenant(Tenant::Says(status, PAGE));
        let payment = world.sign(nonce);
        let answer = world.get(&format!("/t/{slug}/page"), Some(&payment).filter(|_| slug == "acme"));
        let policies = "default-src 'self', sandbox allow-scripts allow-forms allow-popups";
        assert_eq!((answer.status, answer.headers("content-security-policy")), (status, vec![policies]));
        assert_eq!(answer.headers("x-content-type-options"), ["nosniff"]);
    }
    world.tenant(Tenant::Says(200, &[("content-type", "application/json")]));
    let data = world.get("/t/free/data", None);
    assert_eq!(
        (data.header("content-security-policy"), data.header("x-content-type-options")),
        (None, Some("nosniff"))
    );
    assert_eq!(world.get("/t/acme/quote", None).header("content-security-policy"), None, "a bill is no page");

    world.publish(|tenant| tenant["sharedOrigin"] = json!("trusted"));
    world.tenant(Tenant::Says(200, PAGE));
    let trusted = world.get("/t/free/page", None);
    assert_eq!(trusted.headers("content-security-policy"), ["default-src 'self'"]);
    assert_eq!(trusted.header("x-content-type-options"), None);
}
