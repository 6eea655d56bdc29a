//! `harness bench`. Leaves nothing behind: what it writes is the storage of servers that nobody looks into afterwards.

use super::{
    CommandError,
    preparation::{provide_reference, runtime},
    show, write_judged,
};
use crate::{
    bench::{self, BenchTools, Extent},
    cli::BenchArgs,
    exit::Exit,
    play::RunDir,
};
use std::{path::Path, time::Duration};
use system::{
    clock::SystemClock,
    folders::{self, workspace_root},
    interrupt::interrupted,
    output::errln,
};

/// A file system in memory, where Linux has one.
const MEMORY: &str = "/dev/shm";

/// Leaves nothing behind: what it writes is the storage of servers that nobody looks into afterwards.
pub fn bench(args: &BenchArgs) -> Result<Exit, CommandError> {
    let runtime = runtime()?;
    let (workerd, tools, reference) = runtime.block_on(provide_reference())?;
    let tools = BenchTools {
        workerd,
        bundle_index_js: tools.bundle_index_js,
        wrangler_jsonc: tools.wrangler_jsonc,
        reference_module: reference.module,
        reference_library: reference.library,
        floor_module: workspace_root().join("harness/assets/bench/floor.mjs"),
    };
    let memory = Path::new(MEMORY);
    let storage = args.storage.clone().or_else(|| memory.is_dir().then(|| memory.to_owned()));
    let folder = format!("402claw-bench-{}", SystemClock::new().unix_ms());
    let folder = storage.unwrap_or_else(folders::runs).join(&folder);
    let run_dir = RunDir::make(Some(&folder), &folder, "bench", 0)?;
    folders::is_temporary(run_dir.path());
    let extent = Extent { rounds: args.rounds, within: Duration::from_secs(args.seconds) };
    let say = |what: &str| errln!("{what}");
    let report = runtime.block_on(async {
        tokio::select! {
            report = bench::bench(&tools, extent, &args.v8_flags, run_dir.path(), &say) => Ok(report?),
            () = interrupted() => Err(CommandError::Interrupted),
        }
    });
    run_dir.remove()?;
    let report = report?;
    write_judged(&args.report, || report.report())?;
    show(args.print, &report, || report.table())?;
    Ok(report.exit())
}
