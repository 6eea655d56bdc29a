//! `harness install`: a folder with all that a run needs, for machines without a checkout; and what shells and `man` read.

use super::{
    CommandError, passed,
    preparation::{provide, runtime},
};
use crate::{
    cli::{Cli, CompletionsArgs, InstallArgs, ManArgs},
    exit::Exit,
    setup,
};
use clap::CommandFactory;
use serde_json::json;
use std::{io, path::Path};
use system::folders::workspace_root;

pub fn install(args: &InstallArgs) -> Result<Exit, CommandError> {
    let (tools, dispatcher) = runtime()?.block_on(provide())?;
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |source| CommandError::Document { path, source }
    };
    let program = std::env::current_exe().map_err(unusable(&args.to))?;
    let outbound = setup::bundle_of(&tools.outbound_index_js)?;
    let binary = setup::install(&workspace_root(), &program, &dispatcher, &outbound, &args.to)?;
    let told = json!({"folder": args.to, "program": binary});
    passed(args.print, &told, || {
        format!(
            "installed  {}\ntry        {} scenario outage\nit needs   Node 20 and, at its first run, npm's registry\n",
            args.to.display(),
            binary.display()
        )
    })
}

pub fn completions(args: &CompletionsArgs) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "harness", &mut script);
    system::output::out!("{}", String::from_utf8_lossy(&script));
    Ok(Exit::Pass)
}

pub fn man(args: &ManArgs) -> Result<Exit, CommandError> {
    let failed = |source: io::Error| CommandError::Document { path: args.to.clone(), source };
    std::fs::create_dir_all(&args.to).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), &args.to).map_err(failed)?;
    let first = args.to.join("harness.1");
    let told = json!({"folder": args.to, "first": first});
    passed(args.print, &told, || format!("wrote  {}\nread   man -l {}\n", args.to.display(), first.display()))
}
