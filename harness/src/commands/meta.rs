//! `harness meta`: whether a seed gives the same trace twice.

use super::CommandError;
use crate::{
    cli::MetaArgs,
    exit::Exit,
    play::RunSpec,
    run::RunError,
    sim::determinism::{self, Twice},
};
use scenario::{Library, Tier, limits::MAX_SEED};
use system::output::outln;

pub fn meta(args: &MetaArgs) -> Result<Exit, CommandError> {
    let scenario = Library::find().load(&args.scenario)?;
    let seed = args.seed.or(scenario.seed()).unwrap_or_else(|| fastrand::u64(..=MAX_SEED));
    let asked = RunSpec { scenario: &scenario, as_: &args.scenario, tier: Tier::Sim, seed };
    Ok(match determinism::twice(asked).map_err(RunError::from)? {
        Twice::Same { events, hash } => {
            outln!("seed {seed} gave the same {events} events twice: {hash}");
            Exit::Pass
        }
        Twice::Different { at, first, second } => {
            outln!("seed {seed} gave two runs; event {at} differs:\n  {first}\n  {second}");
            Exit::DeterminismLost
        }
    })
}
