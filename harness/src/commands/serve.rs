//! `harness serve`: a world that stays.

use super::{
    CommandError,
    providing::{make_run_dir, provide, provide_for, runtime},
};
use crate::{
    cli::ServeArgs,
    exit::Exit,
    serve::{self, OptionsError},
    world::ports,
};
use scenario::Library;

pub fn serve(args: &ServeArgs) -> Result<Exit, CommandError> {
    let scenario = match (&args.tenants[..], args.facilitators) {
        ([], None) => Library::find().load(&args.world)?,
        (tenants, facilitators) => serve::world(tenants, facilitators.unwrap_or(1).into())?,
    };
    serve::enough_facilitators(&scenario, &args.facilitator_ports)?;
    // Before anything is built or made.
    for port in args.port.iter().chain(&args.facilitator_ports) {
        ports::check(*port).map_err(|source| OptionsError::Taken { port: *port, source })?;
    }
    let runtime = runtime()?;
    let (tools, _) = runtime.block_on(provide())?;
    let tools = runtime.block_on(provide_for(&scenario, &tools))?;
    let run_dir = make_run_dir(None, "serve")?;
    runtime.block_on(serve::serve(&scenario, &tools, &run_dir, args))?;
    Ok(Exit::Pass)
}
