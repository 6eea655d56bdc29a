//! `harness serve`: a scenario's world without its faults and traffic, or one made of options, for other clients and tools
//! to try. Faults are switched by hand (`faults.rs`), from another process (`control.rs`).

pub mod control;
mod faults;
mod options;
mod own;
mod requests;

pub use options::{
    Environment, OptionsError, check_faults, enough_facilitators, facilitator_url, node_url, own_world, tenant, world,
};
pub use own::{OwnError, OwnWorkers, own_workers};

use crate::{
    called::as_called,
    directory::Publisher,
    live::{Live, LiveError, LiveOptions, NAMESPACE_TENANTS, Tools},
    play::{self, RunDir, RunSpec},
    run::{self, RunError},
};
use control::Control;
use faults::Switchboard;
use journal::Journal;
use own::Stager;
use scenario::Tier;
use scenario::{Name, Scenario, Tenant};
use serde_json::{Value, json};
use std::{io, sync::Arc};
use system::clock::{Clock, SystemClock};
use system::interrupt::Interruption;
use system::output::{self, errln, outln};

/// The places of a served world's parts, and its faults.
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
    /// Faults that are on from the start, as `harness fault add` takes them.
    pub faults: &'a [String],
    /// Whether to say in JSON where everything is, in one line.
    pub is_for_programs: bool,
}

/// Serves until Ctrl-C, or until a part of the world ends by itself. The URLs go to stdout, so that a script can read them.
pub async fn serve(
    scenario: &Scenario,
    tools: &Tools,
    run_dir: &RunDir,
    wanted: ServeOptions<'_>,
    own: Option<OwnWorkers>,
) -> Result<(), RunError> {
    let clock = Arc::new(SystemClock::start());
    let as_port = Arc::clone(&clock) as Arc<dyn Clock>;
    let (journal, mut writer) = Journal::stream(&run_dir.events(), as_port).map_err(RunError::Journal)?;
    let quiet = scenario.without_faults().with_node();
    let options = LiveOptions {
        tools,
        scenario: &quiet,
        seed: 0,
        run_dir: run_dir.path(),
        port: wanted.port,
        facilitator_ports: wanted.facilitator_ports,
        facilitator_urls: wanted.facilitator_urls,
        node_urls: wanted.node_urls,
        own_workers: own.is_some(),
        sellers: None,
    };
    let stager = Stager {
        esbuild: tools.esbuild.clone(),
        to: run_dir.path().join(NAMESPACE_TENANTS),
        scratch: run_dir.path().join("namespace/staging"),
    };
    if let Some(own) = &own {
        own.wrong.iter().for_each(|wrong| errln!("{wrong}"));
        stager.stage_all(&own.workers).await.map_err(|error| RunError::DidNotStart(LiveError::Control(error)))?;
    }
    let mut interruption = Interruption::heed();
    let (live, mut deaths) = run::start_or_interrupted(&options, &journal).await?;
    let served = match begin(&live, &quiet, &clock, &journal, run_dir, wanted.faults).await {
        Err(error) => Err(error),
        Ok((_control, publisher)) => {
            requests::tell(journal.follow());
            if wanted.is_for_programs {
                outln!("{}", as_json(&quiet, &live, run_dir));
            } else {
                announce(&quiet, &live, run_dir, wanted, own.is_some());
            }
            let deploys = async {
                match (own, publisher) {
                    (Some(own), Some(mut publisher)) => {
                        tokio::join!(
                            own::watch(&own.folder, own.workers, own.tenants, &stager, &mut publisher),
                            own::say(run_dir.path()),
                        );
                    }
                    _ => std::future::pending::<()>().await,
                }
            };
            tokio::select! {
                () = deploys => Ok(()),
                () = interruption.asked() => Ok(()),
                death = deaths.first() => Err(RunError::Died(death)),
                full = writer.failed() => Err(RunError::Journal(full)),
                // Nobody can read where it serves.
                () = std::future::ready(()), if output::failed().is_some() => Ok(()),
            }
        }
    };
    errln!("stopping");
    let stopped = live.stop().await;
    drop(journal);
    served?;
    writer.finish().await.map_err(RunError::Journal)?;
    stopped.map_err(RunError::DidNotStop)
}

/// Fills the directory, sees that the dispatcher takes its configuration, and switches on what was asked for.
async fn begin<'a>(
    live: &Live,
    scenario: &'a Scenario,
    clock: &SystemClock,
    journal: &Journal,
    run_dir: &RunDir,
    faults: &[String],
) -> Result<(Control, Option<Publisher<'a>>), RunError> {
    let failed = |error: io::Error| RunError::DidNotStart(LiveError::Control(error));
    let publisher = live.publisher(scenario).map_err(RunError::DidNotStart)?;
    live.takes_its_configuration().await.map_err(RunError::DidNotStart)?;
    // So that what is read of it later knows its tenants, and at what time of day it was.
    let asked = RunSpec { scenario, as_: "serve", tier: Tier::Live, seed: 0 };
    let network = play::network(scenario).map_err(|error| RunError::DidNotStart(error.into()))?;
    let began_ms = clock.unix_ms().saturating_sub(clock.now_us() / 1_000);
    journal.record(asked.started(network, began_ms, 0));
    let board = Arc::new(Switchboard::new(live.scripts(), journal.clone()));
    for words in faults {
        board.add(words).map_err(|why| failed(io::Error::other(why)))?;
    }
    Ok((Control::open(run_dir.path(), &live.platform_token, board).await.map_err(failed)?, publisher))
}

fn as_json(scenario: &Scenario, live: &Live, run_dir: &RunDir) -> Value {
    let url = &live.urls[0];
    let tenant = |tenant: &Tenant| {
        json!({
            "id": tenant.id().as_str(), "plan": tenant.plan().as_str(), "url": format!("{url}/t/{}/", tenant.id()),
            "price_atomic": tenant.price().map(|price| price.atomic()), "hosts": tenant.hosts(),
        })
    };
    let facilitator = |(name, url): (&String, &String)| json!({"name": name, "url": url});
    let facilitators: Vec<_> = live.facilitator_urls.iter().map(|(name, url)| facilitator((name, url))).collect();
    json!({
        "dispatchers": live.urls, "tenants": scenario.world().tenants().iter().map(tenant).collect::<Vec<_>>(),
        "facilitators": facilitators, "platform_token": live.platform_token, "events": run_dir.events(), "log": live.log,
    })
}

fn announce(scenario: &Scenario, live: &Live, run_dir: &RunDir, wanted: ServeOptions<'_>, own: bool) {
    for url in &live.urls {
        outln!("dispatcher    {url}");
    }
    let url = &live.urls[0];
    for tenant in scenario.world().tenants() {
        let price = tenant.price().map_or_else(|| "free".to_owned(), |price| format!("{} atomic USDC", price.atomic()));
        let hosts: String = tenant.hosts().iter().map(|host| format!(", {host}")).collect();
        outln!("tenant        {url}/t/{}/  ({}, {price}{hosts})", tenant.id(), tenant.plan().as_str());
    }
    for (name, url) in &live.facilitator_urls {
        outln!("facilitator   {url}  ({name})");
    }
    for fault in wanted.faults {
        outln!("fault         {fault}");
    }
    outln!("platform      authorization: Bearer {}", live.platform_token);
    outln!("events        {}", run_dir.events().display());
    outln!("log           {}", live.log.display());
    let tenants = scenario.world().tenants();
    // One that sells shows what this is for.
    let first = tenants.iter().find(|tenant| tenant.price().is_some()).or(tenants.first());
    // A double sells whatever it is asked for; who knows what a Worker of somebody's has.
    let path = if own { "" } else { "quote" };
    let bought = format!("{url}/t/{}/{path}", first.map_or("", |tenant| tenant.id().as_str()));
    let harness = as_called();
    outln!("ready; stops at Ctrl-C. Paste into another terminal:\n");
    outln!("curl -i {bought}");
    outln!("{harness} pay {bought}");
    match scenario.world().facilitators().first().map(Name::as_str) {
        Some(primary) if wanted.facilitator_urls.is_empty() => {
            outln!("{harness} fault add {primary} settle settle-then-hang   # then pay again");
        }
        _ => outln!("curl -H 'authorization: Bearer {}' {url}/__platform/facilitators", live.platform_token),
    }
    outln!("");
}
