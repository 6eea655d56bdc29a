//! What ships: the release wasm.

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
