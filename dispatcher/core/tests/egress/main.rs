//! What leaves a tenant's Worker, whatever a generator comes up with. Each trick by name stands in `egress/tests.rs`.

mod property;

use dispatcher_core::egress::Egress;
use property::{Asked, assert_may_leave, check};
use proptest::prelude::*;
use std::{fs, panic, path::Path};

/// Pieces of URLs that some reader takes for another thing than the next one does.
const PIECES: [&str; 46] = [
    "http://",
    "https://",
    "HTTP:",
    "ftp://",
    "//",
    "/",
    "\\",
    "@",
    ":",
    ":80",
    ":443",
    ":8443",
    "?",
    "#",
    "%2f",
    "%00",
    "\t",
    " ",
    ".",
    "..",
    "[",
    "]",
    "::",
    "::1",
    "::ffff:",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.",
    "0x",
    "10.0.0.1",
    "169.254.169.254",
    "2606:4700::1111",
    "1.1.1.1",
    "localhost",
    "metadata.google.internal",
    "api.example.com",
    "bad.example.org",
    "tenants.example",
    "xn--bcher-kva.example.com",
    "xn--a",
    "\u{ff11}",
    "\u{3002}",
    "\u{ad}",
    "a",
];

const POLICIES: [&str; 4] =
    ["", r#"{"deny":["bad.example.org"]}"#, r#"{"allow":["api.example.com","*.example.org"]}"#, r#"{"allow":[]}"#];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![8 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned), 1 => "[ -~]{1,3}"];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

fn url() -> impl Strategy<Value = String> {
    prop_oneof![
        text(),
        text().prop_map(|rest| format!("http://{rest}")),
        text().prop_map(|rest| format!("https://{rest}"))
    ]
}

#[test]
fn the_fuzzers_seeds_hold_and_are_read_whole() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/egress"));
    let (mut seeds, mut hops, mut policies) = (0, 0, 0);
    for seed in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(seed.unwrap().path()).unwrap();
        check(&bytes);
        let asked = Asked::read(&bytes);
        seeds += 1;
        hops += asked.hops.len();
        policies += usize::from(asked.egress != Egress::default());
    }
    assert!(seeds >= 20 && hops >= 5 && policies >= 3, "{seeds} seeds, {hops} hops, {policies} policies");
}

#[test]
fn the_property_sees_what_must_not_leave() {
    let listed: Egress = serde_json::from_str(r#"{"allow":["api.example.com"],"deny":["bad.example.org"]}"#).unwrap();
    let all = Egress::default();
    let silent = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let seen = |url: &str, host: &str, egress: &Egress| {
        panic::catch_unwind(panic::AssertUnwindSafe(|| assert_may_leave(url, host, egress))).is_err()
    };
    let unseen: Vec<_> = [
        ("http://2130706433/", "2130706433", &all),
        ("http://2130706433/", "127.0.0.1", &all),
        ("http://0x7f.1/", "127.0.0.1", &all),
        ("http://[::ffff:169.254.169.254]/", "::ffff:169.254.169.254", &all),
        ("http://[fd00:ec2::254]/", "fd00:ec2::254", &all),
        ("http://api.example.com@10.0.0.1/", "api.example.com", &all),
        ("https://api.example.com\\@localhost/", "localhost", &all),
        ("https://api.example.com:8443/", "api.example.com", &all),
        ("ftp://api.example.com/", "api.example.com", &all),
        ("http://metadata.google.internal./", "metadata.google.internal", &all),
        ("http://metadata/", "metadata", &all),
        ("https://globex.tenants.example/", "globex.tenants.example", &all),
        ("https://bad.example.org/", "bad.example.org", &listed),
        ("https://other.example.org/", "other.example.org", &listed),
        ("http://1.1.1.1/", "1.1.1.1", &listed),
    ]
    .into_iter()
    .filter(|(url, host, egress)| !seen(url, host, egress))
    .collect();
    let sound =
        seen("https://api.example.com/v1", "api.example.com", &listed) || seen("http://1.1.1.1/", "1.1.1.1", &all);
    panic::set_hook(silent);
    assert!(unseen.is_empty() && !sound, "{unseen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn what_leaves_is_public_allowed_and_read_the_same_by_another_parser(
        policy in prop::sample::select(&POLICIES[..]), url in url(), hops in prop::collection::vec(text(), 0..3),
    ) {
        check([&[policy.to_owned(), url][..], &hops].concat().join("\n").as_bytes());
    }
}
