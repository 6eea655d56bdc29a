//! What leaves and what does not, URL by URL and spelling by spelling.

use super::*;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

fn egress(json: &str) -> Egress {
    serde_json::from_str(json).expect("a policy")
}

fn decided(url: &str) -> Result<String, Refused> {
    let platform = ["*.tenants.example", "tenants.example"].map(|host| host.to_owned().try_into().expect("a pattern"));
    decide(url, &egress(r#"{"deny":["tracker.example.net"]}"#), &platform).map(|to| to.to_string())
}

#[test]
fn a_public_host_is_reached_and_named_in_one_spelling() {
    for (url, host) in [
        ("https://api.example.com/v1?q=1#x", "api.example.com"),
        ("HTTP://API.Example.COM.", "api.example.com"),
        ("https://api.example.com:443/", "api.example.com"),
        ("http://api.example.com:80?x", "api.example.com"),
        ("https://xn--bcher-kva.example.com/", "xn--bcher-kva.example.com"),
        ("https://localhost.example.com/", "localhost.example.com"),
        ("https://mylocalhost.com/", "mylocalhost.com"),
        ("http://1.1.1.1/", "1.1.1.1"),
        ("http://16843009/", "1.1.1.1"),
        ("https://[2606:4700:4700::1111]/", "2606:4700:4700::1111"),
    ] {
        assert_eq!(decided(url).as_deref(), Ok(host), "{url}");
    }
}

#[test]
fn no_spelling_of_what_is_not_public_leaves() {
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0X7F.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://127.0.0.1./",
        "http://0/",
        "http://0x/",
        "http://10.1.2.3/",
        "http://100.64.0.1/",
        "http://100.127.255.255/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0xa9fea9fe/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.1.1/",
        "http://192.0.2.1/",
        "http://198.18.0.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:8.8.8.8]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001::1]/",
        "http://[2001:db8::1]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[ff02::1]/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://app.localhost/",
        "http://metadata.google.internal/",
        "http://metadata/",
        "http://printer.local/",
        "http://router.home.arpa/",
    ] {
        assert_eq!(decided(url), Err(Refused::NotPublic), "{url}");
    }
}

#[test]
fn what_two_readers_could_read_in_two_ways_does_not_leave() {
    for url in [
        "https://api.example.com@127.0.0.1/",
        "https://api.example.com:x@localhost/",
        "https:/api.example.com/",
        "https:api.example.com/",
        "https:///api.example.com/",
        "https:\\\\api.example.com/",
        "https://api.example.com\\@localhost/",
        "https://127.0.0.1%2f.example.com/",
        "https://%31%32%37.0.0.1/",
        "https://api.exam\tple.com/",
        "https://api.example.com /",
        "https://\u{ff11}27.0.0.1/",
        "https://\u{2460}.example.com/",
        "https://b\u{fc}cher.example.com/",
        "https://api..example.com/",
        "https://.example.com/",
        "https://api.example.com../",
        "https://api_x.example.com/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://1.2.3.09/",
        "https://4294967296/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://api.example.com:/",
        "https://api.example.com:443:443/",
        "https://",
    ] {
        assert_eq!(decided(url), Err(Refused::Spelling), "{url}");
    }
}

#[test]
fn other_schemes_and_ports_stay_closed() {
    for url in ["ftp://api.example.com/", "file:///etc/passwd", "ws://api.example.com/", "data:text/plain,x", "//x", ""]
    {
        assert_eq!(decided(url), Err(Refused::Scheme), "{url}");
    }
    for url in [
        "https://api.example.com:8443/",
        "http://api.example.com:443/",
        "https://api.example.com:22/",
        "http://[2606::1]:6379/",
    ] {
        assert_eq!(decided(url), Err(Refused::Port), "{url}");
    }
}

#[test]
fn the_platforms_own_hosts_and_the_tenants_lists_count_by_name() {
    assert_eq!(decided("https://acme.tenants.example/quote"), Err(Refused::PlatformHost));
    assert_eq!(decided("https://TENANTS.example./"), Err(Refused::PlatformHost));
    assert_eq!(decided("https://tenants.example.com/").as_deref(), Ok("tenants.example.com"));
    assert_eq!(decided("https://eviltenants.example/").as_deref(), Ok("eviltenants.example"));
    assert_eq!(decided("https://tracker.example.net/"), Err(Refused::Denied));
    let only = egress(r#"{"allow":["api.example.com","*.example.org"],"deny":["bad.example.org"]}"#);
    for (url, told) in [
        ("https://api.example.com/", None),
        ("https://a.b.example.org/", None),
        ("https://example.org/", Some(Refused::NotAllowed)),
        ("https://xexample.org/", Some(Refused::NotAllowed)),
        ("https://bad.example.org/", Some(Refused::Denied)),
        ("https://1.1.1.1/", Some(Refused::NotAllowed)),
        ("http://127.0.0.1/", Some(Refused::NotPublic)),
    ] {
        assert_eq!(decide(url, &only, &[]).err(), told, "{url}");
    }
    let none = egress(r#"{"allow":[]}"#);
    assert_eq!(decide("https://api.example.com/", &none, &[]), Err(Refused::NotAllowed));
}

#[test]
fn a_pattern_is_a_host_or_what_is_below_one() {
    for wrong in ["", "*", "com", "*.com", "*.*.example.com", "a*.example.com", "Example.com", "example.com.", "1..2"] {
        assert!(HostPattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

#[test]
fn a_policy_is_the_same_on_both_sides_of_a_dispatch() {
    let egress = egress(r#"{"allow":["*.example.org"],"deny":["bad.example.org"]}"#);
    let sent = serde_json::to_string(&PolicyOf { tenant_id: "acme", egress: &egress }).expect("plain");
    let heard: Policy = serde_json::from_str(&sent).expect("as it was sent");
    assert_eq!(heard, Policy { tenant_id: "acme".to_owned(), egress });
}

/// An IPv4 address as URL parsers take it.
fn spelling() -> impl Strategy<Value = (u32, String)> {
    let radix = prop::sample::select(vec!["d", "o", "x", "X"]);
    (any::<u32>(), 1_usize..=4, prop::collection::vec(radix, 4), any::<bool>()).prop_map(
        |(bits, parts, radixes, dot)| {
            let bytes = bits.to_be_bytes();
            let first = bytes[..parts - 1].iter().map(|byte| u64::from(*byte));
            let last = bytes[parts - 1..].iter().fold(0, |last, byte| last << 8 | u64::from(*byte));
            let written = first.chain([last]).zip(radixes).map(|(number, radix)| match radix {
                "o" => format!("0{number:o}"),
                "x" => format!("0x{number:x}"),
                "X" => format!("0X{number:X}"),
                _ => number.to_string(),
            });
            let dot = if dot { "." } else { "" };
            (bits, written.collect::<Vec<_>>().join(".") + dot)
        },
    )
}

proptest! {
    #[test]
    fn every_spelling_of_an_address_is_judged_as_its_plain_one((bits, host) in spelling()) {
        let plain = decided(&format!("http://{}/", Ipv4Addr::from_bits(bits)));
        prop_assert_eq!(decided(&format!("http://{host}/")), plain, "{}", host);
    }

    #[test]
    fn an_address_inside_an_address_never_leaves(bits: u32) {
        let [a, b] = [(bits >> 16) as u16, bits as u16];
        let forms = [[0, 0, 0, 0, 0, 0xffff, a, b], [0, 0, 0, 0, 0, 0, a, b], [0x64, 0xff9b, 0, 0, 0, 0, a, b], [0x2002, a, b, 0, 0, 0, 0, 1]];
        for form in forms {
            prop_assert_eq!(decided(&format!("http://[{}]/", Ipv6Addr::from(form))), Err(Refused::NotPublic));
        }
    }

    /// Judged by another reader: std's own idea of what is private.
    #[test]
    fn whatever_is_reached_is_no_private_address(text in "(https?|HTTP)://[0-9a-fxX.\\[\\]:@%/\\\\]{1,24}") {
        if let Ok(host) = decided(&text) {
            if let Ok(v4) = host.parse::<Ipv4Addr>() {
                prop_assert!(!(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || v4.is_broadcast()));
            }
            if let Ok(v6) = host.parse::<Ipv6Addr>() {
                prop_assert!(!(v6.is_loopback() || v6.is_unspecified() || v6.to_ipv4().is_some()));
            }
        }
    }
}
