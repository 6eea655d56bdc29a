//! `harness scenario`: one scenario, or a selection of them one after the other.

use super::{CommandError, stage::Stage};
use crate::{
    bar::Bar,
    cli::{Format, ScenarioArgs},
    clock::{Clock, SystemClock},
    exit::Exit,
    scenario::{Library, Selection},
    tier::Tier,
};
use reports::report::Report;
use std::time::Duration;

pub fn scenario(args: &ScenarioArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    // Before anything is set up: a typo is told at once.
    let bar = Bar::of(&library, args.bar.gate())?;
    let Some(asked_for) = &args.which.scenario else {
        return several(&library, &args.which.select.selection(), args.tier, &bar, args.format);
    };
    let scenario = library.load(asked_for)?;
    let stage = Stage::set_up(args.tier)?;
    let report = stage.run(&scenario, Some(asked_for), args.seed, args.run_dir.as_deref(), &bar)?;
    print(&report, args.format)
}

pub fn print(report: &Report, format: Format) -> Result<Exit, CommandError> {
    match format {
        Format::Table => anstream::print!("{}", reports::terminal::render(report)),
        Format::Json => anstream::print!("{}", reports::json::render(report).map_err(CommandError::Json)?),
    }
    Ok(Exit::of_report(report))
}

/// One line a scenario as it ends, and what broke of those that did not pass. A world that does not start says nothing of
/// the others: it is told, and they go on.
fn several(
    library: &Library,
    selection: &Selection,
    tier: Tier,
    bar: &Bar,
    format: Format,
) -> Result<Exit, CommandError> {
    let mut scenarios = library.select(selection)?;
    scenarios.retain(|scenario| scenario.runs_in(tier));
    let stage = Stage::set_up(tier)?;
    let clock = SystemClock::start();
    let (mut all, mut exits) = (Vec::new(), Vec::new());
    for (n, scenario) in scenarios.iter().enumerate() {
        let so_far = Duration::from_micros(clock.now_us()).as_secs();
        anstream::eprintln!("[{}/{}, {so_far} s] {}: {}", n + 1, scenarios.len(), scenario.id(), scenario.title());
        match stage.run(scenario, Some(scenario.id().as_str()), None, None, bar) {
            Ok(report) => {
                if format == Format::Table {
                    anstream::print!("{}", reports::tally::line(&report));
                }
                exits.push(Exit::of_report(&report));
                all.push(report);
            }
            Err(interrupted) if interrupted.exit() == Exit::Interrupted => return Err(interrupted),
            Err(error) => {
                exits.push(error.exit());
                anstream::eprintln!("{:?}", miette::Report::new(error));
            }
        }
    }
    let took = Duration::from_micros(clock.now_us());
    match format {
        Format::Table => anstream::println!("{}", reports::tally::tally(&all, scenarios.len() - all.len(), took)),
        Format::Json => anstream::print!("{}", reports::json::render(&all).map_err(CommandError::Json)?),
    }
    Ok(Exit::of_several(&exits))
}
