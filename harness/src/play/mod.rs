//! What both tiers share of a run: its specification and its folder, what the dispatcher and its facilitators are told, when kills,
//! operators and phases are due, and how the dispatcher's log is read. Nothing here starts a process or knows virtual time.

mod dispatcher_config;
mod dispatcher_log;
mod fidelity;
mod kills;
mod location_counter;
mod manifest;
mod operator;
mod run_dir;
mod run_spec;
mod timeline;

pub use dispatcher_config::{LEDGER_SHARDS, faults, fund, keys, network, node_secret, raised, terms, vars};
pub use dispatcher_log::{event as log_event, leaked, line_of, refused};
pub use kills::{cause, moments, reached, waits_for_an_event};
pub use location_counter::LocationCounter;
pub use manifest::{MANIFEST_SCHEMA, Manifest};
pub use operator::{body as quarantine_body, carry_out as carry_out_operators};
pub use run_dir::{EVENTS, MANIFEST, REPORT, RunDir, RunDirError, SCENARIO};
pub use run_spec::RunSpec;
pub use timeline::mark;
