//! Events and reports for this crate's own tests.

use crate::class::Class;
use crate::event::{
    Answer, DispatcherPayment, Event, Exchange, ExchangeKind, ExchangeOutcome, FacilitatorAnswer, FacilitatorCall,
    FacilitatorEndpoint, FacilitatorStanding, FaultRef, Killing, LedgerState, MachineLoad, Recorded, TenantRun,
    Transfer,
};
use crate::level::Level;
use crate::report::{
    Check, FaultSummary, Hint, KnownFailure, KnownStanding, MachineSummary, PhaseSummary, Quantiles, REPORT_SCHEMA,
    Report, Witness, WitnessEvent,
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

/// A run of twenty seconds in which a payment moves money twice, one is never served, and everything else goes well. Some of
/// the texts are what hostile tenants and facilitators would say.
pub fn history() -> Vec<Recorded> {
    let hang = fault(0, "settle-then-hang");
    let kill = FaultRef { index: 0, on: "dispatcher".to_owned(), inject: "settling".to_owned() };
    let mut events = vec![
        at(0, Event::PhaseStarted { phase: "steady".to_owned() }),
        at(8_000, Event::PhaseStarted { phase: "outage".to_owned() }),
        at(8_000, Event::FaultStarted { fault: hang.clone() }),
        at(14_000, Event::FaultEnded { fault: hang.clone() }),
        at(9_500, standing("healthy", "quarantined")),
        at(15_000, standing("quarantined", "probing")),
        at(15_200, standing("probing", "healthy")),
        at(12_000, Event::DispatcherKilled(Killing { kill, payment: Some(key(2)) })),
        at(12_900, Event::DispatcherStarted),
        at(20_000, Event::RunEnded),
    ];
    for second in 1..20_u32 {
        let ours = 0.4 + f64::from(second % 3) * 0.1;
        let load = MachineLoad { cores: 2, busy: ours + if second > 15 { 1.4 } else { 0.1 }, ours };
        events.push(at(u64::from(second) * 1000, Event::MachineLoad(load)));
    }
    let mut n = 0;
    for tick in 0..36 {
        n += 1;
        let phase = if tick < 16 { "steady" } else { "outage" };
        events.extend(unpaid(n, phase, 100 + tick * 500, 5 + tick % 7));
    }
    events.extend(purchase(1, "outage", 9_000, Some(hang), true));
    events.extend(purchase(2, "outage", 11_500, None, false));
    events.extend((3..9).flat_map(|purchase_| purchase(purchase_, "steady", 700 + purchase_ * 800, None, false)));
    events.sort_by_key(|recorded| recorded.at_us);
    events
}

pub fn key(n: u64) -> String {
    format!("eip155:84532:0xasset:0xpayer{n}:0x{n:02}f00d{n:058x}")
}

fn standing(from: &str, to: &str) -> Event {
    Event::FacilitatorStanding(FacilitatorStanding {
        facilitator: "primary".to_owned(),
        call: FacilitatorEndpoint::Settle,
        from: from.to_owned(),
        to: to.to_owned(),
        reason: "timeout".to_owned(),
    })
}

fn unpaid(n: u64, phase: &str, ms: u64, took_ms: u64) -> Vec<Recorded> {
    let mut asked = exchange(phase, 200, None);
    (asked.exchange, asked.due_us, asked.sent_us, asked.ended_us) = (n, ms * 1000, ms * 1000, (ms + took_ms) * 1000);
    let id = format!("r{n}");
    if let ExchangeOutcome::Answered(answer) = &mut asked.outcome {
        answer.request_id = Some(id.clone());
    }
    if n == 7 {
        asked.target = "/t/acme/<script>alert(1)</script>".to_owned();
    }
    let run =
        TenantRun { script: "acme".to_owned(), cpu_ms: Some(50.0), sub_requests: Some(5.0), request_id: Some(id) };
    vec![at(ms + 1, Event::TenantRan(run)), at(ms + took_ms, Event::ExchangeEnded(asked))]
}

/// A purchase whose first settlement hangs at the primary, if there is a fault, and which a second facilitator then settles again.
fn purchase(n: u64, phase: &str, ms: u64, hang: Option<FaultRef>, twice: bool) -> Vec<Recorded> {
    let key = key(n);
    let sent = |number: u64, kind, payment: Option<&String>, from: u64, to: u64, status| {
        let mut sent = exchange(phase, status, (status == 503).then_some("settlement_pending"));
        (sent.exchange, sent.kind, sent.payment, sent.purchase) = (number, kind, payment.cloned(), Some(n));
        (sent.due_us, sent.sent_us, sent.ended_us) = (from * 1000, from * 1000, to * 1000);
        (sent.client, sent.traffic) = ("paid".to_owned(), "buyers".to_owned());
        if let ExchangeOutcome::Answered(answer) = &mut sent.outcome {
            answer.request_id = Some(format!("q{number}"));
            answer.retry_after_s = (status == 503).then_some(2);
        }
        at(to, Event::ExchangeEnded(sent))
    };
    let asked = |facilitator: &str, endpoint, from: u64, to: u64, fault: Option<FaultRef>| {
        let mut asked = call(fault.clone());
        (asked.facilitator, asked.endpoint, asked.payment) = (facilitator.to_owned(), endpoint, Some(key.clone()));
        (asked.received_us, asked.ended_us) = (from * 1000, to * 1000);
        asked.answer = match fault {
            Some(_) => FacilitatorAnswer::None { how: "hung".to_owned() },
            None => FacilitatorAnswer::Sent {
                status: 200,
                ok: Some(true),
                reason: (n == 2).then(|| "\"><img src=x onerror=alert(1)>".to_owned()),
                transaction: None,
                payer: None,
            },
        };
        at(to, Event::FacilitatorCalled(asked))
    };
    let stage = |ms: u64, stage: &str, request: u64| {
        let (request_id, stage, payment) = (Some(format!("q{request}")), stage.to_owned(), key.clone());
        let tenant_id = "acme".to_owned();
        let line = DispatcherPayment {
            request_id,
            tenant_id,
            payment,
            stage,
            reason: None,
            facilitator: None,
            transaction: None,
        };
        at(ms, Event::DispatcherPayment(line))
    };
    let moved = |ms: u64, facilitator: &str| {
        at(
            ms,
            Event::TransferMoved(Transfer {
                facilitator: facilitator.to_owned(),
                payment: key.clone(),
                network: "eip155:84532".to_owned(),
                asset: "0xasset".to_owned(),
                from: "0xpayer".to_owned(),
                to: "0xpayee".to_owned(),
                value: "10000".to_owned(),
                transaction: format!("0xt{n}{facilitator}"),
            }),
        )
    };
    use ExchangeKind::{Challenge, Payment, Resend};
    use FacilitatorEndpoint::{Settle, Verify};
    let (first, second, third) = (100 + n * 10, 101 + n * 10, 102 + n * 10);
    let mut events = vec![
        sent(first, Challenge, None, ms, ms + 8, 402),
        stage(ms + 21, "claimed", second),
        asked("primary", Verify, ms + 22, ms + 25, None),
        stage(ms + 26, "verified", second),
        stage(ms + 31, "executed", second),
        stage(ms + 32, "settling", second),
        asked("primary", Settle, ms + 33, ms + if hang.is_some() { 2_033 } else { 43 }, hang.clone()),
        moved(ms + 34, "primary"),
    ];
    if hang.is_some() {
        events.push(stage(ms + 2_034, "unknown", second));
        events.push(sent(second, Payment, Some(&key), ms + 20, ms + 2_035, 503));
        events.push(asked("standby", Settle, ms + 4_040, ms + 4_060, None));
        events.extend(twice.then(|| moved(ms + 4_050, "standby")));
        events.push(stage(ms + 4_061, "settled", third));
        events.push(sent(third, Resend, Some(&key), ms + 4_036, ms + 4_062, 200));
    } else {
        events.push(stage(ms + 44, "settled", second));
        events.push(sent(second, Payment, Some(&key), ms + 20, ms + 45, if n == 2 { 500 } else { 200 }));
    }
    let state = LedgerState { payment: key.clone(), state: "settled".to_owned(), transaction: None };
    events.push(at(19_900 + n, Event::LedgerState(state)));
    events
}
