//! What goes wrong between the dispatcher and its settlement ledger without anybody being killed: storage that refuses a write,
//! and an answer of the ledger that is lost on its way back. A platform promises neither never.
//!
//! Only the simulated tier can do this: no tool makes a running Durable Object's storage fail.

use doubles::{Pick, pick::RawPick};
use grammar::{Problem, Problems, Timeline, Window, limits::MAX_BLOCKS, text::TimeText};
use reports::event::FaultRef;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The name that a disturbance has where events name a facilitator.
const LEDGER: &str = "ledger";

/// A disturbance of the settlement ledger.
#[derive(Clone, Debug)]
pub struct Disturbance {
    index: usize,
    window: Window,
    pick: Pick,
    does: Disturbs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbs {
    /// A record is not stored, and whoever stores it is told so.
    RefuseWrites,
    /// Its storage refuses to set an alarm, and what is due after it.
    RefuseAlarms,
    /// The request is carried out, and its answer never comes.
    LoseAnswers(LedgerCall),
}

/// A request to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerCall {
    Claim,
    Settle,
    HandedOver,
}

impl Disturbance {
    pub fn window(&self) -> Window {
        self.window
    }

    pub fn pick(&self) -> Pick {
        self.pick
    }

    pub fn does(&self) -> Disturbs {
        self.does
    }

    /// Its place among the file's disturbances, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How events refer to it.
    pub fn reference(&self) -> FaultRef {
        let inject = match self.does {
            Disturbs::RefuseWrites => "refuse-writes",
            Disturbs::RefuseAlarms => "refuse-alarms",
            Disturbs::LoseAnswers(LedgerCall::Claim) => "lose-answers to claim",
            Disturbs::LoseAnswers(LedgerCall::Settle) => "lose-answers to settle",
            Disturbs::LoseAnswers(LedgerCall::HandedOver) => "lose-answers to handed-over",
        };
        FaultRef { index: self.index, on: LEDGER.to_owned(), inject: inject.to_owned() }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "LedgerDisturbance")]
pub(super) struct RawDisturbance {
    #[schemars(with = "TimeText")]
    from: Spanned<String>,
    #[schemars(with = "TimeText")]
    to: Spanned<String>,
    /// Which writes or calls of the window: all unless given.
    pick: Option<RawPick>,
    /// The disturbance that they meet.
    does: RawDisturbs,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[schemars(rename = "Disturbs")]
enum RawDisturbs {
    /// A record is not stored, and whoever stores it is told so.
    RefuseWrites {},
    /// Its storage refuses to set an alarm.
    RefuseAlarms {},
    /// The request is carried out, and its answer never comes.
    LoseAnswers {
        /// To what was asked.
        to: LedgerCall,
    },
}

pub(super) fn check(
    raw: Vec<RawDisturbance>,
    timeline: &Timeline,
    seed: Option<u64>,
    is_simulated_only: bool,
    problems: &mut Problems,
) -> Vec<Disturbance> {
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} disturbances of the ledger");
        problems.add(Problem::new(extra.from.span(), what, "one too many"));
        return Vec::new();
    }
    if let Some(first) = raw.first().filter(|_| !is_simulated_only) {
        let problem =
            Problem::new(first.from.span(), "only the simulated tier can disturb the ledger", "runs live, too");
        problems.add(problem.help("put `only = \"sim\"` above the first table"));
    }
    let disturbance = |(index, raw): (usize, RawDisturbance)| {
        let window = Window::check(&raw.from, &raw.to, timeline.end(), problems)?;
        let pick = match raw.pick {
            Some(pick) => pick.check(seed, problems)?,
            None => Pick::All,
        };
        let does = match raw.does {
            RawDisturbs::RefuseWrites {} => Disturbs::RefuseWrites,
            RawDisturbs::RefuseAlarms {} => Disturbs::RefuseAlarms,
            RawDisturbs::LoseAnswers { to } => Disturbs::LoseAnswers(to),
        };
        Some(Disturbance { index, window, pick, does })
    };
    raw.into_iter().enumerate().filter_map(disturbance).collect()
}
