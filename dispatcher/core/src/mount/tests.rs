//! References that a tenant below a slug sends, held against what a browser makes of them.

use super::Mount;
use proptest::prelude::*;

const MOUNT: Mount<'_> =
    Mount { path: "/t/shop", origin: "https://edge.example", below: "/a/b", is_bare: false, is_trusted: false };

fn location(text: &str) -> String {
    MOUNT.put_back("Location", text).unwrap_or_else(|| text.to_owned())
}

#[test]
fn an_absolute_path_and_a_url_of_our_own_get_the_mount_back() {
    for (said, told) in [
        ("/jobs/1", "/t/shop/jobs/1"),
        ("/", "/t/shop/"),
        ("/jobs?next=/x#y", "/t/shop/jobs?next=/x#y"),
        ("/t/other/x", "/t/shop/t/other/x"),
        ("/t/shopping", "/t/shop/t/shopping"),
        ("https://edge.example/jobs/1", "https://edge.example/t/shop/jobs/1"),
        ("https://EDGE.example:443/jobs", "https://EDGE.example:443/t/shop/jobs"),
        ("https://edge.example", "https://edge.example/t/shop/"),
        ("https://edge.example?a", "https://edge.example/t/shop/?a"),
        ("HTTPS://me@edge.example/x", "HTTPS://me@edge.example/t/shop/x"),
        ("//edge.example/jobs", "//edge.example/t/shop/jobs"),
        ("https:/jobs", "/t/shop/jobs"),
    ] {
        assert_eq!(location(said), told, "{said}");
    }
}

#[test]
fn what_is_relative_or_elsewhere_or_there_already_stays() {
    for said in [
        "jobs/1",
        "?page=2",
        "#top",
        "",
        "//evil.example/x",
        "https://other.example/jobs",
        "https://edge.example.evil.example/",
        "https://edge.example:8443/",
        "https://evil.example\\@edge.example/",
        "http://edge.example/x",
        "mailto:a@example.org",
        "/t/shop",
        "/t/shop/jobs/1",
        "/t/shop?x",
        "https://edge.example/t/shop/x",
    ] {
        assert_eq!(location(said), said);
    }
}

#[test]
fn a_reference_that_a_browser_would_lead_out_of_the_mount_stays_in_it() {
    for (said, told) in [
        ("/../evil/x", "/t/shop/evil/x"),
        ("/t/shop/../evil", "/t/shop/t/evil"),
        ("/t/shop/%2e%2E/evil", "/t/shop/t/evil"),
        ("\\t\\evil", "/t/shop\\t\\evil"),
        ("/\t/edge.example/x", "//edge.example/t/shop/x"),
        ("../../../t/evil", "/t/shop/t/evil"),
        ("../c", "/t/shop/c"),
        ("./", "/t/shop/a/"),
        ("https:t/../../evil", "/t/shop/evil"),
    ] {
        assert_eq!(location(said), told, "{said}");
    }
    let bare = Mount { below: "/", is_bare: true, ..MOUNT };
    assert_eq!(bare.put_back("location", "jobs/1").as_deref(), Some("/t/shop/jobs/1"));
    assert_eq!(bare.put_back("location", "?a"), None);
}

#[test]
fn each_target_of_a_link_is_looked_at_and_nothing_else() {
    let told = |value| MOUNT.put_back("link", value);
    assert_eq!(
        told(r#"</a>; rel="next"; title="</b>, <c>", <https://o.example/>; rel=x,<d>;rel=y, </e>"#).as_deref(),
        Some(r#"</t/shop/a>; rel="next"; title="</b>, <c>", <https://o.example/>; rel=x,<d>;rel=y, </t/shop/e>"#)
    );
    assert_eq!(told("<a>; rel=next"), None);
    assert_eq!(told("</a").as_deref(), Some("</t/shop/a"));
}

#[test]
fn the_url_of_a_refresh_is_looked_at() {
    let told = |value| MOUNT.put_back("Refresh", value);
    for (said, wanted) in [
        ("0; url=/x", "0; url=/t/shop/x"),
        ("5;URL='/x'", "5;URL='/t/shop/x'"),
        ("1.5 , url = \"/x\" y", "1.5 , url = \"/t/shop/x\" y"),
        ("0 /x", "0 /t/shop/x"),
    ] {
        assert_eq!(told(said).as_deref(), Some(wanted), "{said}");
    }
    for said in ["5", "", "5; url=x", "5; url=https://o.example/", "x; url=/x"] {
        assert_eq!(told(said), None, "{said}");
    }
}

#[test]
fn other_headers_are_a_tenants_own_business() {
    assert_eq!(MOUNT.put_back("x-location", "/x"), None);
}

/// The place to which a browser would go from the request's URL.
fn resolved(mount: &Mount<'_>, reference: &str) -> Option<url::Url> {
    let below = if mount.is_bare { "" } else { mount.below };
    let at = url::Url::parse(&format!("{}{}{below}", mount.origin, mount.path)).unwrap();
    at.join(reference).ok()
}

proptest! {
    #[test]
    fn whatever_a_tenant_says_leads_below_its_mount_or_to_another_origin(
        said in "(https:|http:|HTTPS:)?[/\\\\]{0,3}(edge\\.example|evil\\.example)?(:443)?[/\\\\]{0,2}([./%2eE\\\\a-c?#@:\t -]{0,12}|t/evil|t/shop/[./]{0,6})",
        is_bare: bool,
    ) {
        let below = if is_bare { "/" } else { "/a/b" };
        let mount = Mount { below, is_bare, ..MOUNT };
        let told = mount.put_back("location", &said).unwrap_or_else(|| said.clone());
        if let Some(to) = resolved(&mount, &told).filter(|to| to.origin().ascii_serialization() == mount.origin) {
            let path = to.path();
            prop_assert!(path == "/t/shop" || path.starts_with("/t/shop/"), "{said:?} was told as {told:?}: {to}");
        }
    }

    #[test]
    fn what_a_tenant_means_is_where_its_caller_is_led(said in "[/a-c.]{0,10}(\\?[a/]{0,3})?") {
        let tenants = url::Url::parse("https://edge.example/a/b").unwrap();
        prop_assume!(!said.starts_with("//"));
        let meant = tenants.join(&said).unwrap();
        let told = location(&said);
        let led = resolved(&MOUNT, &told).unwrap();
        prop_assert_eq!(led.path(), format!("/t/shop{}", meant.path()), "{:?} was told as {:?}", said, told);
        prop_assert_eq!(led.query(), meant.query());
    }
}
