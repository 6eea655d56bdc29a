//! `harness shrink`: a failure made small, and kept.

use super::{CommandError, passed, preparation::stopped_by_interrupt};
use crate::{
    catalogue::new_scenario::{self, NewError},
    cli::ShrinkArgs,
    exit::Exit,
    shrink::{self, Ended, Failing, Found, ShrinkError},
};
use scenario::{self, Library};
use serde_json::json;
use system::output::errln;

pub fn shrink(args: &ShrinkArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    let found = Found::at(&args.run, &library)?;
    let seed = args.seed.or(found.seed).ok_or_else(|| ShrinkError::NoSeed(args.run.clone()))?;
    let name = args.name.clone().unwrap_or_else(|| format!("shrunk-{}", found.id));
    let name = scenario::Name::new(&name).ok_or(ShrinkError::Name(name))?;
    let regression = || library.regressions().join(name.as_str()).with_extension("toml");
    let path = args.output.clone().unwrap_or_else(regression);
    // Not after minutes of work.
    if path.exists() {
        return Err(NewError::Taken(path).into());
    }
    let failing = Failing { file: &found.file, seed, rule: args.rule.as_deref(), name: name.as_str() };
    let say = |what: &str| errln!("{what}");
    // Ctrl-C ends it after the try that is under way, and what is small by then is kept.
    let (stop, _listening) = stopped_by_interrupt("finishing the try that is under way; Ctrl-C again stops it")?;
    let shrunk = shrink::shrink(&failing, &stop, &say)?;
    match shrunk.ended {
        Ended::Smallest => {}
        Ended::OutOfTries => errln!("{} tries are enough: it may not be the smallest", shrunk.tries),
        Ended::Stopped if shrunk.taken.is_empty() => return Err(CommandError::Interrupted),
        Ended::Stopped => errln!("stopped: it is not the smallest"),
    }
    let path = new_scenario::keep(path, &shrunk.text)?;
    let run = format!("{} scenario {} --tier sim", crate::called::as_called(), super::asked_for(&path, name.as_str()));
    let told = json!({
        "rules": shrunk.rules, "tries": shrunk.tries, "taken": shrunk.taken, "file": path, "run": run,
        "is_smallest": matches!(shrunk.ended, Ended::Smallest),
    });
    passed(args.print, &told, || {
        let (rules, tries, file) = (shrunk.rules.join(", "), shrunk.tries, path.display());
        format!("{rules} still breaks after {tries} tries; wrote {file}\nrun   {run}\n")
    })
}
