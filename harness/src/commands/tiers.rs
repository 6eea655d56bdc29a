//! `harness tiers`: scenarios in both tiers under one seed, and whether their judges agree. What the simulated tier says is
//! worth what the live tier confirms.

use super::{
    CommandError,
    engine::Engine,
    scenario::{in_tiers, run_of},
    show,
};
use crate::{acceptance::Bar, cli::TiersArgs, exit::Exit};
use reports::{
    comparison::{disagreements, verdicts},
    report::Report,
};
use scenario::{Library, Scenario, Tier};
use serde_json::{Value, json};
use system::output::{errln, out, outln};

pub fn tiers(args: &TiersArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    let bar = Bar::of(&library, args.bar.gate())?;
    let scenarios = match &args.which.scenario {
        Some(asked_for) => vec![(asked_for.clone(), library.load(asked_for)?)],
        None => {
            let selected = library.select(&args.which.select.selection())?;
            let selected = in_tiers(selected, &[Tier::Sim, Tier::Live])?;
            let in_both = |scenario: &Scenario| scenario.runs_in(Tier::Sim) && scenario.runs_in(Tier::Live);
            selected.into_iter().filter(in_both).map(|scenario| (scenario.id().to_string(), scenario)).collect()
        }
    };
    let (sim, live) = (Engine::set_up(Tier::Sim)?, Engine::set_up(Tier::Live)?);
    let is_json = args.print.is_json();
    let (mut alike, mut exits, mut all) = (0, Vec::new(), Vec::new());
    let mut compared: Vec<Value> = Vec::new();
    for (n, (asked_for, scenario)) in scenarios.iter().enumerate() {
        errln!("[{}/{}] {}: {}", n + 1, scenarios.len(), scenario.id(), scenario.title());
        let in_both = both(&sim, &live, asked_for, scenario, &bar);
        match in_both {
            Ok((simulated, ran)) => {
                let differ = disagreements(&verdicts(&simulated), &verdicts(&ran));
                alike += usize::from(differ.is_empty());
                let differ: Vec<_> =
                    differ.iter().map(|one| one.tell("in the simulated tier", "in the live one")).collect();
                compared.push(json!({
                    "scenario": simulated.scenario, "sim": simulated.verdict, "live": ran.verdict, "differ": differ,
                }));
                for report in [&simulated, &ran] {
                    if !is_json {
                        out!("{:4} {}", report.tier, reports::tally::line(report));
                    }
                    exits.push(Exit::of_report(report));
                }
                if !is_json {
                    differ.iter().for_each(|one| outln!("     {one}"));
                }
                all.extend([simulated, ran]);
            }
            Err(interrupted) if interrupted.exit() == Exit::Interrupted => return Err(interrupted),
            Err(error) => {
                exits.push(error.exit());
                errln!("{:?}", miette::Report::new(error));
            }
        }
    }
    args.report.write(&all.iter().map(run_of).collect::<Vec<_>>())?;
    let exit = Exit::of_several(&exits);
    let told = json!({
        "scenarios": compared, "alike": alike, "of": scenarios.len(), "exit_code": exit.code(),
    });
    show(args.print, &told, || {
        format!("{alike} of {} scenarios were judged alike in both tiers, rule by rule\n", scenarios.len())
    })?;
    Ok(exit)
}

fn both(
    sim: &Engine,
    live: &Engine,
    asked_for: &str,
    scenario: &Scenario,
    bar: &Bar,
) -> Result<(Report, Report), CommandError> {
    let simulated = sim.run(scenario, Some(asked_for), None, None, bar)?;
    // A scenario may leave its seed to the run, and both are to have one.
    let ran = live.run(scenario, Some(asked_for), Some(simulated.seed), None, bar)?;
    Ok((simulated, ran))
}
