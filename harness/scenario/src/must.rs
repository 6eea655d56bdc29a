//! What a scenario expects: a rule's id and the checker that holds it. The id is what people say and link to, so it must
//! be the one of the rule that the checker judges.

use super::{
    directory::DirectoryChange,
    fault::Fault,
    kill::Kill,
    ledger::Disturbance,
    operator::OperatorAction,
    telemetry::Misdelivery,
    world::{CpuLimitPolicy, Tenant, World},
};
use grammar::{Name, Problem, Problems, Timeline, Window, limits::MAX_BLOCKS, name};
use judge::{About, Checker, Must, RawChecker};
use reports::level::Level;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;
use traffic::{ClientKind, Traffic};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Must")]
pub(super) struct RawMust {
    /// The rule that the checker judges, such as MONEY-1; with a suffix where a scenario asks more than once, and always
    /// for latency: LATENCY-steady.
    #[schemars(with = "String", regex(pattern = "^[A-Z]+(-.+)$"))]
    id: Spanned<String>,
    /// How much it weighs here, in place of the rule's own level.
    level: Option<RawLevel>,
    /// Its checker: `harness list --checkers`.
    #[schemars(with = "RawChecker")]
    hold: Spanned<RawChecker>,
}

/// How much a rule weighs.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Level")]
pub(super) enum RawLevel {
    /// A run in which it does not hold is no pass.
    Must,
    /// It is reported.
    Should,
    /// It is only told.
    Observe,
}

impl From<RawLevel> for Level {
    fn from(raw: RawLevel) -> Self {
        match raw {
            RawLevel::Must => Self::Must,
            RawLevel::Should => Self::Should,
            RawLevel::Observe => Self::Observe,
        }
    }
}

/// The rest of the file, for checkers to name.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub world: &'a World,
    pub timeline: &'a Timeline,
    pub traffic: &'a [Traffic],
    pub faults: &'a [Fault],
    pub kills: &'a [Kill],
    pub directory: &'a [DirectoryChange],
    pub operator: &'a [OperatorAction],
    pub ledger: &'a [Disturbance],
    pub telemetry: &'a [Misdelivery],
}

pub(super) fn check(raw: Vec<RawMust>, told: Told<'_>, problems: &mut Problems) -> Vec<Must> {
    name::check_unique("must", &raw.iter().map(|must| &must.id).collect::<Vec<_>>(), problems);
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} musts");
        problems.add(Problem::new(extra.id.span(), what, "one too many"));
        return Vec::new();
    }
    let mut musts = Vec::new();
    for must in raw {
        let at = must.hold.span();
        let Some(checker) = must.hold.into_inner().check(&told, problems) else {
            continue;
        };
        check_id(&must.id, &checker, problems);
        let what = match &checker {
            Checker::FaultsBit if told.is_quiet() => "the scenario has neither fault nor kill that could bite",
            Checker::DirectoryIsFollowed { .. } if !told.world.stores_directory() => "the directory is not stored",
            Checker::QuarantineCounts { .. } if told.nobody_is_put_away() => "nobody is put into quarantine",
            Checker::EgressIsConfined if !told.world.confines_egress() => "no tenant says what may leave it",
            _ => "",
        };
        if !what.is_empty() && problems.is_empty() {
            problems.add(Problem::new(at, what, "never holds"));
        }
        let level = must.level.map(Level::from);
        let at = must.id.span().start;
        musts.push(Must::of_the_file(must.id.into_inner(), checker, level, at));
    }
    musts
}

impl About for Told<'_> {
    fn timeline(&self) -> &Timeline {
        self.timeline
    }

    fn traffic(&self) -> Vec<(&Name, Window)> {
        self.traffic.iter().map(|block| (block.name(), block.window())).collect()
    }

    fn clients(&self) -> Vec<&'static str> {
        ClientKind::CATALOGUE.iter().map(|listed| listed.name).collect()
    }

    fn tenants(&self) -> Vec<&Name> {
        self.world.tenants().iter().map(Tenant::id).collect()
    }

    fn facilitators(&self) -> Vec<&Name> {
        self.world.facilitators().iter().collect()
    }

    fn fault_beyond(&self, at: Duration) -> Option<(usize, Duration)> {
        let fault = self.faults.iter().find(|fault| fault.lasts_beyond(at))?;
        Some((fault.number(), fault.window().to()))
    }
}

impl Told<'_> {
    /// Nothing goes wrong.
    pub(super) fn is_quiet(self) -> bool {
        let at_the_edge = self.kills.is_empty() && self.directory.is_empty() && self.operator.is_empty();
        at_the_edge && self.faults.is_empty() && self.ledger.is_empty() && self.telemetry.is_empty()
    }

    /// Neither by an operator nor by policy.
    fn nobody_is_put_away(self) -> bool {
        self.operator.is_empty() && self.world.cpu_limit_policy() == CpuLimitPolicy::Alert
    }
}

fn check_id(raw: &Spanned<String>, checker: &Checker, problems: &mut Problems) {
    let (id, rule) = (raw.get_ref().as_str(), checker.rule().id);
    let suffix = id.strip_prefix(rule).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    let numbered = !matches!(checker, Checker::Latency { .. });
    let fine = match suffix {
        Some("") => numbered && id == rule,
        Some(suffix) => id.len() > rule.len() + suffix.len(),
        None => false,
    };
    if !fine {
        let what = format!("`{id}` is not the id of the rule that `{}` judges", checker.name());
        let label = format!("the rule is {rule}");
        let id = if numbered { rule.to_owned() } else { format!("{rule}-<what>") };
        problems.add(Problem::new(raw.span(), what, label).help(format!("write id = \"{id}\"")));
    }
}
