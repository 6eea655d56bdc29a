//! `harness selftest`: for the simulated tier in a build of the harness that has the bugs in it, which this one makes; for the
//! live tier with a Worker that has them.

#[cfg(not(feature = "seeded-bugs"))]
use super::{
    CommandError,
    providing::{provide_seeded, runtime, setting_up},
};
use crate::{
    cli::{Format, SelftestArgs},
    exit::Exit,
    selftest::{self, Score},
};
#[cfg(not(feature = "seeded-bugs"))]
use crate::{selftest::SelftestError, setup};
use dispatcher_core::paywall::seeded::Bug;
use scenario::Tier;
use system::output::{errln, out};

pub fn selftest(args: &SelftestArgs) -> Result<Exit, CommandError> {
    if args.list {
        out!("{}", selftest::list(&selftest::named(&args.bugs)?));
        return Ok(Exit::Pass);
    }
    let bugs = selftest::bugs(&args.bugs, args.tier)?;
    let score = match args.tier {
        Tier::Live => live(&bugs)?,
        Tier::Sim => simulated(&bugs)?,
    };
    match args.print.format {
        Format::Table => out!("{}", score.table()),
        Format::Json => out!("{}", reports::json::render(&score).map_err(CommandError::Json)?),
    }
    Ok(score.exit())
}

fn live(bugs: &[Bug]) -> Result<Score, CommandError> {
    let runtime = runtime()?;
    let tools = runtime.block_on(provide_seeded())?;
    Ok(runtime.block_on(selftest::run_live(bugs, &tools, &|what| errln!("{what}")))?)
}

/// In the build that has the bugs in it.
#[cfg(feature = "seeded-bugs")]
fn simulated(bugs: &[Bug]) -> Result<Score, CommandError> {
    Ok(selftest::run(bugs, &|what| errln!("{what}"))?)
}

/// Makes that build, which goes on in the place of this one.
#[cfg(not(feature = "seeded-bugs"))]
fn simulated(_: &[Bug]) -> Result<Score, CommandError> {
    use std::os::unix::process::CommandExt;

    let with_bugs = runtime()?.block_on(setting_up(setup::build_seeded))?;
    let not_started = std::process::Command::new(with_bugs).args(std::env::args_os().skip(1)).exec();
    Err(SelftestError::NotStarted(not_started).into())
}
