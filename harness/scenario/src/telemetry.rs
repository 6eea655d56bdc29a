//! What goes wrong between the dispatcher and where its events are kept: a queue that refuses, a database that is away, a batch
//! that comes twice or broken. A queue promises to deliver at least once, and nothing else.
//!
//! Only the simulated tier can do this: no tool makes Miniflare's queue refuse.

use doubles::{Pick, pick::RawPick};
use grammar::{Problem, Problems, Timeline, Window, limits::MAX_BLOCKS, text::TimeText};
use reports::event::FaultRef;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The name that a disturbance has where events name a facilitator.
const TELEMETRY: &str = "telemetry";

/// A disturbance of the events' way.
#[derive(Clone, Debug)]
pub struct Misdelivery {
    index: usize,
    window: Window,
    pick: Pick,
    does: Misdelivers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Misdelivers {
    /// The queue takes no batch, and the dispatcher is told so.
    RefuseBatches {},
    /// The database stores nothing. The queue tries again.
    RefuseStores {},
    /// A batch is delivered a second time, after others.
    DeliverTwice {},
    /// A batch arrives cut off, so that nobody can read it.
    CutBatches {},
}

impl Misdelivery {
    pub fn window(&self) -> Window {
        self.window
    }

    pub fn pick(&self) -> Pick {
        self.pick
    }

    pub fn does(&self) -> Misdelivers {
        self.does
    }

    /// Its place among the file's disturbances, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How events refer to it.
    pub fn reference(&self) -> FaultRef {
        let inject = match self.does {
            Misdelivers::RefuseBatches {} => "refuse-batches",
            Misdelivers::RefuseStores {} => "refuse-stores",
            Misdelivers::DeliverTwice {} => "deliver-twice",
            Misdelivers::CutBatches {} => "cut-batches",
        };
        FaultRef { index: self.index, on: TELEMETRY.to_owned(), inject: inject.to_owned() }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "TelemetryDisturbance")]
pub(super) struct RawMisdelivery {
    #[schemars(with = "TimeText")]
    from: Spanned<String>,
    #[schemars(with = "TimeText")]
    to: Spanned<String>,
    /// Which batches of the window: all unless given.
    pick: Option<RawPick>,
    /// The disturbance that they meet.
    does: Misdelivers,
}

pub(super) fn check(
    raw: Vec<RawMisdelivery>,
    timeline: &Timeline,
    seed: Option<u64>,
    is_simulated_only: bool,
    problems: &mut Problems,
) -> Vec<Misdelivery> {
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} disturbances of telemetry");
        problems.add(Problem::new(extra.from.span(), what, "one too many"));
        return Vec::new();
    }
    if let Some(first) = raw.first().filter(|_| !is_simulated_only) {
        let problem =
            Problem::new(first.from.span(), "only the simulated tier can disturb telemetry", "runs live, too");
        problems.add(problem.help("put `only = \"sim\"` above the first table"));
    }
    let misdelivery = |(index, raw): (usize, RawMisdelivery)| {
        let window = Window::check(&raw.from, &raw.to, timeline.end(), problems)?;
        let pick = match raw.pick {
            Some(pick) => pick.check(seed, problems)?,
            None => Pick::All,
        };
        Some(Misdelivery { index, window, pick, does: raw.does })
    };
    raw.into_iter().enumerate().filter_map(misdelivery).collect()
}
