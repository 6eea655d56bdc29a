//! What a part's program printed, read as what the part came to. The exit status decides; what was printed says how much was judged
//! and what did not hold.
//!
//! Surprising constraint: a program that ended well and said nothing has judged nothing, and that is no pass.

use crate::exit::Exit;
use gate::{CheckRecord, GateRecord, Job, JobRecord, Kind, Outcome, Program};
use reports::{
    report::{Check, Report},
    verdict::Verdict,
};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// The bytes of a program's last words that are kept.
const LAST_WORDS: usize = 400;

/// A part's program, ended or stopped.
pub struct Finished {
    /// `None` where it was not begun, or was stopped.
    pub exit: Option<Exit>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

/// The part of printed JSON that is read: how much was judged, what did not hold, where it lies.
#[derive(Default)]
struct Told {
    judged: u64,
    not_held: Vec<CheckRecord>,
    folder: Option<String>,
    report: Option<Report>,
}

#[derive(Deserialize)]
struct LoadTold {
    checks: Vec<CheckRecord>,
    requests: u64,
}

/// The part's record, and the report of a scenario's run.
#[must_use]
pub fn job_record(job: &Job, finished: &Finished) -> (JobRecord, Option<Report>) {
    let told = told(job.kind, &finished.stdout);
    let outcome = outcome_of(finished.exit, told.judged);
    let record = JobRecord {
        id: job.id.clone(),
        kind: job.kind,
        outcome,
        exit_code: finished.exit.map(Exit::code),
        says: says(finished, &told),
        took_ms: finished.took.as_millis() as u64,
        judged: told.judged,
        not_held: told.not_held,
        folder: told.folder,
        repeat: repeat(job),
    };
    (record, told.report)
}

/// Ends that say nothing of the dispatcher are unknown, and never a pass.
fn outcome_of(exit: Option<Exit>, judged: u64) -> Outcome {
    match exit {
        None | Some(Exit::NothingRan | Exit::Interrupted) => Outcome::NotRun,
        Some(Exit::Pass) if judged > 0 => Outcome::Pass,
        Some(Exit::Pass) => Outcome::NotRun,
        Some(
            Exit::RuleBroken
            | Exit::TooSlow
            | Exit::SeededBugUnseen
            | Exit::KnownIsOver
            | Exit::DeterminismLost
            | Exit::BadScenario
            | Exit::DidNotStart,
        ) => Outcome::Fail,
        Some(Exit::Unknown | Exit::NotServed | Exit::Usage | Exit::Internal | Exit::NotWritten) => Outcome::Unknown,
    }
}

fn told(kind: Kind, stdout: &str) -> Told {
    match kind {
        Kind::Regression | Kind::Scenario => of_report(stdout),
        Kind::Load => of_load(stdout),
        Kind::Selftest => {
            let json: Value = serde_json::from_str(stdout).unwrap_or_default();
            let bugs = json["bugs"].as_array().into_iter().flatten();
            let not_held = bugs.filter_map(bug_not_held).collect();
            Told { judged: json["caught"].as_u64().unwrap_or(0), not_held, ..Told::default() }
        }
        Kind::Swarm => {
            let json: Value = serde_json::from_str(stdout).unwrap_or_default();
            Told { judged: json["runs"].as_u64().unwrap_or(0), ..Told::default() }
        }
        Kind::Conformance => {
            let json: Value = serde_json::from_str(stdout).unwrap_or_default();
            let rows: Vec<&Value> = json["rows"].as_array().into_iter().flatten().collect();
            let lost = rows.iter().filter(|row| row["dispatcher_is_sound"] != true);
            Told { judged: rows.len() as u64, not_held: lost.map(|row| lost_row(row)).collect(), ..Told::default() }
        }
    }
}

fn of_report(stdout: &str) -> Told {
    let Ok(report) = serde_json::from_str::<Report>(stdout) else { return Told::default() };
    let counted = || report.checks.iter().filter(|check| check.counts_as(report.gate).is_some());
    let not_held = counted().filter(|check| check.counts_as(report.gate) != Some(Verdict::Pass));
    let not_held = not_held.map(|check| CheckRecord {
        rule: check.id.clone(),
        name: check.name.clone(),
        outcome: if check.verdict == Verdict::Unknown { Outcome::Unknown } else { Outcome::Fail },
        detail: check.witness.as_ref().map_or(&check.detail, |witness| &witness.what).clone(),
    });
    Told {
        judged: counted().count() as u64,
        not_held: not_held.collect(),
        folder: Some(report.run_dir.clone()),
        report: Some(report),
    }
}

fn of_load(stdout: &str) -> Told {
    let Ok(load) = serde_json::from_str::<LoadTold>(stdout) else { return Told::default() };
    let judged = if load.requests > 0 { load.checks.len() as u64 } else { 0 };
    let not_held = load.checks.into_iter().filter(|check| check.outcome != Outcome::Pass).collect();
    Told { judged, not_held, ..Told::default() }
}

/// A bug that no rule saw, or one that is listed as unseen and was seen.
fn bug_not_held(bug: &Value) -> Option<CheckRecord> {
    let text = |key: &str| bug[key].as_str().unwrap_or_default().to_owned();
    let detail = match (bug["seen"] == "caught", bug["known"]["standing"].as_str()) {
        (true, Some("over")) => "it is seen, and known.toml lists it as unseen: its entry is to be deleted".to_owned(),
        (true, _) | (false, Some("listed")) => return None,
        (false, _) => text("breaks"),
    };
    Some(CheckRecord { rule: text("rule"), name: text("bug"), outcome: Outcome::Fail, detail })
}

fn lost_row(row: &Value) -> CheckRecord {
    let verdicts: Vec<&str> = row["verdicts"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let [rule, name] = ["CONFORM-ROW", row["name"].as_str().unwrap_or_default()].map(str::to_owned);
    CheckRecord { rule, name, outcome: Outcome::Fail, detail: verdicts.join(", ") }
}

fn says(finished: &Finished, told: &Told) -> String {
    let Some(exit) = finished.exit else { return "it was not run to its end".to_owned() };
    if exit == Exit::Pass && told.judged > 0 {
        return format!("{} things were judged, and all that counts held", told.judged);
    }
    let broken: Vec<&str> = told.not_held.iter().map(|check| check.rule.as_str()).collect();
    if !broken.is_empty() {
        return format!("{}: {}", exit.meaning(), broken.join(", "));
    }
    let last = finished.stderr.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let last: String = last.chars().take(LAST_WORDS).collect();
    if exit == Exit::Pass { "it judged nothing".to_owned() } else { format!("{}: {last}", exit.meaning()) }
}

/// All parts as one report, so that a list of tests or of findings has those as well that ran no scenario, or never began.
#[must_use]
pub fn parts_report(record: &GateRecord, exit: Exit) -> Report {
    let part = |part: &JobRecord| {
        let verdict = match part.counts_as() {
            Outcome::Pass => Verdict::Pass,
            Outcome::Fail => Verdict::Fail,
            Outcome::Unknown | Outcome::NotRun => Verdict::Unknown,
        };
        let broken: String = part.not_held.iter().map(|check| format!("; {} {}", check.rule, check.name)).collect();
        Check::of(&part.id, "gate-part", "the part passes", verdict, &format!("{}{broken}", part.says))
    };
    let title = format!("the parts of profile {}", record.profile.as_str());
    Report::of_checks("gate", &title, record.jobs.iter().map(part).collect(), exit.code())
}

/// The command that repeats the part.
fn repeat(job: &Job) -> String {
    let package = match job.program {
        Program::Harness => "harness",
        Program::LoadTests => "loadtests",
    };
    let args = job.args.join(" ");
    format!("cargo run -p {package} -- {}", args.trim_end_matches(" --format json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate::{Needs, Profile, ScenarioFacts, plan};

    fn job(kind: Kind) -> Job {
        let args = ["scenario", "outage", "--tier", "sim", "--format", "json"].map(str::to_owned).to_vec();
        let (needs, program, estimate) = (Needs::Cpu, Program::Harness, Duration::from_secs(1));
        Job { id: "sim:outage".to_owned(), kind, needs, program, args, estimate }
    }

    fn finished(exit: Option<Exit>, stdout: &str) -> Finished {
        Finished { exit, stdout: stdout.to_owned(), stderr: String::new(), took: Duration::from_secs(1) }
    }

    #[test]
    fn a_program_that_ended_well_and_said_nothing_is_no_pass() {
        for kind in [Kind::Scenario, Kind::Selftest, Kind::Conformance, Kind::Load, Kind::Swarm] {
            let (record, _) = job_record(&job(kind), &finished(Some(Exit::Pass), ""));
            assert_eq!((record.outcome, record.judged), (Outcome::NotRun, 0), "{kind:?}");
        }
        let (record, _) = job_record(&job(Kind::Scenario), &finished(None, ""));
        assert_eq!(record.outcome, Outcome::NotRun);
        assert_eq!(record.repeat, "cargo run -p harness -- scenario outage --tier sim");
    }

    #[test]
    fn a_load_test_tells_its_checks() {
        let check = r#"{"rule":"LOAD-CPU","name":"unpaid","outcome":"fail","detail":"3 times"}"#;
        let told = format!(r#"{{"checks":[{check}],"requests":9,"more":1}}"#);
        let (record, _) = job_record(&job(Kind::Load), &finished(Some(Exit::TooSlow), &told));
        assert_eq!((record.outcome, record.judged), (Outcome::Fail, 1));
        assert_eq!(record.not_held[0].rule, "LOAD-CPU");
        let idle = told.replace("\"requests\":9", "\"requests\":0").replace("fail", "pass");
        assert_eq!(job_record(&job(Kind::Load), &finished(Some(Exit::Pass), &idle)).0.outcome, Outcome::NotRun);
    }

    #[test]
    fn a_self_test_names_the_bugs_that_went_unseen_and_those_that_are_listed_for_nothing() {
        let bug = |name: &str, seen: &str, standing: Option<&str>| {
            let known = standing.map(|standing| serde_json::json!({"standing": standing}));
            serde_json::json!({"bug": name, "rule": "MONEY-1", "breaks": "pays twice", "seen": seen, "known": known})
        };
        let bugs = [
            bug("a", "caught", None),
            bug("b", "unseen", None),
            bug("c", "unseen", Some("listed")),
            bug("d", "caught", Some("over")),
            bug("e", "unseen", Some("expired")),
        ];
        let told = serde_json::json!({"caught": 2, "bugs": bugs}).to_string();
        let (record, _) = job_record(&job(Kind::Selftest), &finished(Some(Exit::SeededBugUnseen), &told));
        let named: Vec<&str> = record.not_held.iter().map(|check| check.name.as_str()).collect();
        assert_eq!((record.outcome, named), (Outcome::Fail, vec!["b", "d", "e"]));
    }

    #[test]
    fn what_a_broken_world_comes_to_is_never_a_pass() {
        for exit in Exit::ALL {
            let outcome = outcome_of(Some(exit), 1);
            assert_eq!(outcome == Outcome::Pass, exit == Exit::Pass, "{exit:?}");
        }
    }

    #[test]
    fn every_planned_command_can_be_read() {
        use clap::Parser;
        let scenario = ScenarioFacts {
            id: "outage".to_owned(),
            lasts: Duration::from_secs(30),
            first: Profile::Pr,
            is_regression: false,
            runs_simulated: true,
            runs_live: true,
        };
        for job in plan(Profile::Release, &gate::Facts { scenarios: vec![scenario] }) {
            if job.program == Program::Harness {
                let words = std::iter::once("harness").chain(job.args.iter().map(String::as_str));
                assert!(crate::cli::Cli::try_parse_from(words).is_ok(), "{:?}", job.args);
            }
        }
    }
}
