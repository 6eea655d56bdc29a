//! The dispatcher without its platform: tenants, plans, resolution and telemetry around the paywall.
//!
//! Runs natively and in wasm from this one source. What it needs of a platform are the traits in [`ports`], which
//! [`platform`] names together. A request's story, top to bottom, is [`dispatcher`]; what stands around it is [`serving`].

pub mod admission;
pub mod answer;
mod bazaar;
pub mod calendar;
pub mod catalogue;
pub mod config;
mod confinement;
mod cookies;
pub mod cors;
pub mod cors_policy;
mod credential_headers;
pub mod departures;
pub mod directory;
pub mod dispatch_key;
pub mod dispatcher;
pub mod egress;
mod free_paths;
pub mod hygiene;
pub mod limits_override;
pub mod listing;
pub mod log_text;
pub mod message;
mod mount;
pub mod operations;
pub mod passed;
pub mod plan;
pub mod platform;
pub mod platform_api;
pub mod ports;
pub mod quarantine;
pub mod quarantine_request;
pub mod refusal;
pub mod resolve;
mod sandbox;
pub mod serving;
pub mod shown;
mod sign_in;
pub mod telemetry;
pub mod tenant;
pub mod tenant_failure;
pub mod token_guard;
mod within;

pub use config::Config;
pub use dispatcher::{Dispatcher, Handled};
pub use x402_paywall as paywall;
pub use x402_protocol as protocol;
