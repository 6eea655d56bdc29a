//! Events and reports for this crate's own tests.

use crate::class::Class;
use crate::event::{
    Answer, Event, Exchange, ExchangeKind, ExchangeOutcome, FacilitatorAnswer, FacilitatorCall, FacilitatorEndpoint,
    FaultRef, Recorded,
};
use crate::level::Level;
use crate::report::{
    Check, FaultSummary, Hint, KnownFailure, KnownStanding, MachineSummary, PhaseSummary, Quantiles, REPORT_SCHEMA, Report, Witness,
    WitnessEvent,
};
use crate::verdict::Verdict;

pub fn at(ms: u64, event: Event) -> Recorded {
    Recorded { at_us: ms * 1000, event }
}

pub fn exchange(phase: &str, status: u16, code: Option<&str>) -> Exchange {
    Exchange {
        exchange: 1,
        arrival: 1,
        client: "unpaid".to_owned(),
        traffic: "callers".to_owned(),
        address: "10.0.0.1".to_owned(),
        purchase: None,
        kind: ExchangeKind::Unpaid,
        phase: phase.to_owned(),
        tenant: "acme".to_owned(),
        dispatcher: 1,
        method: "GET".to_owned(),
        target: "/t/acme/".to_owned(),
        payment: None,
        identifier: None,
        credentials: None,
        body: None,
        flaw: None,
        due_us: 0,
        sent_us: 0,
        ended_us: 1000,
        outcome: ExchangeOutcome::Answered(Answer { status, code: code.map(str::to_owned), ..Answer::default() }),
    }
}

pub fn fault(index: usize, inject: &str) -> FaultRef {
    FaultRef { index, on: "primary".to_owned(), inject: inject.to_owned() }
}

pub fn call(fault: Option<FaultRef>) -> FacilitatorCall {
    FacilitatorCall {
        facilitator: "primary".to_owned(),
        endpoint: FacilitatorEndpoint::Settle,
        nth: 1,
        payment: None,
        payload_hash: None,
        received_us: 0,
        ended_us: 1,
        fault,
        stray_key: false,
        answer: FacilitatorAnswer::None { how: "reset".to_owned() },
    }
}

pub fn passing() -> Report {
    let phase = |name: &str, from_ms, to_ms, served, pending, p95_ms: f64| PhaseSummary {
        name: name.to_owned(),
        from_ms,
        to_ms,
        requests: served + 30 + pending,
        served,
        offered: 30,
        refused: 0,
        pending,
        failed: 0,
        left: 0,
        latency: Some(Quantiles { p50_ms: 41.2, p95_ms, p99_ms: p95_ms + 40.0, max_ms: p95_ms + 80.0 }),
    };
    let check = |id: &str, name: &str, expected: &str, detail: &str| Check {
        id: id.to_owned(),
        name: name.to_owned(),
        expected: expected.to_owned(),
        level: Level::Must,
        class: Class::Resilience,
        verdict: Verdict::Pass,
        detail: detail.to_owned(),
        line: Some(40),
        witness: None,
        sources: vec![format!("a source of {name}")],
        hint: Hint { cause: format!("what breaks {name}"), look_at: "dispatcher/some.rs".to_owned() },
        known: None,
    };
    Report {
        schema: REPORT_SCHEMA,
        scenario: "outage".to_owned(),
        title: "The primary facilitator dies; the standby takes over".to_owned(),
        tier: "live".to_owned(),
        seed: 42,
        file: Some("scenarios/outage.toml".to_owned()),
        verdict: Verdict::Pass,
        gate: Level::Must,
        checks: vec![
            check(
                "MONEY-1",
                "settle-at-most-once",
                "a payment moves money at most once",
                "251 payments, 251 transfers",
            ),
            check("LATENCY-steady", "latency", "p95 of steady is at most 1500ms", "p95 is 63ms of 80 requests"),
        ],
        phases: vec![
            phase("steady", 0, 8_000, 50, 0, 63.0),
            phase("outage", 8_000, 26_000, 120, 4, 2_310.5),
            phase("recovery", 26_000, 38_000, 81, 0, 70.9),
        ],
        faults: vec![
            FaultSummary { fault: fault(0, "refuse"), from_ms: 8_000, to_ms: 14_000, hits: 9 },
            FaultSummary { fault: fault(1, "settle-then-hang"), from_ms: 20_000, to_ms: 26_000, hits: 4 },
        ],
        machine: Some(MachineSummary { cores: 2, ours: 0.8, others: 0.3, others_at_most: 1.1 }),
        fidelity: vec![
            "real: the Worker's release wasm in workerd, under wrangler dev".to_owned(),
            "double: facilitators, their chain, the dispatch namespace".to_owned(),
        ],
        run_dir: "runs/outage-42".to_owned(),
        replay: "cargo run -p harness -- scenario outage --seed 42".to_owned(),
        exit_code: 0,
    }
}

/// The same run, had one rule broken and another not been judged.
pub fn failing() -> Report {
    let mut report = passing();
    report.verdict = Verdict::Fail;
    report.exit_code = 10;
    report.checks[0].verdict = Verdict::Fail;
    report.checks[0].detail = "1 payment of 251 moved money twice".to_owned();
    let moved = |n: usize| WitnessEvent {
        line: 95 + n,
        text: format!("at 21.{n:03} s, 0xabc moved 0.01 at standby\u{1b}[31m"),
    };
    report.checks[0].witness = Some(Witness {
        what: "0xabc moved money 12 times".to_owned(),
        events: (0..12).map(moved).collect(),
        others: vec!["0xdef moved money twice".to_owned()],
    });
    let flapping = Check {
        id: "COST-4".to_owned(),
        expected: "a facilitator that is up and down by turns is not taken back at every up".to_owned(),
        detail: "1 of 2 standings that changed broke it".to_owned(),
        level: Level::Should,
        verdict: Verdict::Fail,
        witness: Some(Witness { what: "primary flapped".to_owned(), events: vec![moved(1)], others: Vec::new() }),
        ..report.checks[1].clone()
    };
    let known = KnownFailure {
        standing: KnownStanding::Listed,
        owner: "ada".to_owned(),
        until: "2026-12-31".to_owned(),
        why: "the breaker's pauses are about to grow".to_owned(),
    };
    let listed = Check { id: "COST-4-verify".to_owned(), level: Level::Must, known: Some(known), ..flapping.clone() };
    report.checks.extend([flapping, listed]);
    report.checks[1].verdict = Verdict::Unknown;
    report.checks[1].detail = "no request was due in steady".to_owned();
    report.phases[0] = PhaseSummary { requests: 0, served: 0, offered: 0, latency: None, ..report.phases[0].clone() };
    report
}
