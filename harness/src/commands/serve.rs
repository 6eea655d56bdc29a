//! `harness serve`: a world that stays.

use super::{
    CommandError,
    preparation::{make_run_dir, provide, provide_for, provide_telemetry, runtime},
};
use crate::{
    cli::ServeArgs,
    exit::Exit,
    live::Tools,
    serve::{self, Environment, OptionsError, ServeOptions},
    world::ports,
};
use scenario::Library;

pub fn serve(args: &ServeArgs) -> Result<Exit, CommandError> {
    let facilitators = |unless_given| args.facilitators.map_or(unless_given, usize::from);
    let (scenario, own) = match (&args.workers, &args.tenants[..], args.facilitators) {
        (Some(folder), ..) => {
            let own = serve::own_workers(folder, args.env, !args.facilitator_urls.is_empty())?;
            (serve::own_world(own.tenants.clone(), facilitators(2), args.env), Some(own))
        }
        (None, [], None) if args.env == Environment::Test => (Library::find().load(&args.world)?, None),
        (None, tenants, _) => (serve::world(tenants, facilitators(1), args.env)?, None),
    };
    serve::enough_facilitators(&scenario, &args.facilitator_ports)?;
    serve::check_faults(&scenario, &args.faults)?;
    // Before anything is built or made.
    for port in args.port.iter().chain(&args.facilitator_ports) {
        ports::check(*port).map_err(|source| OptionsError::Taken { port: *port, source })?;
    }
    let runtime = runtime()?;
    let (tools, _) = runtime.block_on(provide())?;
    let tools = runtime.block_on(provide_for(&scenario, &tools))?;
    let tools = if args.telemetry { runtime.block_on(provide_telemetry(tools))? } else { tools };
    let tools = Tools { telemetry_vars: args.telemetry_vars.iter().cloned().collect(), ..tools };
    let run_dir = make_run_dir(None, "serve")?;
    let wanted = ServeOptions {
        port: args.port,
        facilitator_ports: &args.facilitator_ports,
        facilitator_urls: &args.facilitator_urls,
        node_urls: &args.node_urls,
        faults: &args.faults,
        is_for_programs: args.print.is_json(),
    };
    runtime.block_on(serve::serve(&scenario, &tools, &run_dir, wanted, own))?;
    Ok(Exit::Pass)
}
