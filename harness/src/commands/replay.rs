//! `harness replay`: a recorded run once more, and whether it came out as it did.

use super::{
    CommandError,
    engine::Engine,
    scenario::{print, run_of},
};
use crate::{acceptance::Bar, cli::ReplayArgs, exit::Exit, recording::Recording};
use scenario::{Library, Tier};
use system::output::errln;

pub fn replay(args: &ReplayArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    let bar = Bar::of(&library, args.bar.gate())?;
    let recording = Recording::open(&args.run, None, &library)?;
    let stage = Engine::set_up(recording.tier)?;
    let differences = stage.differences(&recording);
    errln!("{}", compared("this machine", "is as the one that recorded the run", "differs", &differences));
    let report = stage.run(&recording.scenario, None, Some(recording.seed), args.run_dir.as_deref(), &bar)?;
    let exit = print(&report, args.print)?;
    args.report.write(&[run_of(&report)])?;
    let changed = recording.compare(&report);
    errln!("{}", compared("the run", "was judged as the recorded one, rule by rule", "was judged otherwise", &changed));
    // Virtual time leaves nothing to chance: there, the same code under the same seed has one outcome.
    let is_bound_to_repeat = recording.tier == Tier::Sim && differences.is_empty();
    Ok(if is_bound_to_repeat && !changed.is_empty() { Exit::DeterminismLost } else { exit })
}

fn compared(what: &str, same: &str, other: &str, lines: &[String]) -> String {
    match lines {
        [] => format!("{what} {same}"),
        lines => format!("{what} {other}:\n  {}", lines.join("\n  ")),
    }
}
