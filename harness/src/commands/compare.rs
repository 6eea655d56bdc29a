//! `harness compare`: two sides of one scenario, by runs that are over, or by runs of two builds that it makes in turns: so that what
//! the machine does meanwhile is done to both.

use super::{CommandError, engine::Engine, show, write_judged};
use crate::{
    acceptance::Bar,
    cli::CompareArgs,
    compare::{Comparison, Side, runs_at},
    exit::Exit,
    recording::Recording,
};
use reports::level::Level;
use scenario::Library;
use std::path::Path;
use system::{interrupt::Interruption, output::errln, progress::Headway};

pub fn compare(args: &CompareArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    let [first, second] = match &args.scenario {
        Some(scenario) => in_turns(args, scenario, &library)?,
        None => of_runs(args, &library)?,
    };
    let comparison = Comparison::of(&first, &second, args.allowed / 100.0);
    write_judged(&args.report, || comparison.report())?;
    show(args.print, &comparison, || comparison.table())?;
    Ok(comparison.exit())
}

fn sides(args: &CompareArgs) -> [Side; 2] {
    [&args.first, &args.second].map(|path| Side::new(&path.display().to_string()))
}

fn of_runs(args: &CompareArgs, library: &Library) -> Result<[Side; 2], CommandError> {
    let mut sides = sides(args);
    for (side, path) in sides.iter_mut().zip([&args.first, &args.second]) {
        for run in runs_at(path) {
            side.add(Recording::open(&run, None, library)?.into_events());
        }
    }
    Ok(sides)
}

fn in_turns(args: &CompareArgs, asked_for: &str, library: &Library) -> Result<[Side; 2], CommandError> {
    let scenario = library.load(asked_for)?;
    let bar = Bar::of(library, Level::Must)?;
    let engines = [Engine::of_bundle(&args.first)?, Engine::of_bundle(&args.second)?];
    let mut sides = sides(args);
    let headway = Headway::of(u64::from(2 * args.rounds));
    let interruption = Interruption::heed();
    for round in 0..args.rounds {
        // Who goes first changes, so that being second is nobody's lot.
        for turn in 0..2 {
            if interruption.is_asked() {
                return Err(CommandError::Interrupted);
            }
            let at = ((round + turn) % 2) as usize;
            errln!("round {} of {}: {}", round + 1, args.rounds, sides[at].name);
            // One seed for both: the same callers come at the same times.
            let report = engines[at].run(&scenario, Some(asked_for), Some(u64::from(round)), None, &bar)?;
            sides[at].add(Recording::open(Path::new(&report.run_dir), None, library)?.into_events());
            headway.at(u64::from(2 * round + turn + 1), &format!("round {} of {}", round + 1, args.rounds));
        }
    }
    Ok(sides)
}
