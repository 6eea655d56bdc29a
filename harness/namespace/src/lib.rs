//! A dispatch namespace on this machine that enforces what it is told: `harness namespace --tenants DIR`.
//!
//! `wrangler dev` has no dispatch namespace and open-source workerd enforces no limit, so each tenant runs in processes of
//! its own (`process.rs`, `pool.rs`), whose CPU time and memory are watched from outside (`cut_off.rs`) and whose every subrequest
//! passes through here (`outbound.rs`). `invocation.rs` tells one dispatch's story.
//!
//! Surprising constraint: attribution is exact only because a process serves one invocation at a time.

#[cfg(not(target_os = "linux"))]
compile_error!("the harness runs on Linux only: it reads other processes' CPU clocks and adopts their orphans");

mod calibrate;
mod calibration;
mod console;
mod cpu_clock;
mod cut_off;
mod deploys;
mod dispatch;
mod exception;
mod headers;
mod invocation;
mod limits;
mod memory;
mod outbound;
mod plugin;
mod policy;
mod pool;
mod process;
mod record;
mod report;
mod scratch;
mod script;
mod shelves;
mod stream;
mod supervisor;
#[cfg(test)]
mod testing;
mod workerd_config;

pub use calibrate::{CalibrateError, calibrate, write_scripts};
pub use exception::{EXCEEDED_CPU, EXCEEDED_MEMORY, NOT_FOUND, TOO_MANY_SUBREQUESTS};
pub use limits::{DispatchedLimits, Limits};
pub use memory::{DEFAULT_MEMORY_MB, Memory};
pub use plugin::{NAME as PLUGIN_NAME, snippet, write as write_plugin};
pub use policy::Policy;
pub use record::Told;
pub use report::{Report, ReportError, Reporter};
pub use scratch::Scratch;
pub use script::{SETTINGS_FILE, files as script_files};
pub use supervisor::{Options, StartError, Supervisor};

/// The hidden subcommand under which a program starts itself again as the supervisor.
pub const SUBCOMMAND: &str = "__namespace";
