//! Cloudflare's API: uploads of tenants' Workers, and deployments of the dispatcher.

mod account;
mod api;
mod config;
mod module;
mod rollback;
mod rollout;
mod script;
mod steps;
mod token;
mod worker;

pub use account::Account;
pub use api::{Api, ApiError, Namespace, is_name};
pub use config::{Resource, WorkerConfig};
pub use module::Module;
pub use rollback::{Rollback, choose, crosses_migration};
pub use rollout::{Broken, Rollout, deployment};
pub use script::Script;
pub use steps::{Plan, Refusal, Step, There, Wanted, plan, told};
pub use token::{token, token_if_any};
pub use worker::Worker;
