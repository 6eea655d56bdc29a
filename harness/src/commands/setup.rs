//! `harness setup` and `harness doctor`.

use super::{
    CommandError, passed,
    preparation::{provide, runtime},
    show,
};
use crate::{cli::FormatArgs, exit::Exit, setup};
use serde_json::json;
use system::folders::workspace_root;

pub fn doctor(print: FormatArgs) -> Result<Exit, CommandError> {
    let findings = setup::diagnose(&workspace_root())?;
    show(print, &findings, || setup::render(&findings))?;
    let complete = findings.iter().all(|finding| finding.found.is_some());
    Ok(if complete { Exit::Pass } else { Exit::DidNotStart })
}

pub fn set_up(print: FormatArgs) -> Result<Exit, CommandError> {
    let (_, bundle) = runtime()?.block_on(provide())?;
    let setup::Bundle { wasm_bytes, wasm_gzip_bytes, js_bytes, js_gzip_bytes, .. } = bundle;
    let told = json!({
        "bundle": bundle.dir, "wasm_bytes": wasm_bytes, "wasm_gzip_bytes": wasm_gzip_bytes, "js_bytes": js_bytes,
        "js_gzip_bytes": js_gzip_bytes,
    });
    passed(print, &told, || {
        format!(
            "ready: wasm {wasm_bytes} bytes ({wasm_gzip_bytes} gzip), JavaScript {js_bytes} bytes ({js_gzip_bytes} gzip)\n"
        )
    })
}
