//! Everything that building and running the dispatcher needs beyond Rust and Node: found where it is there, provided
//! into a cache where it is not, and never half-installed.
//!
//! The surprising constraint: a fresh clone has 8 minutes for set-up, build and the first verdict on two cores, so what
//! waits for the network (npm, rustup, apt) runs beside what burns CPU (cargo), and every tool is compiled unoptimised.

mod binaryen;
mod bundle;
mod cache;
mod cargo_tool;
mod child;
mod client;
mod doctor;
mod error;
mod load_tests;
mod namespace_tools;
mod node;
mod npm;
mod official;
mod openssl;
mod planted;
mod prebuilt;
mod progress;
mod reference;
mod requirement;
mod site;
mod toolchain;
mod versions;
mod wasm_bindgen;
mod wasm_target;
mod worker_build;
mod wrangler;

use std::{path::Path, thread};

pub use bundle::{
    Bundle, Profile, WorkerCrate, build_dataset_worker, build_dispatcher, build_outbound, build_worker, bundle_of,
};
pub use client::official_client;
pub use doctor::{Finding, diagnose, render};
pub use error::SetupError;
pub use load_tests::{build_journeys, build_load_tests};
pub use namespace_tools::NamespaceTools;
pub use official::build_official_facilitator;
pub use planted::{build_planted, build_planted_dispatcher};
pub use prebuilt::{install, is_installed, prebuilt};
pub use progress::{Progress, ToStderr};
pub use reference::{Reference, build_reference};
pub use requirement::{Found, Requirement};
pub use site::{Cancelled, Site};
pub use toolchain::Toolchain;

/// Every requirement, in the order `doctor` lists them.
pub fn requirements(site: &Site) -> Result<Vec<Box<dyn Requirement>>, SetupError> {
    if is_installed(site.workspace()) {
        return Ok(vec![Box::new(node::Node), Box::new(wrangler::Wrangler)]);
    }
    Ok(vec![
        Box::new(openssl::OpensslHeaders),
        Box::new(node::Node),
        Box::new(wrangler::Wrangler),
        Box::new(wasm_target::WasmTarget),
        Box::new(wasm_bindgen::WasmBindgen { wanted: versions::wasm_bindgen(site.workspace())? }),
        Box::new(worker_build::WorkerBuild),
        Box::new(binaryen::WasmOpt),
    ])
}

/// Provides what is missing and hands back where everything is. Safe to run twice, concurrently, and after an
/// interruption; when nothing is missing it costs a few milliseconds.
pub fn ensure(workspace: &Path, progress: &mut dyn Progress, cancelled: &Cancelled) -> Result<Toolchain, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    provide_missing(&site, &requirements(&site)?)?;
    Toolchain::locate(&site)
}

/// Provides what a dispatch namespace and a dispatcher beside it need: no compiler.
pub fn ensure_namespace(
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<NamespaceTools, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    provide_missing(&site, &[Box::new(node::Node), Box::new(wrangler::Wrangler)])?;
    NamespaceTools::locate(&site)
}

fn provide_missing(site: &Site, requirements: &[Box<dyn Requirement>]) -> Result<(), SetupError> {
    let missing: Vec<&dyn Requirement> =
        requirements.iter().map(AsRef::as_ref).filter(|requirement| requirement.found(site).is_none()).collect();
    // One thread a requirement: they meet only at the locks of the cache slot that they share.
    let outcomes: Vec<Result<(), SetupError>> = thread::scope(|scope| {
        let running: Vec<_> = missing
            .iter()
            .map(|requirement| {
                let label = requirement.name().to_owned();
                scope.spawn(move || {
                    let outcome = site.step(&label, *requirement);
                    if outcome.is_err() {
                        // One failure ends the set-up: nobody should wait minutes for the rest of a build that cannot be.
                        site.abandon();
                    }
                    outcome
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(Err(SetupError::Panicked))).collect()
    });
    // The first real failure is the one to show; the others may only have been called off because of it.
    let mut failures = outcomes.into_iter().filter_map(Result::err).collect::<Vec<_>>();
    failures.sort_by_key(|failure| matches!(failure, SetupError::Interrupted { .. }));
    match failures.into_iter().next() {
        Some(failure) => Err(failure),
        None if missing.is_empty() => Ok(()),
        None => cargo_tool::tidy(site),
    }
}
