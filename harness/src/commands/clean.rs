//! `harness clean`: removes runs that nobody will look at again. The newest stay, and those that did not pass.

use super::{CommandError, passed};
use crate::{
    cli::CleanArgs,
    exit::Exit,
    run::{self, Kept},
};
use serde_json::json;
use std::fmt::Write;
use system::folders;

pub fn clean(args: &CleanArgs) -> Result<Exit, CommandError> {
    let runs = folders::runs();
    let failed = |source| CommandError::Document { path: runs.clone(), source };
    let swept =
        run::sweep(&runs, Kept { newest: args.keep, failed: !args.failed_too }, args.dry_run).map_err(failed)?;
    let told = json!({"found": swept.found, "removed": swept.removed, "is_done": !args.dry_run});
    passed(args.print, &told, || {
        let (does, done) = if args.dry_run { ("would remove", "would go") } else { ("removed", "are gone") };
        let mut text = String::new();
        for folder in &swept.removed {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{does}  {}", folder.display());
        }
        let _ = writeln!(text, "{} of {} runs {done}", swept.removed.len(), swept.found);
        text
    })
}
