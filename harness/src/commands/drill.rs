//! `harness drill`: an incident made, its log handed over, and what one concludes checked.

use super::{CommandError, engine::Engine, passed, show, write_judged};
use crate::{
    acceptance::Bar,
    called::as_called,
    cli::DrillArgs,
    drill::{self, Conclusion, DRILLS, Drill, Graded, LOG},
    exit::Exit,
    play::EVENTS,
};
use reports::{
    event::Recorded,
    level::Level,
    report::{Check, Report},
    verdict::Verdict,
};
use scenario::{InvalidScenario, Library, LibraryError, Scenario};
use serde_json::json;
use std::path::Path;
use system::folders::write_private;
use system::output::errln;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum DrillError {
    #[error("there is no drill `{0}`")]
    #[diagnostic(help("there is: {}", DRILLS.map(|drill| drill.name).join(", ")))]
    Unknown(String),
}

pub fn drill(args: &DrillArgs) -> Result<Exit, CommandError> {
    let drill = drill::named(&args.name).ok_or_else(|| DrillError::Unknown(args.name.clone()))?;
    match &args.of {
        Some(folder) => check(drill, folder, args),
        None => make(drill, args),
    }
}

fn make(drill: &Drill, args: &DrillArgs) -> Result<Exit, CommandError> {
    let invalid = |error: InvalidScenario| CommandError::Library(LibraryError::Invalid(error));
    let scenario = Scenario::parse(&format!("{}.toml", drill.name), drill.scenario).map_err(invalid)?;
    let bar = Bar::of(&Library::find(), Level::Must)?;
    errln!("making an incident; it takes a minute");
    let report = Engine::set_up(args.tier)?.run(&scenario, None, None, None, &bar)?;
    let folder = Path::new(&report.run_dir);
    let history = history(folder)?;
    let log = folder.join(LOG);
    let unwritable = |source| CommandError::Document { path: log.clone(), source };
    write_private(&log, drill::tailed(&history, drill.until_s)).map_err(unwritable)?;
    let harness = as_called();
    let read = format!("{harness} incident {} -o {}", log.display(), folder.join("incident.toml").display());
    let answer = format!("{harness} drill {} --of {} --kind ... --who ...", drill.name, folder.display());
    let told = json!({"drill": drill.name, "folder": folder, "log": log, "read": read, "answer": answer});
    passed(args.print, &told, || format!("log   {}\nread  {read}\n\n{QUESTIONS}\n{answer}\n", log.display()))
}

const QUESTIONS: &str = "\
It is the night, and this is the log up to now. What do you conclude? Look at nothing else in that folder.
  --kind   facilitator, tenant, load, configuration, directory, ledger or dispatcher
  --who    which facilitator, or which tenant
  --call   verify, settle or none
  --began  the time of day, such as 03:12:45
  --open   how many payments nobody knows to be charged or not, at the log's end
";

fn check(drill: &Drill, folder: &Path, args: &DrillArgs) -> Result<Exit, CommandError> {
    let conclusion = Conclusion {
        kind: args.kind.clone(),
        who: args.who.clone(),
        call: args.call.clone(),
        began: args.began.clone(),
        open: args.open,
    };
    let graded = drill.grade(&conclusion, &history(folder)?);
    let exit = match &graded[..] {
        [] => Exit::NothingRan,
        graded if graded.iter().all(|it| it.is_right) => Exit::Pass,
        _ => Exit::RuleBroken,
    };
    write_judged(&args.report, || {
        let check = |it: &Graded| {
            let verdict = if it.is_right { Verdict::Pass } else { Verdict::Fail };
            Check::of("DRILL", it.what, &format!("{} is {}", it.what, it.truth), verdict, &it.said)
        };
        Report::of_checks("drill", drill.name, graded.iter().map(check).collect(), exit.code())
    })?;
    show(args.print, &json!({"answers": graded, "exit_code": exit.code()}), || {
        let line = |Graded { what, is_right, said, truth }: &Graded| {
            let verdict = if *is_right { "right".to_owned() } else { format!("no, it is {truth}") };
            format!("{what:<6} {said}: {verdict}\n")
        };
        graded.iter().map(line).collect()
    })?;
    Ok(exit)
}

fn history(folder: &Path) -> Result<Vec<Recorded>, CommandError> {
    let path = folder.join(EVENTS);
    let text = std::fs::read_to_string(&path).map_err(|source| CommandError::Document { path, source })?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}
