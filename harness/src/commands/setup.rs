//! `harness setup` and `harness doctor`.

use super::{
    CommandError,
    preparation::{provide, runtime},
};
use crate::{exit::Exit, setup};
use system::{
    folders::workspace_root,
    output::{out, outln},
};

pub fn doctor() -> Result<Exit, CommandError> {
    let findings = setup::diagnose(&workspace_root())?;
    out!("{}", setup::render(&findings));
    let complete = findings.iter().all(|finding| finding.found.is_some());
    Ok(if complete { Exit::Pass } else { Exit::DidNotStart })
}

pub fn set_up() -> Result<Exit, CommandError> {
    let (_, bundle) = runtime()?.block_on(provide())?;
    outln!(
        "ready: wasm {} bytes ({} gzip), JavaScript {} bytes ({} gzip)",
        bundle.wasm_bytes,
        bundle.wasm_gzip_bytes,
        bundle.js_bytes,
        bundle.js_gzip_bytes
    );
    Ok(Exit::Pass)
}
