//! `harness fault`: faults of a world that another process serves.

use super::{CommandError, passed, preparation::runtime};
use crate::{
    cli::{FaultAct, FaultArgs},
    exit::Exit,
    serve::control::{self, Told},
};
use system::folders;

pub fn fault(args: &FaultArgs) -> Result<Exit, CommandError> {
    let told = runtime()?.block_on(async {
        let served = control::find(args.run_dir.as_deref(), &folders::runs()).await?;
        match &args.act {
            FaultAct::Add { words } => served.add(&words.join(" ")).await,
            FaultAct::List => served.list().await,
            FaultAct::Clear => served.clear().await,
        }
    })?;
    passed(args.print, &told, || in_words(&args.act, &told))
}

fn in_words(act: &FaultAct, Told { faults, .. }: &Told) -> String {
    match act {
        FaultAct::List if faults.is_empty() => "no fault is on\n".to_owned(),
        FaultAct::Clear if faults.is_empty() => "no fault was on\n".to_owned(),
        FaultAct::Add { .. } => faults.iter().map(|fault| format!("on        {fault}\n")).collect(),
        FaultAct::List => faults.iter().map(|fault| format!("{fault}\n")).collect(),
        FaultAct::Clear => faults.iter().map(|fault| format!("over      {fault}\n")).collect(),
    }
}
