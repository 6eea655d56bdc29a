//! `harness selftest`: in a build of the harness that has the bugs in it, which this one makes.

use super::CommandError;
#[cfg(not(feature = "seeded-bugs"))]
use super::providing::{runtime, setting_up};
#[cfg(feature = "seeded-bugs")]
use crate::cli::Format;
use crate::{cli::SelftestArgs, exit::Exit, selftest};
#[cfg(not(feature = "seeded-bugs"))]
use crate::{selftest::SelftestError, setup};
use dispatcher_core::paywall::seeded::Bug;

pub fn selftest(args: &SelftestArgs) -> Result<Exit, CommandError> {
    let bugs = selftest::bugs(&args.bugs)?;
    if args.list {
        anstream::print!("{}", selftest::list(&bugs));
        return Ok(Exit::Pass);
    }
    seeded(args, &bugs)
}

/// In the build that has the bugs in it.
#[cfg(feature = "seeded-bugs")]
fn seeded(args: &SelftestArgs, bugs: &[Bug]) -> Result<Exit, CommandError> {
    let score = selftest::run(bugs, &|what| anstream::eprintln!("{what}"))?;
    match args.format {
        Format::Table => anstream::print!("{}", score.table()),
        Format::Json => anstream::print!("{}", reports::json::render(&score).map_err(CommandError::Json)?),
    }
    Ok(score.exit())
}

/// Makes that build, which goes on in the place of this one.
#[cfg(not(feature = "seeded-bugs"))]
fn seeded(_: &SelftestArgs, _: &[Bug]) -> Result<Exit, CommandError> {
    use std::os::unix::process::CommandExt;

    let with_bugs = runtime()?.block_on(setting_up(setup::build_seeded))?;
    let not_started = std::process::Command::new(with_bugs).args(std::env::args_os().skip(1)).exec();
    Err(SelftestError::NotStarted(not_started).into())
}
