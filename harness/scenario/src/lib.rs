//! The scenario language: a TOML file in, a checked `Scenario` out. Everything past this module may rely on what it
//! says: names resolve, windows lie inside the run, faults make sense for the call they are on.

mod arrivals;
mod baseline;
mod blocks;
mod directory;
mod fault;
mod kill;
mod ledger;
mod library;
mod library_error;
mod must;
mod operator;
mod profile;
mod schema;
mod selection;
mod telemetry;
mod tier;
mod toml_words;
mod typed_fault;
mod world;

#[cfg(test)]
mod tests;

pub use baseline::Without;
pub use directory::{Becomes, DirectoryChange, Part, Wrong};
pub use fault::Fault;
pub use kill::{Kill, Shards, Stage, When};
pub use ledger::{Disturbance, Disturbs, LedgerCall};
pub use library::Library;
pub use library_error::LibraryError;
pub use operator::{Does, OperatorAction};
pub use profile::Profile;
pub use schema::schema;
pub use selection::Selection;
pub use telemetry::{Misdelivers, Misdelivery};
pub use tier::Tier;
pub use toml_words::problem as toml_problem;
pub use typed_fault::{FORM as FAULT_FORM, TypedFault};
pub use world::{CpuLimitPolicy, Network, Plan, Rates, SetBack, Tenant, World};

// The words that other rooms own, under the name of the language that has them.
pub use doubles::{Call, Inject, Money, Node, Odds, Pick, Repeats};
pub use grammar::{
    InvalidScenario, Listed, Name, Phase, Problem, Problems, Rate, RequestPath, Timeline, Usdc, Window, duration,
    limits::{self, MAX_BLOCKS, MAX_OWN_PAYERS},
    nearest, show,
};
pub use judge::{AlertName, Checker, Must, Sender};
pub use traffic::{AddressesIn, Arriving, ClientKind, Mix, Traffic};

use baseline::RawWithout;
use blocks::RawTraffic;
use directory::RawDirectoryChange;
use fault::RawFault;
use grammar::{
    name,
    phase::{self, RawPhase},
};
use kill::RawKill;
use ledger::RawDisturbance;
use must::{RawMust, Told};
use operator::RawOperatorAction;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use telemetry::RawMisdelivery;
use toml::Spanned;
use world::RawWorld;

/// A scenario that was checked as a whole.
#[derive(Clone, Debug)]
pub struct Scenario {
    id: Name,
    title: String,
    why: Option<String>,
    tags: Vec<Name>,
    profile: Profile,
    seed: Option<u64>,
    only: Option<Tier>,
    world: World,
    timeline: Timeline,
    traffic: Vec<Traffic>,
    faults: Vec<Fault>,
    kills: Vec<Kill>,
    directory: Vec<DirectoryChange>,
    operator: Vec<OperatorAction>,
    ledger: Vec<Disturbance>,
    telemetry: Vec<Misdelivery>,
    musts: Vec<Must>,
    without: Vec<Without>,
    source: String,
}

impl Scenario {
    /// Reads a scenario. `file` is the name that errors show.
    pub fn parse(file: &str, text: &str) -> Result<Self, InvalidScenario> {
        if text.len() > limits::MAX_FILE_BYTES {
            return Err(InvalidScenario::too_big(file, text.len() as u64));
        }
        parse(text).map_err(|problems| InvalidScenario::new(file, text, problems))
    }

    /// A world in which nothing happens.
    pub fn quiet(world: World) -> Self {
        Self {
            id: Name::new("quiet").expect("it is a name"),
            title: "Nothing happens".to_owned(),
            why: None,
            tags: Vec::new(),
            profile: Profile::default(),
            seed: None,
            only: None,
            world,
            timeline: Timeline::default(),
            traffic: Vec::new(),
            faults: Vec::new(),
            kills: Vec::new(),
            directory: Vec::new(),
            operator: Vec::new(),
            ledger: Vec::new(),
            telemetry: Vec::new(),
            musts: Vec::new(),
            without: Vec::new(),
            source: String::new(),
        }
    }

    pub fn id(&self) -> &Name {
        &self.id
    }

    /// Returns what is wrong with an id that is not its file's name.
    fn misnamed(&self, file: &str) -> Option<Problem> {
        #[derive(Deserialize)]
        struct Head {
            id: Spanned<String>,
        }
        let head = toml::from_str::<Head>(&self.source).ok().filter(|_| self.id != *file)?;
        let problem = Problem::new(head.id.span(), format!("the file is called {file}.toml"), "another name");
        Some(problem.help(format!("write id = \"{file}\", or rename the file")))
    }

    pub fn title(&self) -> &str {
        &self.title
    }

    /// The incident or the rule that the scenario is there for.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// The subjects, for whoever runs only some.
    pub fn tags(&self) -> &[Name] {
        &self.tags
    }

    /// The first gate that runs it.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Absent where the file leaves it to each run to draw a fresh one.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    pub fn traffic(&self) -> &[Traffic] {
        &self.traffic
    }

    /// In the file's order. Where two could take the same call, the first one does.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// In the file's order.
    pub fn kills(&self) -> &[Kill] {
        &self.kills
    }

    /// In the order of time.
    pub fn directory_changes(&self) -> &[DirectoryChange] {
        &self.directory
    }

    /// In the order of time.
    pub fn operator_actions(&self) -> &[OperatorAction] {
        &self.operator
    }

    /// The disturbances between the dispatcher and its settlement ledger, in the file's order.
    pub fn ledger_disturbances(&self) -> &[Disturbance] {
        &self.ledger
    }

    /// The disturbances between the dispatcher and where its events are kept, in the file's order.
    pub fn misdeliveries(&self) -> &[Misdelivery] {
        &self.telemetry
    }

    /// Whether it can be run in this tier.
    pub fn runs_in(&self, tier: Tier) -> bool {
        self.only.is_none_or(|only| only == tier)
    }

    pub fn musts(&self) -> &[Must] {
        &self.musts
    }

    /// The line of the file on which it asks for a rule, counted from 1.
    pub fn line_of(&self, must: &str) -> Option<usize> {
        let at = self.musts.iter().find(|known| known.id() == must)?.at()?;
        Some(self.source.get(..at)?.bytes().filter(|byte| *byte == b'\n').count() + 1)
    }

    /// Rules of the baseline that it is not held to, with the reasons.
    pub fn without(&self) -> &[Without] {
        &self.without
    }

    /// The text that it was read from; empty where there was none.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The same world with nothing going wrong in it.
    pub fn without_faults(&self) -> Self {
        let (faults, kills, directory, operator, ledger, telemetry) = Default::default();
        Self { faults, kills, directory, operator, ledger, telemetry, ..self.clone() }
    }

    /// With a node of the chain that is a few blocks behind, unless it has one: so a settlement whose answer got lost is cleared up.
    pub fn with_node(self) -> Self {
        Self { world: self.world.with_node(), ..self }
    }

    /// The end of the traffic; what is still unresolved then is waited for by the run, not by the scenario.
    pub fn end(&self) -> Duration {
        self.timeline.end()
    }
}

/// A scenario of the harness: who is there, what arrives, what goes wrong, and which rules must hold all the while.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Scenario", extend("required" = ["id", "title", "world", "phase", "traffic", "must"]))]
struct RawScenario {
    /// The scenario's name, which is the file's without `.toml`.
    #[schemars(with = "grammar::text::NameText")]
    id: Spanned<String>,
    /// One line that says what happens.
    #[schemars(with = "String", length(min = 1))]
    title: Spanned<String>,
    /// The incident or the rule that it is there for.
    why: Option<String>,
    /// The subjects, for whoever runs only some: `harness scenario --tag crash`.
    #[serde(default)]
    #[schemars(with = "Vec<grammar::text::NameText>", extend("uniqueItems" = true))]
    tags: Vec<Spanned<String>>,
    /// The first gate that runs it; every later one runs it too. `nightly` unless given.
    #[serde(default)]
    profile: Profile,
    /// The seed of all chance; `--seed` overrides it. A run without one draws and prints its own.
    #[schemars(range(max = limits::MAX_SEED))]
    seed: Option<u64>,
    /// The one tier that it can be run in: either unless given.
    only: Option<Only>,
    /// When the run ends: where the last traffic does, unless given.
    #[schemars(with = "Option<grammar::text::TimeText>")]
    end: Option<Spanned<String>>,
    /// The world: tenants and facilitators.
    world: RawWorld,
    /// The stretches of the run that latency and recovery are judged by. Each lasts until the next begins.
    #[serde(default)]
    #[schemars(length(min = 1, max = limits::MAX_BLOCKS))]
    phase: Vec<RawPhase>,
    /// The traffic, by an open model.
    #[serde(default)]
    #[schemars(length(min = 1, max = limits::MAX_BLOCKS))]
    traffic: Vec<RawTraffic>,
    /// The faults of facilitators. Of two on the same call, the first in the file takes it.
    #[serde(default)]
    #[schemars(length(max = limits::MAX_BLOCKS))]
    fault: Vec<RawFault>,
    /// When the dispatcher is killed, to be started again on what it left.
    #[serde(default)]
    #[schemars(length(max = limits::MAX_BLOCKS))]
    kill: Vec<RawKill>,
    /// The changes of the stored tenant directory.
    #[serde(default)]
    #[schemars(length(max = limits::MAX_BLOCKS))]
    directory: Vec<RawDirectoryChange>,
    /// The requests of an operator to the dispatcher.
    #[serde(default)]
    #[schemars(length(max = limits::MAX_BLOCKS))]
    operator: Vec<RawOperatorAction>,
    /// The disturbances between the dispatcher and its settlement ledger.
    #[serde(default)]
    #[schemars(length(max = limits::MAX_BLOCKS))]
    ledger: Vec<RawDisturbance>,
    /// The disturbances between the dispatcher and where its events are kept.
    #[serde(default)]
    #[schemars(length(max = limits::MAX_BLOCKS))]
    telemetry: Vec<RawMisdelivery>,
    /// The rules that must hold.
    #[serde(default)]
    #[schemars(length(min = 1, max = limits::MAX_BLOCKS))]
    must: Vec<RawMust>,
    /// Rules of the baseline that are not held here, each with its reason.
    #[serde(default)]
    #[schemars(length(max = limits::MAX_BLOCKS))]
    without: Vec<RawWithout>,
}

/// The tier that a scenario is bound to, by what only that tier can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Only {
    /// The simulated one: for what takes days, or what no tool can break.
    Sim,
}

fn parse(text: &str) -> Result<Scenario, Vec<Problem>> {
    if text.split(['\n', '\r']).all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Err(vec![
            Problem::new(0..0, "the file is empty", "nothing here")
                .help("a scenario has id, title, [world], [[phase]], [[traffic]], [[fault]] and [[must]]: see scenarios/README.md"),
        ]);
    }
    let raw: RawScenario = toml::from_str(text).map_err(|error| vec![toml_words::problem(&error)])?;
    let mut problems = Problems::default();
    match check(raw, text, &mut problems) {
        Some(scenario) if problems.is_empty() => Ok(scenario),
        _ => Err(problems.into_vec()),
    }
}

/// Collects every problem it can reach; `None` only with at least one problem collected.
fn check(raw: RawScenario, text: &str, problems: &mut Problems) -> Option<Scenario> {
    let id = Name::check("scenario", &raw.id, problems);
    let head = raw.id.span();
    if raw.title.get_ref().trim().is_empty() {
        problems.add(Problem::new(raw.title.span(), "the title is empty", "say in a line what happens"));
    }
    for (list, is_empty, help) in [
        ("[[phase]]", raw.phase.is_empty(), "the first phase starts at \"0s\""),
        ("[[traffic]]", raw.traffic.is_empty(), "without requests there is nothing to judge"),
        ("[[must]]", raw.must.is_empty(), "a scenario that expects nothing cannot pass: see `harness list --checkers`"),
    ] {
        if is_empty {
            problems.add(Problem::new(head.clone(), format!("the scenario has no {list}"), "this scenario").help(help));
        }
    }
    name::check_unique("tag", &raw.tags.iter().collect::<Vec<_>>(), problems);
    let tags: Vec<_> = raw.tags.iter().map(|tag| Name::check("tag", tag, problems)).collect();
    let only = raw.only.map(|Only::Sim| Tier::Sim);
    let world = raw.world.check(only.is_some(), problems);
    let longest = if only.is_some() { limits::MAX_SIMULATED_RUN } else { limits::MAX_RUN };
    let end = blocks::end_of_run(raw.end.as_ref(), &raw.traffic, longest, problems);
    let timeline = phase::check(raw.phase, end?, problems);
    let (world, timeline) = (world?, timeline?);
    let traffic = blocks::check(raw.traffic, &world, &timeline, only.is_some(), problems);
    let faults = fault::check(raw.fault, &world, &timeline, raw.seed, problems);
    let kills = kill::check(raw.kill, &timeline, raw.seed, only.is_some(), problems);
    if let (true, Some(fault)) = (world.is_official(), faults.first()) {
        let what = format!("{} is official, and does no wrong on demand", fault.on());
        let problem = Problem::new(head.clone(), what, "this scenario");
        problems.add(problem.help("leave `official` out of [world], or [[fault]] out of the file"));
    }
    let directory = directory::check(raw.directory, &world, &timeline, problems);
    let operator = operator::check(raw.operator, &world, &timeline, problems);
    let ledger = ledger::check(raw.ledger, &timeline, raw.seed, only.is_some(), problems);
    let telemetry = telemetry::check(raw.telemetry, &timeline, raw.seed, only.is_some(), problems);
    let told = Told {
        world: &world,
        timeline: &timeline,
        traffic: &traffic,
        faults: &faults,
        kills: &kills,
        directory: &directory,
        operator: &operator,
        ledger: &ledger,
        telemetry: &telemetry,
    };
    let musts = must::check(raw.must, told, problems);
    let without = baseline::check(raw.without, problems);
    let musts = baseline::add_to(musts, &without, told, problems);
    Some(Scenario {
        id: id?,
        title: raw.title.into_inner(),
        why: raw.why,
        tags: tags.into_iter().collect::<Option<_>>()?,
        profile: raw.profile,
        seed: raw.seed,
        only,
        world,
        timeline,
        traffic,
        faults,
        kills,
        directory,
        operator,
        ledger,
        telemetry,
        musts,
        without,
        source: text.to_owned(),
    })
}
