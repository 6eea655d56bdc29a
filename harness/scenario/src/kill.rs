//! A kill: when the dispatcher's processes die without a chance to tidy up, to be started again on the storage that they
//! left. Not a fault on a facilitator: it takes no calls, and it is over when the dispatcher answers again.

use doubles::pick::check_seeded;
use grammar::{
    Problem, Problems, Timeline, Window,
    limits::{MAX_BLOCKS, RESTART_TAKES},
    text::TimeText,
    time,
};
use reports::event::FaultRef;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{ops::Range, time::Duration};
use toml::Spanned;

/// The ledger's buckets: no more shards than that.
const MOST_SHARDS: u16 = 4_096;

/// The name that a kill has where events name a facilitator.
const DISPATCHER: &str = "dispatcher";

#[derive(Clone, Debug)]
pub struct Kill {
    index: usize,
    when: When,
    raises: Option<Shards>,
}

/// A number of the settlement ledger's shards, and a larger one in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shards {
    pub before: u16,
    pub count: u16,
}

/// The choice of the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    At(Duration),
    /// A number of moments, drawn from the run's seed.
    Random {
        times: u32,
        window: Window,
    },
    /// The first time in the window that the dispatcher says of any payment that it reached this stage.
    Payment {
        reaches: Stage,
        window: Window,
    },
    /// The first time in the window that a record in this state is stored: nothing comes between the write and the kill.
    Stored {
        of: Stage,
        window: Window,
    },
    /// The first time in the window that money moves: a facilitator has settled, and the dispatcher does not know yet.
    MoneyMoves {
        window: Window,
    },
}

/// A stage of a payment's life, as the dispatcher's log names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Claimed,
    Verified,
    Released,
    Executed,
    Settling,
    Settled,
    Refused,
    Unknown,
    HandedOver,
}

impl Stage {
    /// The state as the log writes it.
    pub fn as_logged(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Verified => "verified",
            Self::Released => "released",
            Self::Executed => "executed",
            Self::Settling => "settling",
            Self::Settled => "settled",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::HandedOver => "handed_over",
        }
    }
}

impl Kill {
    pub fn when(&self) -> When {
        self.when
    }

    /// The shards with which the dispatcher starts again, and those that the run begins with. `None`: it is the same version.
    pub fn raises(&self) -> Option<Shards> {
        self.raises
    }

    /// The stretch of the run in which it may happen.
    pub fn window(&self) -> Window {
        match self.when {
            When::At(at) => Window::moment(at),
            When::Random { window, .. }
            | When::Payment { window, .. }
            | When::Stored { window, .. }
            | When::MoneyMoves { window } => window,
        }
    }

    /// How events refer to it.
    pub fn reference(&self) -> FaultRef {
        let inject = match self.when {
            When::At(at) => format!("kill at {}", time::show(at)),
            When::Random { times, .. } => format!("kill at {times} random moments"),
            When::Payment { reaches, .. } => format!("kill at {}", reaches.as_logged()),
            When::Stored { of, .. } => format!("kill as {} is stored", of.as_logged()),
            When::MoneyMoves { .. } => "kill as money moves".to_owned(),
        };
        let inject = match self.raises {
            Some(Shards { count, .. }) => format!("{inject}, then {count} shards"),
            None => inject,
        };
        FaultRef { index: self.index, on: DISPATCHER.to_owned(), inject }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Kill")]
pub(super) struct RawKill {
    /// The choice of the moment.
    #[schemars(with = "RawWhen")]
    when: Spanned<RawWhen>,
    /// The version that is started again has more of the settlement ledger's shards than the run begins with. One kill does
    /// so, at a moment.
    #[schemars(with = "Option<RawShards>")]
    shards: Option<Spanned<RawShards>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Shards")]
struct RawShards {
    /// A power of two.
    #[schemars(range(min = 1, max = MOST_SHARDS))]
    before: u16,
    /// A larger one.
    #[schemars(range(min = 1, max = MOST_SHARDS))]
    count: u16,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[schemars(rename = "When")]
enum RawWhen {
    /// A moment of the run.
    At(#[schemars(with = "TimeText")] Spanned<String>),
    /// A number of moments of a window, drawn from the seed.
    Random {
        #[schemars(with = "u32", range(min = 1))]
        times: Spanned<u32>,
        #[schemars(with = "TimeText")]
        from: Spanned<String>,
        #[schemars(with = "TimeText")]
        to: Spanned<String>,
    },
    /// The first time in the window that the dispatcher says of a payment that it reached a stage.
    Payment {
        reaches: Stage,
        #[schemars(with = "TimeText")]
        from: Spanned<String>,
        #[schemars(with = "TimeText")]
        to: Spanned<String>,
    },
    /// The first time in the window that a record of this state is stored, before anything else is (only = "sim").
    Stored {
        of: Stage,
        #[schemars(with = "TimeText")]
        from: Spanned<String>,
        #[schemars(with = "TimeText")]
        to: Spanned<String>,
    },
    /// The first time in the window that money moves, of which the dispatcher does not know yet.
    MoneyMoves {
        #[schemars(with = "TimeText")]
        from: Spanned<String>,
        #[schemars(with = "TimeText")]
        to: Spanned<String>,
    },
}

pub(super) fn check(
    raw: Vec<RawKill>,
    timeline: &Timeline,
    seed: Option<u64>,
    is_simulated_only: bool,
    problems: &mut Problems,
) -> Vec<Kill> {
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} kills");
        problems.add(Problem::new(extra.when.span(), what, "one too many"));
        return Vec::new();
    }
    let mut raised = 0;
    let checked = raw.into_iter().enumerate().filter_map(|(index, raw)| {
        let at = raw.when.span();
        let when = raw.when.into_inner().check(timeline, seed, problems)?;
        if matches!(when, When::Stored { .. }) && !is_simulated_only {
            let problem = Problem::new(at, "only the simulated tier can kill at a write", "runs live, too");
            problems.add(problem.help("put `only = \"sim\"` above the first table"));
        }
        let raises = raw.shards.and_then(|shards| {
            raised += 1;
            shards.get_ref().check(shards.span(), raised, when, problems)
        });
        Some(Kill { index, when, raises })
    });
    checked.collect()
}

impl RawShards {
    fn check(&self, at: Range<usize>, raised: usize, when: When, problems: &mut Problems) -> Option<Shards> {
        let Self { before, count } = *self;
        let fits = |shards: u16| shards.is_power_of_two() && shards <= MOST_SHARDS;
        let what = if !fits(before) || !fits(count) || count <= before {
            format!("shards cannot be raised from {before} to {count}")
        } else if raised > 1 {
            "two kills raise the number of shards".to_owned()
        } else if !matches!(when, When::At(_)) {
            "the number of shards is raised at no known moment".to_owned()
        } else {
            return Some(Shards { before, count });
        };
        let help = format!("one kill, with `when.at`, raises one power of two to a larger one, up to {MOST_SHARDS}");
        problems.add(Problem::new(at, what, "here").help(help));
        None
    }
}

impl RawWhen {
    fn check(self, timeline: &Timeline, seed: Option<u64>, problems: &mut Problems) -> Option<When> {
        let end = timeline.end();
        Some(match self {
            Self::At(at) => When::At(check_moment(&at, end, problems)?),
            Self::Random { times, from, to } => {
                let window = Window::check(&from, &to, end, problems)?;
                When::Random { times: check_times(&times, window, seed, problems)?, window }
            }
            Self::Payment { reaches, from, to } => {
                When::Payment { reaches, window: Window::check(&from, &to, end, problems)? }
            }
            Self::Stored { of, from, to } => When::Stored { of, window: Window::check(&from, &to, end, problems)? },
            Self::MoneyMoves { from, to } => When::MoneyMoves { window: Window::check(&from, &to, end, problems)? },
        })
    }
}

fn check_moment(raw: &Spanned<String>, end: Duration, problems: &mut Problems) -> Option<Duration> {
    let at = time::check(raw, problems)?;
    if at >= end {
        let label = format!("the run ends at {}", time::show(end));
        problems.add(Problem::new(raw.span(), "the kill comes after the run", label));
        return None;
    }
    Some(at)
}

fn check_times(raw: &Spanned<u32>, window: Window, seed: Option<u64>, problems: &mut Problems) -> Option<u32> {
    let times = *raw.get_ref();
    let room = window.length().as_millis() / RESTART_TAKES.as_millis();
    if times == 0 || u128::from(times) > room {
        let what =
            format!("{times} kills do not fit between {} and {}", time::show(window.from()), time::show(window.to()));
        let problem = Problem::new(raw.span(), what, "1 at least, and a restart takes its time");
        problems.add(problem.help(format!("allow {} for each", time::show(RESTART_TAKES))));
        return None;
    }
    check_seeded(seed, raw.span(), "a kill at random", problems)?;
    Some(times)
}
