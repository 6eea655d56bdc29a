//! `harness conformance`: the table that sets the official library's answers beside ours, written or held against a run.

use super::{
    CommandError,
    preparation::{make_run_dir, provide_reference, runtime},
    show, write_judged,
};
use crate::{
    cli::ConformanceArgs,
    comparison::{self, ConformanceTools, PlayedRow},
    exit::Exit,
};
use reports::{
    report::{Check, Report},
    verdict::Verdict,
};
use serde_json::json;
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
    let exit = match (as_it_was, made.sound) {
        (true, true) => Exit::Pass,
        (true, false) => Exit::RuleBroken,
        (false, _) => Exit::TooSlow,
    };
    write_judged(&args.report, || report(&made.rows, as_it_was, exit))?;
    let told = json!({"rows": made.rows, "sound": made.sound, "document": path, "as_it_was": as_it_was});
    show(args.print, &told, || format!("{} rows were played at both servers\n", made.rows.len()))?;
    if !as_it_was {
        let seen = run_dir.path().join("conformance.md");
        std::fs::write(&seen, &made.document).map_err(failed)?;
        errln!("{} is not what was seen: {}", path.display(), seen.display());
        return Ok(exit);
    }
    run_dir.remove()?;
    Ok(exit)
}

fn report(rows: &[PlayedRow], as_it_was: bool, exit: Exit) -> Report {
    let verdict = |holds: bool| if holds { Verdict::Pass } else { Verdict::Fail };
    let row = |row: &PlayedRow| {
        Check::of("CONFORM-ROW", "nobody-loses", row.name, verdict(row.dispatcher_is_sound), &row.verdicts.join(", "))
    };
    let says = "docs/conformance.md says what was seen";
    let document = Check::of("CONFORM-DOC", "document-is-true", says, verdict(as_it_was), "");
    let checks = rows.iter().map(row).chain([document]).collect();
    Report::of_checks("conformance", "the dispatcher under each fault", checks, exit.code())
}
