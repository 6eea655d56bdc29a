//! `harness incident`: a log made a scenario.

use super::CommandError;
use crate::{
    catalogue::new_scenario::{self, NewError},
    cli::IncidentArgs,
    exit::Exit,
    incident,
};
use scenario::{self, Library, limits::MAX_SEED};
use system::output::{errln, outln};

pub fn incident(args: &IncidentArgs) -> Result<Exit, CommandError> {
    let name = scenario::Name::new(&args.name).ok_or_else(|| NewError::Name(args.name.clone()))?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..=MAX_SEED));
    let text = incident::scenario(&args.log, &name, seed, &|what| errln!("{what}"))?;
    let path = new_scenario::keep(Library::find().path(&name), &text)?;
    outln!(
        "wrote {}\nread  cargo run -p harness -- explain {name}\nrun   cargo run -p harness -- scenario {name} --tier sim",
        path.display()
    );
    Ok(Exit::Pass)
}
