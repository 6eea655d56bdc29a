//! `harness report`: a run that is over, told anew. It is judged again by today's rules, as by `check`, and ends with what
//! that comes to.

use super::CommandError;
use crate::{
    acceptance::Bar,
    cli::{ReportArgs, ReportFile, RunReportArgs},
    exit::Exit,
    recording::Recording,
};
use reports::{Format, Run, report::Report};
use scenario::Library;
use std::path::Path;
use system::output::{out, outln};

pub fn report(args: &RunReportArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    let bar = Bar::of(&library, args.bar.gate())?;
    let (report, history) = Recording::open(&args.run, None, &library)?.judge();
    let report = bar.hold(report);
    let files = if args.report.is_empty() { by_default(&report) } else { args.report.clone() };
    files.write(&[Run::with_events(&report, &history.events)])?;
    if args.print.is_json() {
        out!("{}", reports::json::render(&report).map_err(CommandError::Json)?);
    } else {
        for ReportFile { format, path } in &files.files {
            outln!("wrote {} ({format})", path.display());
        }
    }
    Ok(Exit::of_report(&report))
}

/// The page, in the run's folder, or beside an export.
fn by_default(report: &Report) -> ReportArgs {
    let run = Path::new(&report.run_dir);
    let path = if run.is_dir() { run.join("report.html") } else { run.with_extension("html") };
    ReportArgs { files: vec![ReportFile { format: Format::Html, path }] }
}
