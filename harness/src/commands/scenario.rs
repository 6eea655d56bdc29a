//! `harness scenario`: one scenario, or a selection of them one after the other.

use super::{CommandError, engine::Engine, words};
use crate::{
    acceptance::Bar,
    cli::{Format, FormatArgs, ScenarioArgs},
    exit::Exit,
    play::EVENTS,
};
use reports::{Run, report::Report};
use scenario::{Library, LibraryError, Scenario, Selection, Tier};
use std::{path::Path, time::Duration};
use system::{
    clock::{Clock, SystemClock},
    interrupt::Interruption,
    output::{self, errln, out, outln},
    progress::Headway,
};

pub fn scenario(args: &ScenarioArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    // Before anything is set up: a typo is told at once.
    let bar = Bar::of(&library, args.bar.gate())?;
    let Some(asked_for) = &args.which.scenario else {
        return several(&library, &args.which.select.selection(), args, &bar);
    };
    let scenario = library.load(asked_for)?;
    let stage = Engine::set_up(args.tier)?;
    let report = stage.run(&scenario, Some(asked_for), args.seed, args.run_dir.as_deref(), &bar)?;
    args.report.write(&[run_of(&report)])?;
    print(&report, args.print)
}

/// The report with the events that its run left in its folder.
pub fn run_of(report: &Report) -> Run<'_> {
    Run::with_events_in(report, Path::new(&report.run_dir).join(EVENTS))
}

pub fn print(report: &Report, print: FormatArgs) -> Result<Exit, CommandError> {
    match print.format {
        Format::Table => out!("{}", reports::terminal::render_in(report, output::columns().unwrap_or(usize::MAX))),
        Format::Json => out!("{}", reports::json::render(report).map_err(CommandError::Json)?),
    }
    Ok(Exit::of_report(report))
}

/// Those that run in all of the tiers; of the others it is told.
pub fn in_tiers(scenarios: Vec<Scenario>, tiers: &[Tier]) -> Result<Vec<Scenario>, CommandError> {
    let (in_all, elsewhere): (Vec<_>, Vec<_>) =
        scenarios.into_iter().partition(|scenario| tiers.iter().all(|tier| tier.runs(scenario)));
    for scenario in &elsewhere {
        anstream::eprintln!("{} is left out: its facilitators are official, and so it runs live alone", scenario.id());
    }
    if in_all.is_empty() { Err(LibraryError::NothingSelected.into()) } else { Ok(in_all) }
}

/// One line a scenario as it ends, and what broke of those that did not pass. A world that does not start says nothing of
/// the others: it is told, and they go on.
fn several(library: &Library, selection: &Selection, args: &ScenarioArgs, bar: &Bar) -> Result<Exit, CommandError> {
    let tier = args.tier;
    let mut scenarios = in_tiers(library.select(selection)?, &[tier])?;
    scenarios.retain(|scenario| scenario.runs_in(tier));
    let stage = Engine::set_up(tier)?;
    let clock = SystemClock::start();
    // What has been judged by then is told, whenever a person stops it.
    let interruption = Interruption::heed();
    let (mut all, mut exits) = (Vec::new(), Vec::new());
    let headway = Headway::of(scenarios.len() as u64);
    for (n, scenario) in scenarios.iter().enumerate() {
        if interruption.is_asked() {
            errln!("interrupted before {}, with {} of {} to go", scenario.id(), scenarios.len() - n, scenarios.len());
            exits.push(Exit::Interrupted);
            break;
        }
        let passed = exits.iter().filter(|exit| **exit == Exit::Pass).count();
        headway.at(n as u64, &format!("{n} of {}, {passed} passed", scenarios.len()));
        let so_far = Duration::from_micros(clock.now_us()).as_secs();
        errln!("[{}/{}, {so_far} s] {}: {}", n + 1, scenarios.len(), scenario.id(), scenario.title());
        match stage.run(scenario, Some(scenario.id().as_str()), None, None, bar) {
            Ok(report) => {
                if !args.print.is_json() {
                    words(&reports::tally::line(&report));
                }
                exits.push(Exit::of_report(&report));
                all.push(report);
            }
            Err(interrupted) if interrupted.exit() == Exit::Interrupted => {
                errln!("interrupted in {}, with {} of {} to go", scenario.id(), scenarios.len() - n, scenarios.len());
                exits.push(Exit::Interrupted);
                break;
            }
            Err(error) => {
                exits.push(error.exit());
                errln!("{:?}", miette::Report::new(error));
            }
        }
    }
    drop(headway);
    let took = Duration::from_micros(clock.now_us());
    args.report.write(&all.iter().map(run_of).collect::<Vec<_>>())?;
    match args.print.format {
        Format::Table => outln!("{}", reports::tally::tally(&all, scenarios.len() - all.len(), took)),
        Format::Json => out!("{}", reports::json::render(&all).map_err(CommandError::Json)?),
    }
    // Not all that was asked for was judged, whatever the rest came to.
    Ok(if exits.contains(&Exit::Interrupted) { Exit::Interrupted } else { Exit::of_several(&exits) })
}
