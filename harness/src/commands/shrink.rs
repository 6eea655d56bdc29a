//! `harness shrink`: a failure made small, and kept.

use super::CommandError;
use crate::{
    cli::ShrinkArgs,
    exit::Exit,
    new,
    scenario::{self, Library},
    shrink::{self, Failing, Found, ShrinkError},
};

pub fn shrink(args: &ShrinkArgs) -> Result<Exit, CommandError> {
    let found = Found::at(&args.run)?;
    let seed = args.seed.or(found.seed).ok_or_else(|| ShrinkError::NoSeed(args.run.clone()))?;
    let name = args.name.clone().unwrap_or_else(|| format!("shrunk-{}", found.id));
    let name = scenario::Name::new(&name).ok_or(ShrinkError::Name(name))?;
    let failing = Failing { file: &found.file, seed, rule: args.rule.as_deref(), name: name.as_str() };
    let say = |what: &str| anstream::eprintln!("{what}");
    let shrunk = shrink::shrink(&failing, &say)?;
    let path = new::keep(Library::find().regressions().join(name.as_str()).with_extension("toml"), &shrunk.text)?;
    anstream::println!(
        "{} still breaks after {} tries; wrote {}\nrun   cargo run -p harness -- scenario {name} --tier sim",
        shrunk.rules.join(", "),
        shrunk.tries,
        path.display()
    );
    Ok(Exit::Pass)
}
