//! What ships: the release wasm.

use std::process::Command;

use crate::harness::{run, turn};
use dispatcher_core::paywall::seeded::Bug;

const WASM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dispatcher/worker/build/index_bg.wasm");

#[test]
fn the_release_wasm_knows_no_seeded_bug() {
    let _turn = turn();
    assert!(run(&["setup"]).status.success());
    let wasm = std::fs::read(WASM).expect("it was built right now");
    let has = |text: &str| wasm.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(has("settlement_pending"), "its texts are found where they are");
    for bug in Bug::ALL {
        assert!(!has(bug.name()) && !has(&format!("{bug:?}")), "{bug:?}");
    }
}

#[test]
fn seeded_bugs_compile_with_debug_assertions_alone_and_to_wasm_for_the_self_test_alone() {
    let _turn = turn();
    assert!(run(&["setup"]).status.success(), "it provides the wasm target");
    let wasm = ["--target", "wasm32-unknown-unknown"];
    let with = ["-C", "debug-assertions=on"];
    let without = ["-C", "debug-assertions=off"];
    let said_so = ["--cfg", "seeded_worker"];
    assert!(compiles(&[&with]));
    assert!(!compiles(&[&without]));
    assert!(!compiles(&[&with, &wasm]));
    assert!(!compiles(&[&without, &wasm]));
    assert!(!compiles(&[&without, &wasm, &said_so]));
    assert!(compiles(&[&with, &wasm, &said_so]));
}

/// The file that has the bugs and their guards, on its own, with the feature.
fn compiles(args: &[&[&str]]) -> bool {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../dispatcher/x402-paywall/src/seeded.rs");
    let mut rustc = Command::new("rustc");
    rustc.args(["--crate-type", "lib", "--edition", "2024", "--emit", "metadata", "-o"]);
    rustc.arg(std::env::temp_dir().join(format!("seeded-{}.rmeta", std::process::id())));
    rustc.args(["--cfg", "feature=\"seeded-bugs\""]).args(args.concat()).arg(file);
    let output = rustc.output().expect("whoever runs cargo has rustc");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || said.contains("seeded bugs are for `harness selftest` alone"), "{said}");
    output.status.success()
}

#[test]
fn what_ships_is_built_without_debug_assertions() {
    let manifest = include_str!("../../../Cargo.toml");
    let release = manifest.split("[profile.release]").nth(1).and_then(|rest| rest.split("\n[").next());
    assert!(release.is_some_and(|release| !release.contains("debug-assertions")), "{release:?}");
}
