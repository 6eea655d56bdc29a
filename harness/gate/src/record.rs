//! `gate.json`: what a gate ran, what each part came to, and what exactly it was run on.
//!
//! Surprising constraint: it has no fractions. The seal is over its bytes as they are written again, and a number with a
//! point could come back as another.

use std::collections::BTreeMap;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

use crate::{FileDigest, Kind, Profile, Seal};

/// Version of `gate.json`. Raised when a field changes its meaning or goes away.
pub const GATE_SCHEMA: u32 = 1;

/// The path of its JSON Schema, from the root of a checkout.
pub const SCHEMA_FILE: &str = "harness/gate/gate.schema.json";

/// The verdict of a gate, and all that it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateRecord {
    pub schema: u32,
    /// Names this run of the gate, as its folder does.
    pub run: String,
    pub profile: Profile,
    pub verdict: Outcome,
    /// The reasons why it does not pass, a line each.
    pub reasons: Vec<String>,
    /// True where a person or the time ended it before everything was run.
    pub partial: bool,
    pub started_at_ms: u64,
    pub ended_at_ms: u64,
    /// Everything that the profile asks for, whether or not it came to run.
    pub jobs: Vec<JobRecord>,
    /// The files of the dispatcher's bundle, the wasm among them.
    pub bundle: Vec<FileDigest>,
    /// The files of other Workers that its scenarios ran with it, by the Worker's name at Cloudflare.
    #[serde(default)]
    pub beside: BTreeMap<String, Vec<FileDigest>>,
    /// The configuration that would be deployed with it.
    pub config: Vec<FileDigest>,
    pub source: Source,
    /// Tools by name.
    pub tools: BTreeMap<String, String>,
    /// The real parts and the doubles, a line each.
    pub fidelity: Vec<String>,
    pub machine: Machine,
    pub seal: Seal,
}

/// The verdict of a part of the gate, and of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Pass,
    Fail,
    /// It was run and could not be judged.
    Unknown,
    /// It was not run, or not to its end.
    NotRun,
}

/// One part of the gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRecord {
    /// Such as `live:outage`.
    pub id: String,
    pub kind: Kind,
    pub outcome: Outcome,
    /// The status of the program that ran it; absent where it has none.
    pub exit_code: Option<u8>,
    /// In a line.
    pub says: String,
    pub took_ms: u64,
    /// How many things it judged. A pass that judged nothing is none.
    pub judged: u64,
    /// The rules of it that did not hold.
    pub not_held: Vec<CheckRecord>,
    /// The folder with all of it.
    pub folder: Option<String>,
    /// The command that repeats it.
    pub repeat: String,
}

/// A rule that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRecord {
    pub rule: String,
    pub name: String,
    pub outcome: Outcome,
    pub detail: String,
}

/// The sources that the bundle was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub commit: Option<String>,
    /// True where nothing differed from the commit, files that git does not know among them.
    pub clean: bool,
    /// The differences, not all of them where there were many.
    pub changed: Vec<String>,
    /// True where the bundle was not built from these sources by the gate itself.
    pub bundle_given: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    pub cores: u32,
    pub cpu: String,
    pub kernel: String,
    pub memory_mb: u64,
    /// How many hundredths of a core others used in the second before it began.
    pub others_before_percent: Option<u32>,
}

impl Outcome {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotRun => "not run",
        }
    }
}

impl JobRecord {
    /// The verdict that it counts as: a pass that judged nothing proves nothing.
    #[must_use]
    pub fn counts_as(&self) -> Outcome {
        match self.outcome {
            Outcome::Pass if self.judged == 0 => Outcome::NotRun,
            outcome => outcome,
        }
    }
}

/// The verdict that these parts come to, and a line for each that keeps it from passing. Any fail is a fail. Else whatever
/// was not run, or not judged, leaves it unknown; and so does a gate that has no part at all.
#[must_use]
pub fn verdict_of(jobs: &[JobRecord]) -> (Outcome, Vec<String>) {
    let short = jobs.iter().filter(|job| job.counts_as() != Outcome::Pass);
    let mut reasons: Vec<String> =
        short.map(|job| format!("{}: {}: {}", job.id, job.counts_as().as_str(), job.says)).collect();
    let verdict = match () {
        () if jobs.is_empty() => {
            reasons.push("nothing ran".to_owned());
            Outcome::Unknown
        }
        () if jobs.iter().any(|job| job.counts_as() == Outcome::Fail) => Outcome::Fail,
        () if reasons.is_empty() => Outcome::Pass,
        () => Outcome::Unknown,
    };
    (verdict, reasons)
}

/// The JSON Schema of `gate.json`, as its file has it.
#[must_use]
pub fn schema() -> String {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<GateRecord>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

#[cfg(test)]
pub(crate) mod fixture {
    use super::*;

    pub fn job(id: &str, outcome: Outcome) -> JobRecord {
        JobRecord {
            id: id.to_owned(),
            kind: Kind::Scenario,
            outcome,
            exit_code: Some(0),
            says: "3 rules held".to_owned(),
            took_ms: 1_000,
            judged: 3,
            not_held: Vec::new(),
            folder: Some("runs/x".to_owned()),
            repeat: format!("cargo run -p harness -- scenario {id}"),
        }
    }

    pub fn record(jobs: Vec<JobRecord>) -> GateRecord {
        let (verdict, reasons) = verdict_of(&jobs);
        GateRecord {
            schema: GATE_SCHEMA,
            run: "gate-pr-1".to_owned(),
            profile: Profile::Pr,
            verdict,
            reasons,
            partial: false,
            started_at_ms: 1_000_000,
            ended_at_ms: 1_060_000,
            jobs,
            bundle: vec![FileDigest::of("index.js", b"js"), FileDigest::of("index_bg.wasm", b"wasm")],
            beside: BTreeMap::new(),
            config: vec![FileDigest::of("wrangler.jsonc", b"{}")],
            source: Source { commit: Some("c0ffee".to_owned()), clean: true, changed: Vec::new(), bundle_given: false },
            tools: BTreeMap::from([("wrangler".to_owned(), "4.156.0".to_owned())]),
            fidelity: vec!["double: the dispatch namespace".to_owned()],
            machine: Machine {
                cores: 2,
                cpu: "a CPU".to_owned(),
                kernel: "6.1".to_owned(),
                memory_mb: 8_000,
                others_before_percent: Some(3),
            },
            seal: Seal::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::job;
    use super::*;

    #[test]
    fn nothing_is_never_a_pass() {
        assert_eq!(verdict_of(&[]), (Outcome::Unknown, vec!["nothing ran".to_owned()]));
        let idle = JobRecord { judged: 0, ..job("live:outage", Outcome::Pass) };
        let (verdict, reasons) = verdict_of(&[job("sim:outage", Outcome::Pass), idle]);
        assert_eq!(verdict, Outcome::Unknown);
        assert_eq!(reasons, ["live:outage: not run: 3 rules held"]);
    }

    #[test]
    fn a_scenario_that_never_ran_keeps_the_gate_from_passing() {
        let jobs = [job("a", Outcome::Pass), job("b", Outcome::NotRun)];
        assert_eq!(verdict_of(&jobs).0, Outcome::Unknown);
        assert_eq!(verdict_of(&jobs[..1]).0, Outcome::Pass);
    }

    #[test]
    fn one_broken_rule_outweighs_what_was_not_run() {
        let jobs = [job("a", Outcome::NotRun), job("b", Outcome::Fail), job("c", Outcome::Unknown)];
        let (verdict, reasons) = verdict_of(&jobs);
        assert_eq!((verdict, reasons.len()), (Outcome::Fail, 3));
    }

    #[test]
    fn the_committed_schema_is_the_one_that_the_types_have() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/gate.schema.json");
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert!(committed == schema(), "write it anew: cargo run -p harness -- gate --schema > {SCHEMA_FILE}");
    }
}
