//! `harness selftest`: for the simulated tier in a build of the harness that has the bugs in it, which this one makes; for the
//! live tier with a Worker that has them.

use super::{
    CommandError, passed,
    preparation::{provide_planted, runtime, setting_up},
    show, write_judged,
};
use crate::{
    acceptance::Bar,
    cli::SelftestArgs,
    exit::Exit,
    selftest::{self, Bug, Reach, Score, SelftestError},
    setup,
};
use reports::{level::Level, report::Report};
use scenario::{Library, Tier};
use std::os::unix::process::CommandExt;
use system::{folders::workspace_root, output::errln};

pub fn selftest(args: &SelftestArgs) -> Result<Exit, CommandError> {
    let all = selftest::catalogue(args.more.as_deref())?;
    let names = args.names();
    if args.list {
        let bugs = selftest::named(&all, &names)?;
        return passed(args.print, &selftest::as_json(&bugs), || selftest::list(&bugs));
    }
    let bugs = selftest::of_tier(&all, &names, args.tier)?;
    if args.everywhere && args.tier == Tier::Live {
        return Err(SelftestError::Everywhere.into());
    }
    let bar = Bar::of(&Library::find(), Level::Must)?;
    // Before a build of minutes.
    selftest::check(&bugs)?;
    let score = match args.tier {
        Tier::Live => live(&bugs, &all)?,
        Tier::Sim => simulated(&bugs, &all, if args.everywhere { Reach::Everywhere } else { Reach::Named })?,
    };
    let held = bar.hold_judgement(score.report());
    let score = score.with_known(&held);
    write_judged(&args.report, || Report { exit_code: score.exit().code(), ..held })?;
    show(args.print, &score, || score.table())?;
    Ok(score.exit())
}

fn live(bugs: &[Bug], all: &[Bug]) -> Result<Score, CommandError> {
    let planted = selftest::plant(&workspace_root(), all)?;
    let runtime = runtime()?;
    let tools = runtime.block_on(provide_planted(planted))?;
    Ok(runtime.block_on(selftest::run_live(bugs, &tools, &|what| errln!("{what}")))?)
}

/// Makes the build that has the bugs in it, which goes on in the place of this one.
fn simulated(bugs: &[Bug], all: &[Bug], reach: Reach) -> Result<Score, CommandError> {
    if selftest::HAS_BUGS {
        return Ok(selftest::run(bugs, reach, &|what| errln!("{what}"))?);
    }
    let planted = selftest::plant(&workspace_root(), all)?;
    let build = setting_up(move |root, progress, cancelled| setup::build_planted(root, &planted, progress, cancelled));
    let with_bugs = runtime()?.block_on(build)?;
    let not_started = std::process::Command::new(with_bugs).args(std::env::args_os().skip(1)).exec();
    Err(SelftestError::NotStarted(not_started).into())
}
