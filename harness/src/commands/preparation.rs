//! What commands that run the dispatcher need first: the tools, the built bundle, a runtime, a folder.

use super::CommandError;
use crate::{
    live::Tools,
    planting::Texts,
    play::RunDir,
    run,
    setup::{self, Bundle, Cancelled, Progress, Reference, SetupError, ToStderr, Toolchain},
};
use scenario::Scenario;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use system::{
    clock::SystemClock,
    folders::{self, workspace_root},
    interrupt::{Interruption, interrupted},
    output::errln,
};

/// Provides what is missing and builds the Workers.
pub async fn provide() -> Result<(Tools, Bundle), CommandError> {
    if setup::is_installed(&workspace_root()) {
        return installed().await;
    }
    provide_and(|toolchain, bundle, outbound, _, _| Ok((tools(toolchain, &bundle, &outbound), bundle))).await
}

/// The tools of an installation: only Node and wrangler are still to be got.
async fn installed() -> Result<(Tools, Bundle), CommandError> {
    setting_up(|root, progress, cancelled| {
        let setup::NamespaceTools { node, wrangler_js, workerd, esbuild, .. } =
            setup::ensure_namespace(root, progress, cancelled)?;
        let (dispatcher, outbound) = setup::prebuilt(root)?;
        let tools = Tools {
            node,
            wrangler_js,
            workerd,
            esbuild,
            bundle_index_js: dispatcher.index_js.clone(),
            outbound_index_js: outbound.index_js,
            telemetry_index_js: None,
            telemetry_vars: Default::default(),
            wrangler_jsonc: root.join("dispatcher/worker/wrangler.jsonc"),
            official_mjs: None,
            planted: None,
        };
        Ok((tools, dispatcher))
    })
    .await
}

/// Besides that, the official server library as a Worker, and the runtime that both are served by.
pub async fn provide_reference() -> Result<(PathBuf, Tools, Reference), CommandError> {
    provide_and(|toolchain, bundle, outbound, progress, cancelled| {
        let reference = setup::build_reference(toolchain, &workspace_root(), progress, cancelled)?;
        Ok((toolchain.workerd(), tools(toolchain, &bundle, &outbound), reference))
    })
    .await
}

/// Builds the load tests, and gives their program: cargo says nothing where nothing changed.
pub fn loadtests_program(
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<PathBuf, SetupError> {
    setup::build_load_tests(workspace, progress, cancelled)
}

/// The tools with whatever this scenario wants besides.
pub async fn provide_for(scenario: &Scenario, tools: &Tools) -> Result<Tools, CommandError> {
    if !scenario.world().is_official() {
        return Ok(tools.clone());
    }
    let official_mjs = setting_up(|root, progress, cancelled| {
        let toolchain = setup::ensure(root, progress, cancelled)?;
        setup::build_official_facilitator(&toolchain, root, progress, cancelled)
    })
    .await?;
    Ok(Tools { official_mjs: Some(official_mjs), ..tools.clone() })
}

/// The tools with the Worker that keeps events.
pub async fn provide_telemetry(tools: Tools) -> Result<Tools, CommandError> {
    let worker = setting_up(|root, progress, cancelled| {
        let toolchain = setup::ensure(root, progress, cancelled)?;
        setup::build_telemetry(&toolchain, root, progress, cancelled)
    })
    .await?;
    Ok(Tools { telemetry_index_js: Some(worker.index_js), ..tools })
}

/// Provides the dispatcher that has bugs in it in the place of the one that ships.
pub async fn provide_planted(planted: Texts) -> Result<Tools, CommandError> {
    setting_up(move |root, progress, cancelled| {
        let toolchain = setup::ensure(root, progress, cancelled)?;
        let bundle = setup::build_planted_dispatcher(&toolchain, root, &planted, progress, cancelled)?;
        let outbound = setup::build_outbound(&toolchain, root, progress, cancelled)?;
        Ok(tools(&toolchain, &bundle, &outbound))
    })
    .await
}

fn tools(toolchain: &Toolchain, bundle: &Bundle, outbound: &Bundle) -> Tools {
    Tools {
        node: toolchain.node().to_owned(),
        wrangler_js: toolchain.wrangler_js(),
        workerd: toolchain.workerd(),
        esbuild: toolchain.esbuild(),
        bundle_index_js: bundle.index_js.clone(),
        outbound_index_js: outbound.index_js.clone(),
        telemetry_index_js: None,
        telemetry_vars: Default::default(),
        wrangler_jsonc: workspace_root().join("dispatcher/worker/wrangler.jsonc"),
        official_mjs: None,
        planted: None,
    }
}

async fn provide_and<T: Send + 'static>(
    then: impl FnOnce(&Toolchain, Bundle, Bundle, &mut dyn Progress, &Cancelled) -> Result<T, SetupError> + Send + 'static,
) -> Result<T, CommandError> {
    setting_up(|root, progress, cancelled| {
        let toolchain = setup::ensure(root, progress, cancelled)?;
        let bundle = setup::build_dispatcher(&toolchain, root, progress, cancelled)?;
        let outbound = setup::build_outbound(&toolchain, root, progress, cancelled)?;
        then(&toolchain, bundle, outbound, progress, cancelled)
    })
    .await
}

/// Ctrl-C calls it off, with every compiler it started.
pub async fn setting_up<T: Send + 'static>(
    work: impl FnOnce(&Path, &mut dyn Progress, &Cancelled) -> Result<T, SetupError> + Send + 'static,
) -> Result<T, CommandError> {
    let mut interruption = Interruption::heed();
    let cancelled = Cancelled::default();
    let flag = cancelled.clone();
    let span = tracing::info_span!("set_up");
    let work = move || span.in_scope(|| work(&workspace_root(), &mut ToStderr, &flag));
    let mut work = tokio::task::spawn_blocking(work);
    let done = tokio::select! {
        done = &mut work => done,
        () = interruption.asked() => {
            cancelled.cancel();
            work.await
        }
    };
    Ok(done.map_err(|_| CommandError::Panicked)??)
}

pub fn make_run_dir(given: Option<&Path>, name: &str) -> Result<RunDir, CommandError> {
    if given.is_none() {
        run::make_room(&folders::runs());
    }
    Ok(RunDir::make(given, &folders::runs(), name, SystemClock::new().unix_ms())?)
}

/// A flag that Ctrl-C raises for work that blocks its threads, for as long as the runtime beside it lives.
pub fn stopped_by_interrupt(says: &'static str) -> Result<(Arc<AtomicBool>, tokio::runtime::Runtime), CommandError> {
    let (stop, runtime) = (Arc::new(AtomicBool::new(false)), runtime()?);
    let flag = Arc::clone(&stop);
    runtime.spawn(async move {
        interrupted().await;
        errln!("{says}");
        flag.store(true, Ordering::Relaxed);
    });
    Ok((stop, runtime))
}

pub fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::Runtime)
}
