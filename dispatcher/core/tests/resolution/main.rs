//! Whom a request reaches: each trick by name, then whatever a generator comes up with.

mod property;

use dispatcher_core::resolve::{Resolution, ResolveError, Resolved};
use property::{Sent, check, to};
use proptest::prelude::*;
use std::{fs, path::Path};

/// Whom, and at which path of theirs.
type Reached = Result<Option<(String, String)>, ResolveError>;

fn reached(host: &str, path: &str) -> Reached {
    let sent = Sent { host: host.to_owned(), header: None, path: path.to_owned() };
    to(&sent).map(|resolution| match resolution {
        Resolution::Tenant(resolved) => Some((resolved.tenant.id.clone(), resolved.place.path)),
        Resolution::Nobody(_) => None,
    })
}

fn tenant(id: &str, path: &str) -> Reached {
    Ok(Some((id.to_owned(), path.to_owned())))
}

#[test]
fn a_tenants_host_wins_over_any_path() {
    for host in ["acme.example", "ACME.example:8787", "acme.example.", "Acme.Example.:443"] {
        assert_eq!(reached(host, "/t/globex/x"), tenant("acme", "/t/globex/x"), "{host}");
        // Below a host of its own, a path that is no slug is its own too.
        assert_eq!(reached(host, "/t/GLOBEX"), tenant("acme", "/t/GLOBEX"), "{host}");
    }
}

#[test]
fn a_slug_is_cut_off_the_path() {
    assert_eq!(reached("edge.example", "/t/acme/a/b"), tenant("acme", "/a/b"));
    assert_eq!(reached("127.0.0.1:8787", "/t/acme"), tenant("acme", "/"));
    assert_eq!(reached("edge.example", "/t/acme//x"), tenant("acme", "//x"));
    assert_eq!(reached("edge.example", "/t/acme/t/globex/x"), tenant("acme", "/t/globex/x"));
}

/// A purchase is known by its place once its tenant has left.
#[test]
fn a_place_is_the_same_whether_its_tenant_is_there_or_not() {
    let place = |host: &str, path: &str| {
        let sent = Sent { host: host.to_owned(), header: None, path: path.to_owned() };
        let (Resolution::Tenant(Resolved { place, .. }) | Resolution::Nobody(place)) = to(&sent).unwrap();
        (place.name, place.path, place.mount)
    };
    let own = |name: &str, path: &str| (format!("host/{name}"), path.to_owned(), None);
    let mounted = |slug: &str, path: &str| (format!("slug/{slug}"), path.to_owned(), Some(format!("/t/{slug}")));
    assert_eq!(place("ACME.example:80", "/x"), own("acme.example", "/x"));
    assert_eq!(place("Nobody.example.", "/x"), own("nobody.example", "/x"));
    assert_eq!(place("edge.example", "/t/acme"), mounted("acme", "/"));
    assert_eq!(place("edge.example", "/t/nobody/x"), mounted("nobody", "/x"));
}

#[test]
fn what_only_resembles_a_slug_is_refused() {
    for path in [
        "/t/ACME/",
        "/t/%61cme/",
        "/t/acme%2f..%2fglobex",
        "/t//acme",
        "/t/",
        "/t/acme;v=1/",
        "/t/acme%00/",
        "/t/acme./x",
        "/t/-acme/",
    ] {
        assert_eq!(reached("edge.example", path), Err(ResolveError::InvalidKey), "{path}");
    }
    for path in ["/", "/acme", "/T/acme", "//t/acme", "/x/t/acme", "/%74/acme", "/t/initech/"] {
        assert_eq!(reached("edge.example", path), Ok(None), "{path}");
    }
    assert_eq!(reached("edge.example", &format!("/t/{}/", "a".repeat(64))), Err(ResolveError::InvalidKey));
}

#[test]
fn a_path_with_two_readings_is_refused_everywhere() {
    let long = format!("/{}", "a".repeat(16 * 1024));
    for below in [
        "/../globex",
        "/a/..",
        "/.",
        "/./x",
        "/%2e%2e/globex",
        "/%2E./x",
        "/.%2e",
        "\\x",
        "/..\\globex",
        "/x\0",
        "/x\ny",
        "/x\ty",
        "/x y",
        "/x#/../y",
        "/x\u{7f}",
        "/\u{430}",
        &long,
    ] {
        for (host, path) in [("edge.example", format!("/t/acme{below}")), ("acme.example", below.to_owned())] {
            assert_eq!(reached(host, &path), Err(ResolveError::InvalidKey), "{path:?}");
        }
    }
    // One reading, and the tenant's to make sense of.
    for below in ["/...", "/..a", "/%2e%2e%2e", "/a%2f..%2fb", "/%00", "//", "/%252e%252e/x", "/a|{b}"] {
        assert_eq!(reached("edge.example", &format!("/t/acme{below}")), tenant("acme", below));
    }
}

#[test]
fn what_only_resembles_a_host_is_refused() {
    let long = format!("{}.example", "a".repeat(64));
    for host in [
        "",
        ".",
        "acme.example:",
        "acme.example:x",
        "acme.example:123456",
        "acme.example:80:80",
        "acme..example",
        "acme.example..",
        ".acme.example",
        "-acme.example",
        "acme_.example",
        "user@acme.example",
        "acme.example#x",
        "acme.example?x",
        "acme.example\\x",
        "acme.example, globex.example",
        " acme.example",
        "acme.example\0",
        "%61cme.example",
        "[::1]",
        &long,
        // Full-width a, Cyrillic a, ideographic full stop, soft hyphen.
        "\u{ff41}cme.example",
        "\u{430}cme.example",
        "acme\u{3002}example",
        "ac\u{ad}me.example",
    ] {
        assert_eq!(reached(host, "/"), Err(ResolveError::InvalidKey), "{host:?}");
    }
    for host in ["acme.example.evil", "evil.acme.example", "acme-example", "cme.example", "0x1.2.3.4", "1.2.3.4.5"] {
        assert_eq!(reached(host, "/"), Ok(None), "{host:?}");
    }
}

#[test]
fn an_internationalised_host_is_its_ascii_letters() {
    assert_eq!(reached("XN--cme-5cd.example", "/"), tenant("acme-eu", "/"));
    assert_eq!(reached("xn--acme.example", "/"), Ok(None));
}

#[test]
fn a_host_header_that_says_otherwise_is_refused() {
    let with = |header: &str| {
        let header = Some(header.to_owned());
        to(&Sent { host: "acme.example".to_owned(), header, path: "/x".to_owned() }).map(|_| ())
    };
    assert_eq!(with("ACME.example.:80"), Ok(()));
    for header in ["globex.example", "acme.example/x", "acme.example, globex.example", "user@acme.example", ""] {
        assert_eq!(with(header), Err(ResolveError::InvalidKey), "{header}");
    }
}

#[test]
fn the_fuzzers_seeds_hold() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/resolve");
    let files: Vec<_> = fs::read_dir(seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 10);
    for file in files {
        check(&fs::read(file).unwrap());
    }
}

/// Pieces that are names, nearly names, or what separates them.
fn piece() -> impl Strategy<Value = String> {
    const PIECES: [&str; 30] = [
        "acme",
        "globex",
        "acme-eu",
        "t",
        "2e2e",
        "example",
        "xn--cme-5cd",
        ".",
        "..",
        "/",
        "//",
        "/t/",
        "\\",
        ":",
        ":80",
        "%2e",
        "%2F",
        "%00",
        "\0",
        "#",
        "?",
        "@",
        ",",
        " ",
        "A",
        "-",
        "\u{430}",
        "\u{ff41}",
        "1.2.3.4",
        "acme.example",
    ];
    prop_oneof![8 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned), 1 => ".{0,3}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nobody_reaches_a_tenant_that_the_request_does_not_name(
        host in prop::collection::vec(piece(), 0..5),
        path in prop::collection::vec(piece(), 0..6),
        header in prop::option::of(prop::collection::vec(piece(), 0..5)),
    ) {
        let mut lines = vec![host.concat(), path.concat()];
        lines.extend(header.map(|header| header.concat()));
        check(lines.join("\n").as_bytes());
    }

    #[test]
    fn no_bytes_at_all_confuse_it(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&bytes);
    }
}
