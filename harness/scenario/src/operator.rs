//! What an operator asks of the running dispatcher: a tenant put into quarantine, or taken out of it. By its platform API, as a
//! person would.

use super::world::{CpuLimitPolicy, World};
use grammar::{
    Name, Problem, Problems, Timeline, Window,
    limits::MAX_BLOCKS,
    text::{NameText, TimeText},
    time::{self, Misplaced},
};
use reports::event::FaultRef;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// The name that an action has where events name a facilitator.
const OPERATOR: &str = "operator";

const MISPLACED: Misplaced = Misplaced {
    after_the_run: "the operator acts after the run",
    out_of_order: "operators' actions come in their order",
};

#[derive(Clone, Debug)]
pub struct OperatorAction {
    index: usize,
    at: Duration,
    does: Does,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// Until it is lifted, unless it says for how long.
    Quarantine {
        tenant: Name,
        lasting: Option<Duration>,
    },
    LiftQuarantine {
        tenant: Name,
    },
}

impl OperatorAction {
    pub fn at(&self) -> Duration {
        self.at
    }

    pub fn does(&self) -> &Does {
        &self.does
    }

    pub fn tenant(&self) -> &Name {
        match &self.does {
            Does::Quarantine { tenant, .. } | Does::LiftQuarantine { tenant } => tenant,
        }
    }

    /// For the marks of a run.
    pub fn window(&self) -> Window {
        Window::moment(self.at)
    }

    /// How events refer to it.
    pub fn reference(&self) -> FaultRef {
        let inject = match &self.does {
            Does::Quarantine { tenant, .. } => format!("quarantine {tenant}"),
            Does::LiftQuarantine { tenant } => format!("lift the quarantine of {tenant}"),
        };
        FaultRef { index: self.index, on: OPERATOR.to_owned(), inject }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "OperatorAction")]
pub(super) struct RawOperatorAction {
    /// When the dispatcher is asked.
    #[schemars(with = "TimeText")]
    at: Spanned<String>,
    /// The request.
    does: RawDoes,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[schemars(rename = "Does")]
enum RawDoes {
    /// To have this tenant run under the limits and rates of the plan `quarantine`.
    Quarantine {
        #[schemars(with = "NameText")]
        tenant: Spanned<String>,
        /// How long: until it is lifted unless given.
        #[serde(rename = "for")]
        #[schemars(with = "Option<TimeText>")]
        lasting: Option<Spanned<String>>,
    },
    /// To let it out again.
    LiftQuarantine {
        #[schemars(with = "NameText")]
        tenant: Spanned<String>,
    },
}

pub(super) fn check(
    raw: Vec<RawOperatorAction>,
    world: &World,
    timeline: &Timeline,
    problems: &mut Problems,
) -> Vec<OperatorAction> {
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} actions of operators");
        problems.add(Problem::new(extra.at.span(), what, "one too many"));
        return Vec::new();
    }
    let mut actions: Vec<OperatorAction> = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let before = actions.last().map(OperatorAction::at);
        let at = time::check_moment(&raw.at, before, timeline.end(), &MISPLACED, problems);
        let does = raw.does.check(world, &actions, problems);
        if let (Some(at), Some(does)) = (at, does) {
            actions.push(OperatorAction { index, at, does });
        }
    }
    actions
}

impl RawDoes {
    fn check(self, world: &World, before: &[OperatorAction], problems: &mut Problems) -> Option<Does> {
        match self {
            Self::Quarantine { tenant, lasting } => {
                let lasting = match lasting {
                    Some(raw) => Some(time::check_positive(&raw, problems)?),
                    None => None,
                };
                Some(Does::Quarantine { tenant: world.find_tenant(&tenant, problems)?, lasting })
            }
            Self::LiftQuarantine { tenant } => {
                let found = world.find_tenant(&tenant, problems)?;
                let last = before.iter().rev().find(|action| *action.tenant() == found);
                let put_away = last.is_some_and(|action| matches!(action.does, Does::Quarantine { .. }));
                // Policy puts tenants away by what happens in the run.
                if !put_away && world.cpu_limit_policy() == CpuLimitPolicy::Alert {
                    let what = format!("nobody has put {found} into quarantine by then");
                    problems.add(Problem::new(tenant.span(), what, "nothing to lift"));
                    return None;
                }
                Some(Does::LiftQuarantine { tenant: found })
            }
        }
    }
}
