//! `harness serve`: a world that stays.

use super::{
    CommandError,
    preparation::{make_run_dir, provide, provide_for, runtime},
};
use crate::{
    cli::ServeArgs,
    exit::Exit,
    serve::{self, OptionsError, ServeOptions},
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
    let wanted = ServeOptions {
        port: args.port,
        facilitator_ports: &args.facilitator_ports,
        facilitator_urls: &args.facilitator_urls,
        node_urls: &args.node_urls,
    };
    runtime.block_on(serve::serve(&scenario, &tools, &run_dir, wanted))?;
    Ok(Exit::Pass)
}
