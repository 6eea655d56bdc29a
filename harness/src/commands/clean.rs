//! `harness clean`: removes runs that nobody will look at again. The newest stay, and those that did not pass.

use super::CommandError;
use crate::{
    cli::CleanArgs,
    exit::Exit,
    run::{self, Kept},
};
use system::{folders, output::outln};

pub fn clean(args: &CleanArgs) -> Result<Exit, CommandError> {
    let runs = folders::runs();
    let failed = |source| CommandError::Document { path: runs.clone(), source };
    let swept =
        run::sweep(&runs, Kept { newest: args.keep, failed: !args.failed_too }, args.dry_run).map_err(failed)?;
    let does = if args.dry_run { "would remove" } else { "removed" };
    for folder in &swept.removed {
        outln!("{does}  {}", folder.display());
    }
    outln!("{} of {} runs {}", swept.removed.len(), swept.found, if args.dry_run { "would go" } else { "are gone" });
    Ok(Exit::Pass)
}
