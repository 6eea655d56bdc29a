//! `harness check`: a run that is over, judged again. Changes nothing: what was found when it ended stays in its folder.

use super::{CommandError, scenario::print};
use crate::{acceptance::Bar, cli::CheckArgs, exit::Exit, recording::Recording};
use reports::Run;
use scenario::Library;

/// Changes nothing: what was found when the run ended stays in its folder.
pub fn check(args: &CheckArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    let bar = Bar::of(&library, args.bar.gate())?;
    let recording = Recording::open(&args.run, args.scenario.as_deref(), &library)?;
    let (report, history) = recording.judge();
    let report = bar.hold(report);
    args.report.write(&[Run::with_events(&report, &history.events)])?;
    print(&report, args.print)
}
