//! The run as a Chrome trace, which Perfetto and Chrome's own viewer open: a track for phases and faults, one for each kind of
//! client, facilitator and tenant, a counter for the machine, and the flow of each payment from call to call.
//!
//! Surprising constraint: slices of one track must nest, or a viewer drops some. Whatever overlaps in time goes to lanes of
//! its own.

use std::{collections::BTreeMap, io::Write};

use serde_json::{Map, Value, json};

use crate::{
    RenderError, Run,
    event::{Event, Exchange, FacilitatorEndpoint, Recorded},
    machine,
    story::{answer_of_call, outcome_of, short},
    summary::Seen,
};

pub fn render(runs: &[Run<'_>], to: &mut dyn Write) -> Result<(), RenderError> {
    to.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")?;
    let mut first = true;
    for (n, run) in runs.iter().enumerate() {
        let unreadable = |source| RenderError::Events { run: run.report.run_dir.clone(), source };
        let events = run.events().map_err(unreadable)?;
        for event in of_run(n as u64 + 1, run, &events) {
            if !std::mem::take(&mut first) {
                to.write_all(b",\n")?;
            }
            serde_json::to_writer(&mut *to, &event)?;
        }
    }
    Ok(to.write_all(b"\n]}\n")?)
}

/// A process for each run.
fn of_run(pid: u64, run: &Run<'_>, events: &[Recorded]) -> Vec<Value> {
    let mut tracks = Tracks::new(pid);
    let report = run.report;
    tracks.out.push(json!({
        "ph": "M", "pid": pid, "name": "process_name",
        "args": { "name": format!("{} ({} tier, seed {}): {}", report.scenario, report.tier, report.seed, report.verdict.as_str()) },
    }));
    for phase in &report.phases {
        let args = json!({ "requests": phase.requests, "served": phase.served, "failed": phase.failed });
        tracks.slice("phases", &phase.name, phase.from_ms * 1000, phase.to_ms * 1000, args);
    }
    for fault in &report.faults {
        let name = format!("{} on {}", fault.fault.inject, fault.fault.on);
        tracks.slice("faults", &name, fault.from_ms * 1000, fault.to_ms * 1000, json!({ "hits": fault.hits }));
    }
    let broken = broken_lines(run);
    for (n, recorded) in events.iter().enumerate() {
        tracks.event(recorded);
        if let Some(rules) = broken.get(&(n + 1)) {
            tracks.instant("broken rules", &rules.join(", "), moment(recorded), json!({ "line": n + 1 }));
        }
    }
    tracks.out
}

/// Which rules each line of the history is a witness of.
fn broken_lines<'a>(run: &Run<'a>) -> BTreeMap<usize, Vec<&'a str>> {
    let mut broken: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for check in &run.report.checks {
        for event in check.witness.iter().flat_map(|witness| &witness.events) {
            broken.entry(event.line).or_default().push(&check.id);
        }
    }
    broken
}

/// When it happened, by whoever knows best.
fn moment(recorded: &Recorded) -> u64 {
    match &recorded.event {
        Event::ExchangeEnded(exchange) => exchange.sent_us,
        Event::FacilitatorCalled(call) => call.received_us,
        _ => recorded.at_us,
    }
}

struct Tracks {
    pid: u64,
    /// The lanes of each track: the thread that it is to the viewer, and when its last slice ends.
    lanes: BTreeMap<String, Vec<(u64, u64)>>,
    threads: u64,
    /// Payments whose flow has begun.
    flows: BTreeMap<String, u64>,
    out: Vec<Value>,
}

impl Tracks {
    fn new(pid: u64) -> Self {
        Self { pid, lanes: BTreeMap::new(), threads: 0, flows: BTreeMap::new(), out: Vec::new() }
    }

    fn event(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::ExchangeEnded(exchange) => self.exchange(exchange),
            Event::FacilitatorCalled(call) => {
                let verb = match call.endpoint {
                    FacilitatorEndpoint::Verify => "verify",
                    FacilitatorEndpoint::Settle => "settle",
                    FacilitatorEndpoint::Supported => "supported",
                };
                let args = json!({
                    "answer": answer_of_call(call), "nth": call.nth, "payment": call.payment,
                    "fault": call.fault.as_ref().map(|fault| &fault.inject),
                });
                let track = format!("facilitator {}", call.facilitator);
                let tid = self.slice(&track, verb, call.received_us, call.ended_us, args);
                self.flow(call.payment.as_deref(), tid, call.received_us);
            }
            Event::TransferMoved(transfer) => {
                let args = json!({ "payment": transfer.payment, "transaction": transfer.transaction });
                let name = format!("{} moves, {}", transfer.value, short(&transfer.payment));
                self.instant("chain", &name, recorded.at_us, args);
            }
            Event::DispatcherPayment(stage) => {
                let args = json!({ "payment": stage.payment, "request": stage.request_id, "reason": stage.reason });
                self.instant("ledger, as the dispatcher logs it", &stage.stage, recorded.at_us, args);
            }
            Event::FacilitatorStanding(standing) => {
                let name = format!("{} {:?}: {}", standing.facilitator, standing.call, standing.to);
                let args = json!({ "from": standing.from, "reason": standing.reason });
                self.instant("standing of facilitators", &name, recorded.at_us, args);
            }
            Event::DispatcherKilled(killing) => {
                let args = json!({ "payment": killing.payment, "why": killing.kill.inject });
                self.instant("dispatcher", "killed", recorded.at_us, args);
            }
            Event::DispatcherStarted => self.instant("dispatcher", "answers again", recorded.at_us, json!({})),
            Event::DispatcherAlert(alert) => {
                self.instant("dispatcher", &format!("alert {}", alert.alert), recorded.at_us, json!({}));
            }
            Event::DirectoryChanged(change) => {
                let what = change.change.as_ref().map_or("as it is at first", |change| change.inject.as_str());
                self.instant("deploys", &format!("directory {what}"), recorded.at_us, json!({}));
            }
            Event::OperatorActed(act) => {
                self.instant(
                    "deploys",
                    &format!("operator {}", act.act.inject),
                    recorded.at_us,
                    json!({ "tenant": act.tenant }),
                );
            }
            Event::TenantRan(run) => {
                let args = json!({ "request": run.request_id, "cpu_ms": run.cpu_ms, "sub_requests": run.sub_requests });
                self.instant(&format!("tenant {}", run.script), "runs", recorded.at_us, args);
            }
            Event::MachineLoad(load) => {
                let args = json!({ "this run": load.ours, "others": machine::others(load) });
                self.out.push(
                    json!({ "ph": "C", "pid": self.pid, "name": "cores busy", "ts": recorded.at_us, "args": args }),
                );
            }
            _ => {}
        }
    }

    fn exchange(&mut self, exchange: &Exchange) {
        let mut args = Map::new();
        args.insert("outcome".to_owned(), outcome_of(exchange).into());
        args.insert("target".to_owned(), format!("{} {}", exchange.method, exchange.target).into());
        args.insert("phase".to_owned(), exchange.phase.as_str().into());
        args.insert("payment".to_owned(), exchange.payment.as_deref().into());
        args.insert("waited_to_be_sent_us".to_owned(), exchange.sent_us.saturating_sub(exchange.due_us).into());
        let name = format!("#{} {}", exchange.exchange, Seen::of(exchange).as_str());
        let track = format!("clients {}", exchange.client);
        let tid = self.slice(&track, &name, exchange.sent_us, exchange.ended_us, Value::Object(args));
        self.flow(exchange.payment.as_deref(), tid, exchange.sent_us);
    }

    /// Returns the thread on which it stands.
    fn slice(&mut self, track: &str, name: &str, from_us: u64, to_us: u64, args: Value) -> u64 {
        let to_us = to_us.max(from_us + 1);
        let tid = self.lane(track, from_us, to_us);
        self.out.push(json!({
            "ph": "X", "pid": self.pid, "tid": tid, "name": name, "cat": track, "ts": from_us, "dur": to_us - from_us,
            "args": args,
        }));
        tid
    }

    fn instant(&mut self, track: &str, name: &str, at_us: u64, args: Value) {
        // An instant nests in anything, so one lane is enough.
        let tid = self.lane(track, u64::MAX, u64::MAX);
        self.out.push(json!({
            "ph": "i", "s": "t", "pid": self.pid, "tid": tid, "name": name, "cat": track, "ts": at_us, "args": args,
        }));
    }

    /// Steps of one payment, which the viewer joins by arrows.
    fn flow(&mut self, payment: Option<&str>, tid: u64, at_us: u64) {
        let Some(payment) = payment else { return };
        let next = self.flows.len() as u64 + self.pid * 10_000_000;
        let is_first = !self.flows.contains_key(payment);
        let id = *self.flows.entry(payment.to_owned()).or_insert(next);
        self.out.push(json!({
            "ph": if is_first { "s" } else { "t" }, "id": id, "pid": self.pid, "tid": tid, "name": "payment", "cat": "payment",
            "ts": at_us,
        }));
    }

    /// The first lane that is free by then.
    fn lane(&mut self, track: &str, from_us: u64, to_us: u64) -> u64 {
        let lanes = self.lanes.entry(track.to_owned()).or_default();
        if let Some((tid, until)) = lanes.iter_mut().find(|(_, until)| *until <= from_us) {
            if to_us != u64::MAX {
                *until = to_us;
            }
            return *tid;
        }
        self.threads += 1;
        let tid = self.threads;
        let until = if to_us == u64::MAX { 0 } else { to_us };
        lanes.push((tid, until));
        self.out
            .push(json!({ "ph": "M", "pid": self.pid, "tid": tid, "name": "thread_name", "args": { "name": track } }));
        self.out.push(json!({ "ph": "M", "pid": self.pid, "tid": tid, "name": "thread_sort_index", "args": { "sort_index": tid } }));
        tid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, history};

    fn trace() -> Vec<Value> {
        let (report, events) = (failing(), history());
        let mut out = Vec::new();
        render(&[Run::with_events(&report, &events)], &mut out).expect("it is plain data");
        let trace: Value = serde_json::from_slice(&out).expect("it is JSON");
        trace["traceEvents"].as_array().expect("a list").clone()
    }

    #[test]
    fn every_event_has_what_a_viewer_asks_of_its_sort() {
        let trace = trace();
        for event in &trace {
            let wanted: &[&str] = match event["ph"].as_str().expect("a sort") {
                "X" => &["ts", "dur", "tid"],
                "i" => &["ts", "s", "tid"],
                "C" => &["ts", "args"],
                "s" | "t" => &["ts", "id", "tid"],
                "M" => &["args"],
                other => panic!("no sort {other}"),
            };
            for name in wanted.iter().chain(&["pid", "name"]) {
                assert!(!event[*name].is_null(), "{name} of {event}");
            }
        }
        for sort in ["X", "i", "C", "s", "t", "M"] {
            assert!(trace.iter().any(|event| event["ph"] == sort), "none is {sort}");
        }
    }

    #[test]
    fn slices_of_a_thread_do_not_overlap() {
        let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
        let number = |event: &Value, name: &str| event[name].as_u64().expect("a number");
        for slice in trace().iter().filter(|event| event["ph"] == "X") {
            let end = ends.entry(number(slice, "tid")).or_default();
            assert!(*end <= number(slice, "ts"), "{slice}");
            *end = number(slice, "ts") + number(slice, "dur");
        }
    }
}
