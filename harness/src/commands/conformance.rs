//! `harness conformance`: the table that sets the official library's answers beside ours, written or held against a run.

use super::{
    CommandError,
    preparation::{make_run_dir, provide_reference, runtime},
};
use crate::{
    cli::ConformanceArgs,
    comparison::{self, ConformanceTools},
    exit::Exit,
};
use system::{folders::workspace_root, interrupt::interrupted, output::errln};

pub fn conformance_table(args: &ConformanceArgs) -> Result<Exit, CommandError> {
    let runtime = runtime()?;
    let (workerd, tools, reference) = runtime.block_on(provide_reference())?;
    let tools = ConformanceTools {
        workerd,
        bundle_index_js: tools.bundle_index_js,
        wrangler_jsonc: tools.wrangler_jsonc,
        reference_module: reference.module,
        reference_library: reference.library,
    };
    let run_dir = make_run_dir(None, "conformance")?;
    let say = |what: &str| errln!("{what}");
    let made = runtime.block_on(async {
        tokio::select! {
            made = comparison::conformance(&tools, run_dir.path(), &say) => Ok(made?),
            () = interrupted() => Err(CommandError::Interrupted),
        }
    })?;
    let path = workspace_root().join("docs/conformance.md");
    let failed = |source| CommandError::Document { path: path.clone(), source };
    let as_it_was = if args.check {
        let kept = std::fs::read_to_string(&path).map_err(failed)?;
        kept == made.document
    } else {
        std::fs::write(&path, &made.document).map_err(failed)?;
        true
    };
    if !as_it_was {
        let seen = run_dir.path().join("conformance.md");
        std::fs::write(&seen, &made.document).map_err(failed)?;
        errln!("{} is not what was seen: {}", path.display(), seen.display());
        return Ok(Exit::TooSlow);
    }
    run_dir.remove()?;
    Ok(if made.sound { Exit::Pass } else { Exit::RuleBroken })
}
