//! The release gate's decisions: what has to run, what it came to, whether a bundle may be deployed, and how a gradual
//! deployment does. No process is started here and no clock is read: the harness does that, and so may any other program.
//!
//! Surprising constraint: every rule here says no where it is told nothing. A gate that passes what it did not look at is worse
//! than none.

mod budget;
pub mod canary;
mod digest;
mod plan;
mod profile;
mod record;
mod seal;
mod statistics;
mod summary;
mod verify;

pub use budget::{Budget, BudgetError, Budgets, CanaryBudgets, MemoryBudget, RouteBudgets, ShareBudgets};
pub use digest::{FileDigest, sha256};
pub use plan::{Facts, Job, Kind, Needs, Program, ScenarioFacts, at_once, plan, runs_for, stages};
pub use profile::Profile;
pub use record::{
    CheckRecord, GATE_SCHEMA, GateRecord, JobRecord, Machine, Outcome, SCHEMA_FILE, Source, schema, verdict_of,
};
pub use seal::{Key, Seal, SealError};
pub use statistics::{Interval, ratio_of_pairs};
pub use summary::{markdown, table};
pub use verify::{Asked, Found, Refusal, verify};
