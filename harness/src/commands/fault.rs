//! `harness fault`: faults of a world that another process serves.

use super::{CommandError, preparation::runtime};
use crate::{
    cli::{FaultAct, FaultArgs},
    exit::Exit,
    serve::control::{self, Told},
};
use system::folders;
use system::output::outln;

pub fn fault(args: &FaultArgs) -> Result<Exit, CommandError> {
    let told = runtime()?.block_on(async {
        let served = control::find(args.run_dir.as_deref(), &folders::runs()).await?;
        match &args.act {
            FaultAct::Add { words } => served.add(&words.join(" ")).await,
            FaultAct::List => served.list().await,
            FaultAct::Clear => served.clear().await,
        }
    })?;
    match (&args.act, told) {
        (FaultAct::List, Told { faults, .. }) if faults.is_empty() => outln!("no fault is on"),
        (FaultAct::Clear, Told { faults, .. }) if faults.is_empty() => outln!("no fault was on"),
        (FaultAct::Add { .. }, Told { faults, .. }) => faults.iter().for_each(|fault| outln!("on        {fault}")),
        (FaultAct::List, Told { faults, .. }) => faults.iter().for_each(|fault| outln!("{fault}")),
        (FaultAct::Clear, Told { faults, .. }) => faults.iter().for_each(|fault| outln!("over      {fault}")),
    }
    Ok(Exit::Pass)
}
