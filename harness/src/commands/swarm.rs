//! `harness swarm`, and `harness merge` of what its shards saw.

use super::{CommandError, preparation::stopped_by_interrupt, show, write_judged};
use crate::{
    cli::{FormatArgs, MergeArgs, ReportArgs, SwarmArgs},
    exit::Exit,
    swarm::{self, SwarmSeed, Tally},
};
use std::path::Path;
use system::{
    folders,
    interrupt::is_interrupted,
    output::{errln, outln},
};

/// Runs without `--runs` and `--for`: about a minute of one core.
const SWARM_RUNS: u64 = 200;

pub fn swarm(args: &SwarmArgs) -> Result<Exit, CommandError> {
    let runs = args.runs.unwrap_or(SWARM_RUNS);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let plan = swarm::Plan {
        seed: args.seed.unwrap_or_else(SwarmSeed::draw),
        shard: args.shard,
        extent: args.time.map_or(swarm::Extent::Runs(runs), swarm::Extent::Time),
        threads: args.threads.map_or_else(cores, |threads| threads as usize),
        until_broken: !args.keep_going,
        runs: folders::runs(),
    };
    errln!("simulating what is drawn from seed {}, on {} threads", plan.seed, plan.threads);
    // Ctrl-C ends it after the runs that are under way, and what was seen is told.
    let (stop, _listening) = stopped_by_interrupt("finishing the runs that are under way; Ctrl-C again stops them")?;
    let is_json = args.print.is_json();
    let tally = swarm::swarm(&plan, &stop, &|what| if is_json { errln!("{what}") } else { outln!("{what}") })?;
    let exit = told(&tally, args.out.as_deref(), &args.report, args.print)?;
    // What was asked for was not all done, whatever the rest came to.
    Ok(if is_interrupted() && exit == Exit::Pass { Exit::Interrupted } else { exit })
}

pub fn merge(args: &MergeArgs) -> Result<Exit, CommandError> {
    match swarm::merge(&args.files)? {
        Some(tally) => told(&tally, args.out.as_deref(), &args.report, args.print),
        None => Ok(Exit::NothingRan),
    }
}

fn told(tally: &Tally, out: Option<&Path>, files: &ReportArgs, print: FormatArgs) -> Result<Exit, CommandError> {
    if let Some(out) = out {
        let json = reports::json::render(tally).map_err(CommandError::Json)?;
        std::fs::write(out, json).map_err(|source| CommandError::Document { path: out.to_owned(), source })?;
    }
    write_judged(files, || swarm::report(tally))?;
    show(print, tally, || swarm::render(tally))?;
    Ok(swarm::exit(tally))
}
