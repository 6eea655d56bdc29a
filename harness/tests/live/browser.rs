//! A real browser at a served world: whether one tenant's page can read another's, where both stand below `/t/` on one host.

use crate::{harness::turn, npm_client::NpmClient, served::Served};
use std::path::Path;

#[test]
fn a_page_below_a_slug_reads_nothing_of_another_tenants_unless_both_are_trusted() {
    let _turn = turn();
    let browser = NpmClient::installed("browser", "about 15 s, 89 MB, and 300 MB unpacked");
    let world = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/browser/world.toml");
    let served = Served::of(world.to_str().expect("the workspace's path is text"));
    let pairs = ["evil:biz", "evil:bank", "partner:biz", "partner:bank"];
    let seen = browser.run("look.mjs", &[&[served.url.as_str()], &pairs[..]].concat());
    for pair in pairs {
        let seen = &seen[pair];
        // Where there is no cookie to be read, that none was read says nothing.
        assert_eq!(seen["cookies"][0], "session=another", "{pair}: {seen}");
        let looks = ["dom", "cookie", "popup", "storage", "fetched"];
        let refused: Vec<_> = looks.into_iter().filter(|look| seen[look]["refused"].is_string()).collect();
        match pair {
            "partner:bank" => {
                assert_eq!(refused, Vec::<&str>::new(), "one origin, as their records say: {seen}");
                assert!(seen["dom"]["got"].as_str().unwrap().contains("may read"), "{seen}");
                assert!(seen["cookie"]["got"].as_str().unwrap().contains("session=another"), "{seen}");
            }
            // A page of the shared origin has its storage and can ask; the other's page is not its to read.
            "partner:biz" => assert_eq!(refused, ["dom", "cookie", "popup"], "{seen}"),
            _ => assert_eq!(refused, looks, "{pair}: {seen}"),
        }
    }
}
