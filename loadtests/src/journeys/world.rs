//! The live tier's world, for users that are not its own: the dispatcher under `wrangler dev`, facilitator doubles, and the
//! namespace that enforces limits.

use std::{path::Path, sync::Arc};

use harness::{
    live::{Live, LiveOptions, Tools},
    run::{RunError, start_or_interrupted},
};
use journal::{Journal, JournalWriter};
use judge::History;
use reports::{
    event::{Event, Recorded},
    report::Check,
};
use scenario::Scenario;
use system::clock::{Clock, SystemClock};

const TEXT: &str = include_str!("../../assets/journeys.toml");
const SEED: u64 = 402;

pub struct World {
    live: Live,
    journal: Journal,
    writer: JournalWriter<Vec<Recorded>>,
    scenario: Scenario,
}

/// The observations of a world that is over.
pub struct Seen {
    pub rules: Vec<Check>,
    /// Payments whose money moved.
    pub moved: Vec<String>,
}

impl World {
    pub async fn start(tools: &Tools, dir: &Path) -> Result<Self, RunError> {
        let scenario = Scenario::parse("journeys.toml", TEXT).expect("the world of the journeys is a scenario");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let (journal, writer) = Journal::open(&dir.join("events.jsonl"), clock).map_err(RunError::Journal)?;
        let options = LiveOptions {
            tools,
            scenario: &scenario,
            seed: SEED,
            run_dir: dir,
            port: None,
            facilitator_ports: &[],
            facilitator_urls: &[],
            node_urls: &[],
            sellers: None,
        };
        let (live, _deaths) = start_or_interrupted(&options, &journal).await?;
        live.takes_its_configuration().await.map_err(RunError::DidNotStart)?;
        harness::run::began(&scenario, SEED, &journal)?;
        Ok(Self { live, journal, writer, scenario })
    }

    pub fn url(&self) -> &str {
        &self.live.urls[0]
    }

    /// Stops it, and judges what happened.
    pub async fn stop(self) -> Result<Seen, RunError> {
        self.live.stop().await.map_err(RunError::DidNotStop)?;
        self.journal.record(Event::RunEnded);
        drop(self.journal);
        let events = self.writer.finish().await.map_err(RunError::Journal)?;
        let moved = events.iter().filter_map(|recorded| match &recorded.event {
            Event::TransferMoved(transfer) => Some(transfer.payment.clone()),
            _ => None,
        });
        let moved = moved.collect();
        Ok(Seen { rules: judge::judge(self.scenario.musts(), &History::new(events)), moved })
    }
}
