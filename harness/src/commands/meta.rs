//! `harness meta`: whether a seed gives the same trace twice.

use super::{CommandError, show, write_judged};
use crate::{
    cli::MetaArgs,
    exit::Exit,
    play::RunSpec,
    run::RunError,
    sim::determinism::{self, Twice},
};
use reports::{
    report::{Check, Report},
    verdict::Verdict,
};
use scenario::{Library, Tier, limits::MAX_SEED};
use serde_json::json;

pub fn meta(args: &MetaArgs) -> Result<Exit, CommandError> {
    let scenario = Library::find().load(&args.scenario)?;
    let seed = args.seed.or(scenario.seed()).unwrap_or_else(|| fastrand::u64(..=MAX_SEED));
    let asked = RunSpec { scenario: &scenario, as_: &args.scenario, tier: Tier::Sim, seed };
    let twice = determinism::twice(asked).map_err(RunError::from)?;
    let (exit, verdict, detail) = match &twice {
        Twice::Same { events, hash } => {
            (Exit::Pass, Verdict::Pass, format!("seed {seed} gave the same {events} events twice: {hash}"))
        }
        Twice::Different { at, first, second } => {
            let detail = format!("seed {seed} gave two runs; event {at} differs:\n  {first}\n  {second}");
            (Exit::DeterminismLost, Verdict::Fail, detail)
        }
    };
    write_judged(&args.report, || {
        let check = Check::of("META-1", "one-seed-one-run", "one seed gives one run", verdict, &detail);
        Report::of_checks(scenario.id().as_str(), "the same seed twice", vec![check], exit.code())
    })?;
    let told = json!({"scenario": scenario.id().as_str(), "seed": seed, "twice": twice, "exit_code": exit.code()});
    show(args.print, &told, || format!("{detail}\n"))?;
    Ok(exit)
}
