//! `harness drill`: an incident made, its log handed over, and what one concludes checked.

use super::{CommandError, engine::Engine};
use crate::{
    acceptance::Bar,
    called::as_called,
    cli::DrillArgs,
    drill::{self, Conclusion, DRILLS, Drill, Graded, LOG},
    exit::Exit,
    play::EVENTS,
};
use reports::{event::Recorded, level::Level};
use scenario::{InvalidScenario, Library, LibraryError, Scenario};
use std::path::Path;
use system::folders::write_private;
use system::output::{errln, outln};

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
    outln!("log   {}", log.display());
    outln!("read  {harness} incident {} -o {}\n", log.display(), folder.join("incident.toml").display());
    outln!(
        "It is the night, and this is the log up to now. What do you conclude? Look at nothing else in that folder."
    );
    outln!("  --kind   facilitator, tenant, load, configuration, directory, ledger or dispatcher");
    outln!("  --who    which facilitator, or which tenant");
    outln!("  --call   verify, settle or none");
    outln!("  --began  the time of day, such as 03:12:45");
    outln!("  --open   how many payments nobody knows to be charged or not, at the log's end\n");
    outln!("{harness} drill {} --of {} --kind ... --who ...", drill.name, folder.display());
    Ok(Exit::Pass)
}

fn check(drill: &Drill, folder: &Path, args: &DrillArgs) -> Result<Exit, CommandError> {
    let conclusion = Conclusion {
        kind: args.kind.clone(),
        who: args.who.clone(),
        call: args.call.clone(),
        began: args.began.clone(),
        open: args.open,
    };
    let graded = drill.grade(&conclusion, &history(folder)?);
    for Graded { what, is_right, said, truth } in &graded {
        let verdict = if *is_right { "right".to_owned() } else { format!("no, it is {truth}") };
        outln!("{what:<6} {said}: {verdict}");
    }
    Ok(match &graded[..] {
        [] => Exit::NothingRan,
        graded if graded.iter().all(|it| it.is_right) => Exit::Pass,
        _ => Exit::RuleBroken,
    })
}

fn history(folder: &Path) -> Result<Vec<Recorded>, CommandError> {
    let path = folder.join(EVENTS);
    let text = std::fs::read_to_string(&path).map_err(|source| CommandError::Document { path, source })?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}
