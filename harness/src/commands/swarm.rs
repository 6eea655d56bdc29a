//! `harness swarm`, and `harness merge` of what its shards saw.

use super::{CommandError, preparation::stopped_by_interrupt};
use crate::{
    cli::{Format, MergeArgs, SwarmArgs},
    exit::Exit,
    swarm::{self, SwarmSeed, Tally},
};
use std::path::Path;
use system::{
    folders,
    output::{errln, out, outln},
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
    let (stop, _listening) = stopped_by_interrupt()?;
    let tally = swarm::swarm(&plan, &stop, &|what| outln!("{what}"))?;
    told(&tally, args.out.as_deref(), args.print.format)
}

pub fn merge(args: &MergeArgs) -> Result<Exit, CommandError> {
    match swarm::merge(&args.files)? {
        Some(tally) => told(&tally, args.out.as_deref(), args.print.format),
        None => Ok(Exit::NothingRan),
    }
}

fn told(tally: &Tally, out: Option<&Path>, format: Format) -> Result<Exit, CommandError> {
    let json = || reports::json::render(tally).map_err(CommandError::Json);
    if let Some(out) = out {
        std::fs::write(out, json()?).map_err(|source| CommandError::Document { path: out.to_owned(), source })?;
    }
    match format {
        Format::Table => out!("{}", swarm::render(tally)),
        Format::Json => out!("{}", json()?),
    }
    Ok(swarm::exit(tally))
}
