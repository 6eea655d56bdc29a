//! `harness serve`: a scenario's world without its faults and traffic, or one made of options, for other clients and tools
//! to try.

mod options;
mod requests;

pub use options::{OptionsError, enough_facilitators, facilitator_url, tenant, world};

use crate::{
    live::{Live, LiveOptions, Tools},
    play::RunDir,
    run::{self, RunError},
};
use journal::Journal;
use scenario::Scenario;
use std::sync::Arc;
use system::{
    clock::{Clock, SystemClock},
    interrupt::Interruption,
    output::{self, errln, outln},
};

/// Where the parts of a served world are to be found.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions<'a> {
    /// The dispatcher's port; any free one where absent.
    pub port: Option<u16>,
    /// The doubles' ports, primary first; any free one for those beyond the last.
    pub facilitator_ports: &'a [u16],
    /// Facilitators in place of the doubles, primary first.
    pub facilitator_urls: &'a [String],
    /// Nodes of the chain, in place of the doubles' own.
    pub node_urls: &'a [String],
}

/// Serves until Ctrl-C, or until a part of the world ends by itself. The URLs go to stdout, so that a script can read them.
pub async fn serve(
    scenario: &Scenario,
    tools: &Tools,
    run_dir: &RunDir,
    wanted: ServeOptions<'_>,
) -> Result<(), RunError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let (journal, mut writer) = Journal::stream(&run_dir.events(), clock).map_err(RunError::Journal)?;
    let quiet = scenario.without_faults();
    let options = LiveOptions {
        tools,
        scenario: &quiet,
        seed: 0,
        run_dir: run_dir.path(),
        port: wanted.port,
        facilitator_ports: wanted.facilitator_ports,
        facilitator_urls: wanted.facilitator_urls,
        node_urls: wanted.node_urls,
        sellers: None,
    };
    let mut interruption = Interruption::heed();
    let (live, mut deaths) = run::start_or_interrupted(&options, &journal).await?;
    let served = match begin(&live, &quiet).await {
        Err(error) => Err(error),
        Ok(()) => {
            let watched = tokio::spawn(requests::tell(journal.follow()));
            announce(scenario, &live, run_dir);
            let served = tokio::select! {
                () = interruption.asked() => Ok(()),
                death = deaths.first() => Err(RunError::Died(death)),
                full = writer.failed() => Err(RunError::Journal(full)),
                // Nobody can read where it serves.
                () = std::future::ready(()), if output::failed().is_some() => Ok(()),
            };
            watched.abort();
            served
        }
    };
    errln!("stopping");
    let stopped = live.stop().await;
    drop(journal);
    served?;
    writer.finish().await.map_err(RunError::Journal)?;
    stopped.map_err(RunError::DidNotStop)
}

/// Fills the directory, and sees that the dispatcher takes its configuration.
async fn begin(live: &Live, scenario: &Scenario) -> Result<(), RunError> {
    live.publisher(scenario).map_err(RunError::DidNotStart)?;
    live.takes_its_configuration().await.map_err(RunError::DidNotStart)
}

fn announce(scenario: &Scenario, live: &Live, run_dir: &RunDir) {
    for url in &live.urls {
        outln!("dispatcher    {url}");
    }
    let url = &live.urls[0];
    for tenant in scenario.world().tenants() {
        let price = tenant.price().map_or_else(|| "free".to_owned(), |price| format!("{} atomic USDC", price.atomic()));
        outln!("tenant        {url}/t/{}/  ({}, {price})", tenant.id(), tenant.plan().as_str());
    }
    for (name, url) in &live.facilitator_urls {
        outln!("facilitator   {url}  ({name})");
    }
    outln!("platform      authorization: Bearer {}", live.platform_token);
    outln!("events        {}", run_dir.events().display());
    outln!("log           {}", live.log.display());
    let first = scenario.world().tenants().first().map_or("", |tenant| tenant.id().as_str());
    outln!("\ntry           curl -i {url}/t/{first}/quote");
    outln!("ready; stops at Ctrl-C");
}
