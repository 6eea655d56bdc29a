//! `harness incident`: a log made a page for whoever is on call, and a scenario; and the scenario run, beside the log.

use super::{CommandError, asked_for, engine::Engine, words};
use crate::{
    acceptance::Bar,
    called::as_called,
    catalogue::new_scenario::{self, NewError},
    cli::{IncidentArgs, IncidentReport, IncidentRun},
    exit::Exit,
    incident::{self, Comparison, Cut, IncidentError, Page, Reproduced},
    play::EVENTS,
};
use reports::{event::Recorded, level::Level, verdict::Verdict};
use scenario::{self, Library, LibraryError, Scenario, Tier, limits::MAX_SEED};
use std::path::{Path, PathBuf};
use system::output::{errln, out, outln};

pub fn incident(args: &IncidentArgs) -> Result<Exit, CommandError> {
    let name = scenario::Name::new(&args.name).ok_or_else(|| NewError::Name(args.name.clone()))?;
    let cut = Cut { from: args.from.as_deref(), to: args.to.as_deref(), request_ids: &args.request_ids };
    let read = incident::read(&args.logs, &cut)?;
    let page = Page::of(&read.incident, args.dispatcher.as_deref(), &read.left_out);
    let is_json = args.print.is_json();
    if !is_json {
        words(&page.to_string());
    }
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..=MAX_SEED));
    let made = match (incident::scenario(&read, &name, seed), args.run) {
        (Ok(text), _) => Some(new_scenario::keep(place(args, &name), &text)?),
        // A page is worth having where there is nobody to come again.
        (Err(IncidentError::Nothing), _) if !args.request_ids.is_empty() || read.incident.arrivals.is_empty() => None,
        (Err(error), _) => return Err(error.into()),
    };
    let mut compared = None;
    if let Some(path) = &made {
        let shown = path.display();
        if !is_json {
            let (harness, called) = (as_called(), asked_for(path, name.as_str()));
            outln!("\nwrote {shown}\nread  {harness} explain {called}\nrun   {harness} scenario {called} --tier sim\n");
        }
        compared = run(args, path, &read)?;
    }
    if let (Some(comparison), false) = (&compared, is_json) {
        words(&format!("{comparison}\n"));
    }
    for IncidentReport { path } in &args.reports {
        let html = incident::html(&page, compared.as_ref());
        std::fs::write(path, html).map_err(|source| CommandError::Document { path: path.clone(), source })?;
    }
    if is_json {
        let all = serde_json::json!({"page": page, "scenario": made, "run": compared});
        out!("{}\n", serde_json::to_string_pretty(&all).map_err(CommandError::Json)?);
    }
    Ok(match compared.map(|compared| compared.verdict) {
        Some(Reproduced::NotReproduced) => Exit::Unknown,
        _ => Exit::Pass,
    })
}

/// Runs the scenario, and holds the run against the log.
fn run(args: &IncidentArgs, path: &Path, read: &incident::Read) -> Result<Option<Comparison>, CommandError> {
    let tier = match args.run {
        IncidentRun::No => return Ok(None),
        IncidentRun::Sim => Tier::Sim,
        IncidentRun::Live => Tier::Live,
    };
    let as_ = path.display().to_string();
    let library = Library::find();
    let text =
        std::fs::read_to_string(path).map_err(|source| CommandError::Document { path: path.to_owned(), source })?;
    let scenario = Scenario::parse(&as_, &text).map_err(LibraryError::Invalid)?;
    let bar = Bar::of(&library, Level::Must)?;
    let report = Engine::set_up(tier)?.run(&scenario, Some(&as_), None, None, &bar)?;
    let events = Path::new(&report.run_dir).join(EVENTS);
    let text = std::fs::read_to_string(&events).map_err(|source| CommandError::Document { path: events, source })?;
    let history: Vec<Recorded> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for check in report.checks.iter().filter(|check| check.verdict != Verdict::Pass) {
        errln!("in the run, {} {}: {}", check.id, format!("{:?}", check.verdict).to_lowercase(), check.detail);
    }
    Ok(Some(incident::compare(&read.incident, &history)))
}

/// The path of the scenario: never into the library unasked, and over nothing that is there.
fn place(args: &IncidentArgs, name: &scenario::Name) -> PathBuf {
    if let Some(path) = &args.output {
        return path.clone();
    }
    let numbered = (2_u64..).map(|n| PathBuf::from(format!("{name}-{n}.toml")));
    let free = std::iter::once(PathBuf::from(format!("{name}.toml"))).chain(numbered).find(|path| !path.exists());
    free.expect("numbers do not run out")
}
