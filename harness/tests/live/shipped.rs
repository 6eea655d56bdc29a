//! What ships: the release wasm.

use crate::harness::{run, turn};

const WASM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dispatcher/worker/build/index_bg.wasm");

#[test]
fn the_release_wasm_knows_no_planted_bug() {
    let _turn = turn();
    assert!(run(&["setup"]).status.success());
    let wasm = std::fs::read(WASM).expect("it was built right now");
    let has = |text: &str| wasm.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(has("settlement_pending"), "its texts are found where they are");
    assert!(!has("SEEDED_BUG"), "no variable chooses a bug");
    let bugs = ::harness::selftest::catalogue(None).map_err(miette::Report::new).expect("every bug can be read");
    for bug in bugs {
        assert!(!has(&bug.name), "{}", bug.name);
    }
}

#[test]
fn what_ships_is_built_without_debug_assertions() {
    let manifest = include_str!("../../../Cargo.toml");
    let release = manifest.split("[profile.release]").nth(1).and_then(|rest| rest.split("\n[").next());
    assert!(release.is_some_and(|release| !release.contains("debug-assertions")), "{release:?}");
}
