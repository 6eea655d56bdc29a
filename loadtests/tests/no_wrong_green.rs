//! No wrong green: what builds with a fault did under load was measured once (`testdata`), and is judged here again by today's budgets
//! and handed to the gate as the load test's word. No clock is read, so a busy machine decides nothing.

use std::time::Duration;

use gate::{
    Asked, Budgets, CheckRecord, FileDigest, Found, GATE_SCHEMA, GateRecord, Job, Kind, Machine, Needs, Outcome,
    Profile, Program, Refusal, Seal, Source, verdict_of, verify,
};
use harness::{
    exit::Exit,
    gate::{Finished, job_record, not_begun},
};
use loadtests::{
    doubt,
    judge::{self, Compared},
    report::LoadReport,
};

const NOW_MS: u64 = 2_000_000;

fn budgets() -> Budgets {
    Budgets::parse(include_str!("../budgets.toml")).unwrap_or_else(|error| panic!("{error}"))
}

/// What was measured of a build, by `loadtests budgets --quick --plant FAULT --format json`.
fn measured(text: &str) -> LoadReport {
    serde_json::from_str(text).expect("it is a load test's report")
}

/// Its CPU times, judged by today's budgets; whatever else it was held to, as it came to then.
fn judged_again(then: &LoadReport) -> LoadReport {
    let budgets = budgets();
    let again = then.ratios.iter().filter(|ratio| ratio.rule == "LOAD-CPU").map(|ratio| {
        let (route, pairs) = (ratio.route.as_str(), &ratio.pairs[..]);
        let what = "CPU time a request";
        Compared { rule: "LOAD-CPU", what, route, budget: budgets.route[route].cpu, pairs }.judge().0
    });
    let others = then.checks.iter().filter(|check| check.rule != "LOAD-CPU").cloned();
    report_of(again.chain(others).collect(), then.requests)
}

fn report_of(checks: Vec<CheckRecord>, requests: u64) -> LoadReport {
    LoadReport::new("budgets", checks, Vec::new(), Vec::new(), requests)
}

fn part(id: &str, kind: Kind) -> Job {
    let (needs, program, estimate) = (Needs::Machine, Program::LoadTests, Duration::from_secs(1));
    Job { id: id.to_owned(), kind, needs, program, args: vec!["budgets".to_owned()], estimate }
}

/// The gate's record, where the load test said this.
fn record(report: &LoadReport) -> GateRecord {
    let stdout = serde_json::to_string(report).expect("it is JSON");
    let finished = Finished { exit: Some(report.exit()), stdout, stderr: String::new(), took: Duration::from_secs(60) };
    sealed(vec![job_record(&part("load:budgets", Kind::Load), &finished).0])
}

fn sealed(jobs: Vec<gate::JobRecord>) -> GateRecord {
    let (verdict, reasons) = verdict_of(&jobs);
    GateRecord {
        schema: GATE_SCHEMA,
        run: "gate-pr-1".to_owned(),
        profile: Profile::Pr,
        verdict,
        reasons,
        partial: false,
        started_at_ms: NOW_MS - 60_000,
        ended_at_ms: NOW_MS - 1_000,
        jobs,
        bundle: bundle(),
        config: config(),
        source: Source { commit: Some("c0ffee".to_owned()), clean: true, changed: Vec::new(), bundle_given: false },
        tools: std::collections::BTreeMap::new(),
        fidelity: Vec::new(),
        machine: Machine {
            cores: 2,
            cpu: String::new(),
            kernel: String::new(),
            memory_mb: 0,
            others_before_percent: None,
        },
        seal: Seal::default(),
    }
    .sealed(None)
}

fn bundle() -> Vec<FileDigest> {
    vec![FileDigest::of("index.js", b"js"), FileDigest::of("index_bg.wasm", b"wasm")]
}

fn config() -> Vec<FileDigest> {
    vec![FileDigest::of("wrangler.jsonc", b"{}")]
}

fn refusals(record: &GateRecord, parts: &[&str]) -> Vec<Refusal> {
    let jobs: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
    let asked = Asked {
        at_least: Profile::Pr,
        max_age: Duration::from_secs(3_600),
        key: None,
        commit: Some("c0ffee"),
        jobs: &jobs,
        now_ms: NOW_MS,
    };
    verify(record, &asked, &Found { bundle: bundle(), config: config() })
}

/// A fail, by this rule, and no leave to deploy.
fn is_refused_by(rule: &str, report: &LoadReport) {
    let record = record(report);
    assert_eq!(record.verdict, Outcome::Fail, "{:?}", report.checks);
    let named = &record.jobs[0].not_held;
    assert!(named.iter().any(|check| check.rule == rule && check.outcome == Outcome::Fail), "{named:?}");
    let refusals = refusals(&record, &["load:budgets"]);
    assert!(matches!(&refusals[..], [Refusal::NotPassed { verdict: Outcome::Fail, .. }]), "{refusals:?}");
}

#[test]
fn the_dispatcher_that_ships_may_be_deployed() {
    let report = judged_again(&measured(include_str!("../testdata/ships.json")));
    assert_eq!(report.outcome, Outcome::Pass, "{:?}", report.checks);
    assert_eq!(refusals(&record(&report), &["load:budgets"]), []);
}

#[test]
fn one_that_is_a_third_slower_is_refused() {
    is_refused_by("LOAD-CPU", &judged_again(&measured(include_str!("../testdata/slower.json"))));
}

#[test]
fn one_that_drops_the_limits_is_refused() {
    let then = measured(include_str!("../testdata/drops-limits.json"));
    is_refused_by("LOAD-LIMITS", &judged_again(&then));
    is_refused_by("LOAD-LIMITS", &report_of(vec![judge::limits(Some("503 dispatched without its limits"), 9)], 9));
}

#[test]
fn one_that_leaks_is_refused() {
    is_refused_by("LOAD-MEMORY", &judged_again(&measured(include_str!("../testdata/leaks.json"))));
    // What was measured of it, by today's budget.
    let most = budgets().memory.bytes_a_request;
    is_refused_by("LOAD-MEMORY", &report_of(vec![judge::memory(16_900.0, 120.0, 4_000, most)], 4_000));
    assert_eq!(judge::memory(900.0, 120.0, 4_000, most).outcome, Outcome::Pass);
}

#[test]
fn one_that_bills_anew_while_it_does_not_know_is_refused() {
    is_refused_by("LOAD-UNKNOWN", &judged_again(&measured(include_str!("../testdata/refuses-unknown.json"))));
    is_refused_by("LOAD-UNKNOWN", &report_of(vec![doubt::judge(&[402, 402], &[200, 200])], 4));
}

#[test]
fn a_part_that_never_ran_is_missed() {
    let ships = judged_again(&measured(include_str!("../testdata/ships.json")));
    let good = record(&ships);
    assert_eq!(refusals(&good, &["load:budgets", "live:outage"]), [Refusal::NeverRan("live:outage".to_owned())]);
    // Told as not begun, ended well without a word, or ended well without having judged anything.
    let silent = Finished { exit: Some(Exit::Pass), ..not_begun() };
    let idle = Finished { stdout: "{\"checks\":[],\"requests\":0}".to_owned(), ..silent };
    for finished in [not_begun(), Finished { exit: Some(Exit::Pass), ..not_begun() }, idle] {
        let never = job_record(&part("live:outage", Kind::Scenario), &finished).0;
        let record = sealed(vec![good.jobs[0].clone(), never]);
        assert_ne!(record.verdict, Outcome::Pass);
        assert!(!refusals(&record, &["load:budgets", "live:outage"]).is_empty());
    }
}

#[test]
fn an_edited_record_is_refused_whatever_was_edited() {
    let slower = record(&judged_again(&measured(include_str!("../testdata/slower.json"))));
    let ships = record(&judged_again(&measured(include_str!("../testdata/ships.json"))));
    // A verdict painted over, a part painted over, and the digest of another bundle.
    let verdict = GateRecord { verdict: Outcome::Pass, reasons: Vec::new(), ..slower.clone() };
    let part = GateRecord { jobs: ships.jobs.clone(), ..verdict.clone() };
    let other = GateRecord { bundle: vec![FileDigest::of("index.js", b"other")], ..ships.clone() };
    for edited in [verdict, part, other] {
        let refusals = refusals(&edited, &["load:budgets"]);
        assert!(refusals.iter().any(|refusal| matches!(refusal, Refusal::Seal(_))), "{refusals:?}");
    }
}
