//! Whom a request reaches, byte by byte as an attacker writes it. No HTTP client sends such requests, so they go over a bare
//! socket.
//!
//! `wrangler dev` normalises host and path before the Worker sees either, which the platform's runtime does not: so here is
//! pinned that what it makes of them reaches one tenant, the one that a URL parser reads there, or none. What
//! the dispatcher does with bytes that nobody normalised is pinned in `dispatcher/core/tests/resolution`.

use crate::{harness::turn, served::Served, socket::reached};

#[test]
fn a_request_reaches_the_tenant_that_it_names_or_nobody() {
    let _turn = turn();
    let served = Served::start();
    let address = served.url.strip_prefix("http://").unwrap().to_owned();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        for (target, tenant) in [
            (&b"/t/acme/quote"[..], Some("acme")),
            (b"/t/acme", Some("acme")),
            (b"/t/acme/../globex/quote", Some("globex")),
            (b"/t/acme/%2e%2e/globex/quote", Some("globex")),
            (b"/t/acme\\..\\globex/quote", Some("globex")),
            (b"/t/acme/x#/../../globex", Some("acme")),
            (b"http://acme.tenants.test/t/globex/quote", Some("globex")),
            (b"/t/acme%2f..%2fglobex", None),
            (b"/t/%61cme/quote", None),
            (b"/t/ACME/quote", None),
            (b"/t//acme/quote", None),
            (b"//t/acme/quote", None),
            (b"/t/acme%00/quote", None),
            (b"/t/acme\0/quote", None),
            (b"/t/acme;x/quote", None),
            (b"/t/\xd0\xb0cme/quote", None),
            (b"/t/\xef\xbd\x81cme/quote", None),
            (&[&b"/t/"[..], &[b'a'; 64]].concat(), None),
        ] {
            let at = format!("{:?}", String::from_utf8_lossy(target));
            assert_eq!(reached(&address, target, &[b"edge.example"], "").await.as_deref(), tenant, "{at}");
        }
        for (host, tenant) in [
            (&b"acme.tenants.test"[..], Some("acme")),
            (b"ACME.tenants.TEST.", Some("acme")),
            (b"acme.tenants.test:8080", Some("acme")),
            (b"acme.tenants.test..", None),
            (b"acme.tenants.test, globex.tenants.test", None),
            (b"acme.tenants.test.evil.example", None),
            (b"xn--acme.tenants.test", None),
            (b"\xd0\xb0cme.tenants.test", None),
            (b"acme.tenants.test\0", None),
            (b"", None),
        ] {
            let at = format!("{:?}", String::from_utf8_lossy(host));
            assert_eq!(reached(&address, b"/quote", &[host], "").await.as_deref(), tenant, "{at}");
        }
        let two: [&[u8]; 2] = [b"acme.tenants.test", b"globex.tenants.test"];
        assert_eq!(reached(&address, b"/quote", &two, "").await, None, "two hosts");
        let claims = "X-Forwarded-Host: acme.tenants.test\r\nForwarded: host=acme.tenants.test\r\n\
                      X-Original-URL: /t/acme/quote\r\nX-Host: acme.tenants.test\r\nX-Tenant-Id: acme\r\n";
        assert_eq!(reached(&address, b"/quote", &[b"edge.example"], claims).await, None, "claims");
        let other = reached(&address, b"/quote", &[b"globex.tenants.test"], claims).await;
        assert_eq!(other.as_deref(), Some("globex"), "claims of another");
    });
}
