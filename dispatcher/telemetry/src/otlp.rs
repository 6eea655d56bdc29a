//! Traces for a collector, as OTLP has them in JSON: each request is a span, and so is each call and run that it took.
//!
//! Surprising: no span is told of by whoever makes it. All of them are read off the request's line, which has their ids, so there is
//! no second list of fields. A batch that comes twice is told twice, with the same ids.

use crate::payer::{PayerKey, hidden};
use dispatcher_core::{
    paywall::{
        UnixMillis,
        telemetry::{Attempt, Outcome},
        trace::Trace,
    },
    telemetry::{
        RequestLine, RunLine,
        event::{Batch, Dated, Event},
    },
};
use serde_json::{Value, json};

/// The most spans of one export. What is over is counted, and told to nobody.
pub const MOST_SPANS: usize = 2_000;

const SERVER: u8 = 2;
const CLIENT: u8 = 3;
const ERROR: u8 = 2;

/// The share of traces that are told, decided by the trace's own id: a trace is told whole or not at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler(f64);

impl Sampler {
    /// All of them.
    pub const ALL: Self = Self(1.0);

    /// Reads `OTEL_TRACES_SAMPLER_ARG`. What is no share from 0 to 1 is an error.
    pub fn read(text: &str) -> Result<Self, String> {
        let share = text.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or_else(|| format!("OTEL_TRACES_SAMPLER_ARG is {text:?}, no share from 0 to 1"))
    }

    fn takes(self, trace: &Trace) -> bool {
        let low = trace.id.get(24..).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        low.is_some_and(|low| f64::from(low) < self.0 * 4_294_967_296.0)
    }
}

/// An export, and how many spans did not fit into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub body: String,
    pub left_out: usize,
}

/// The spans of some batches. `None`: there are none.
#[must_use]
pub fn export(batches: &[Batch], sampler: Sampler, key: Option<&PayerKey>) -> Option<Export> {
    let environment = batches.first().map(|batch| batch.environment.as_str()).unwrap_or_default();
    let dated = batches.iter().flat_map(|batch| &batch.events);
    let mut spans: Vec<Value> = dated.flat_map(|dated| spans_of(dated, sampler, key)).collect();
    let left_out = spans.len().saturating_sub(MOST_SPANS);
    spans.truncate(MOST_SPANS);
    let resource = [text("service.name", "402claw-dispatcher"), text("deployment.environment.name", environment)];
    (!spans.is_empty()).then(|| {
        let scope = json!({"scope": {"name": "402claw"}, "spans": spans});
        let body = json!({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [scope]}]});
        Export { body: body.to_string(), left_out }
    })
}

/// Reads `OTEL_EXPORTER_OTLP_HEADERS`: `name=value` with commas between, and values escaped as in a URL.
#[must_use]
pub fn headers(text: &str) -> Vec<(String, String)> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), unescaped(value.trim())));
    pairs.filter(|(name, _)| !name.is_empty()).collect()
}

fn unescaped(text: &str) -> String {
    let mut told = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = (*first == b'%').then(|| std::str::from_utf8(after.get(..2)?).ok()).flatten();
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        told.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&told).into_owned()
}

fn spans_of(dated: &Dated, sampler: Sampler, key: Option<&PayerKey>) -> Vec<Value> {
    let Event::Request(line) = &dated.event else { return Vec::new() };
    let Some(trace) = line.trace.as_ref().filter(|trace| sampler.takes(trace)) else { return Vec::new() };
    let mut spans = vec![request_span(line, trace, dated.at, key)];
    spans.extend(line.attempts.iter().filter_map(|attempt| call_span(attempt, trace)));
    spans.extend(line.run.as_ref().map(|run| run_span(run, line, trace, dated.at)));
    spans
}

fn request_span(line: &RequestLine, trace: &Trace, ended: UnixMillis, key: Option<&PayerKey>) -> Value {
    let (method, path) = line.route.split_once(' ').unwrap_or((&line.route, ""));
    let mut attributes = vec![
        text("http.request.method", method),
        text("url.path", path),
        json!({"key": "http.response.status_code", "value": {"intValue": line.status.to_string()}}),
        text("402claw.request_id", &line.request_id),
    ];
    let payment = line.payment.as_deref().map(|payment| hidden(payment, Some(payment), key));
    let told = [
        ("402claw.tenant", line.tenant_id.as_deref()),
        ("402claw.code", line.code.as_deref()),
        ("402claw.payment", payment.as_deref()),
        ("402claw.transaction", line.transaction.as_deref()),
    ];
    attributes.extend(told.into_iter().filter_map(|(name, value)| Some(text(name, value?))));
    let began = UnixMillis(ended.0.saturating_sub(line.ms));
    let mut span = span(trace, &trace.span, method, SERVER, (began, ended), attributes);
    if let Some(parent) = &trace.parent {
        span["parentSpanId"] = json!(parent);
    }
    failed(span, (line.status >= 500).then(|| line.code.clone().unwrap_or_default()))
}

/// `None`: there was no call, or a former version tells of it.
fn call_span(attempt: &Attempt, trace: &Trace) -> Option<Value> {
    let (began, header) = (attempt.at_ms?, attempt.trace.as_deref()?);
    let [_, id, own, _] = header.split('-').collect::<Vec<_>>()[..] else { return None };
    let of = Trace { id: id.to_owned(), ..trace.clone() };
    let attributes = vec![text("402claw.facilitator", &attempt.facilitator), text("402claw.result", &attempt.result)];
    let name = attempt.call.at(&attempt.facilitator);
    let mut span = span(&of, own, &name, CLIENT, (began, began.plus(attempt.ms)), attributes);
    if of.id == trace.id {
        span["parentSpanId"] = json!(trace.span);
    } else {
        // The payment was claimed by a request of another trace, and its calls are in that.
        span["links"] = json!([{"traceId": trace.id, "spanId": trace.span}]);
    }
    Some(failed(span, (attempt.outcome() == Outcome::Failed).then(|| attempt.result.clone())))
}

fn run_span(run: &RunLine, line: &RequestLine, trace: &Trace, ended: UnixMillis) -> Value {
    let tenant = line.tenant_id.as_deref().unwrap_or_default();
    let attributes = vec![text("402claw.tenant", tenant), text("402claw.ended", &run.ended)];
    let until = run.ms.map_or(ended, |ms| run.at_ms.plus(ms));
    let mut span = span(trace, &run.span, "run", CLIENT, (run.at_ms, until), attributes);
    span["parentSpanId"] = json!(trace.span);
    failed(span, (!run.is_good()).then(|| run.ended.to_string()))
}

fn span(
    trace: &Trace,
    id: &str,
    name: &str,
    kind: u8,
    (began, ended): (UnixMillis, UnixMillis),
    attributes: Vec<Value>,
) -> Value {
    let nanos = |at: UnixMillis| format!("{}000000", at.0);
    json!({
        "traceId": trace.id,
        "spanId": id,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": nanos(began),
        "endTimeUnixNano": nanos(ended),
        "attributes": attributes,
    })
}

fn failed(mut span: Value, why: Option<String>) -> Value {
    if let Some(message) = why {
        span["status"] = json!({"code": ERROR, "message": message});
    }
    span
}

fn text(name: &str, value: &str) -> Value {
    json!({"key": name, "value": {"stringValue": value}})
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    fn batch(line: Value) -> Batch {
        let batch =
            json!({"v": 1, "id": "b", "environment": "test", "network": "eip155:84532", "lost": 0, "events": [line]});
        Batch::read(&batch.to_string()).unwrap()
    }

    fn line() -> Value {
        let trace = Trace::begin(Some(CALLER), "r1");
        let call = |call: &str, at: u64| trace.header(&trace.child(call, UnixMillis(at)));
        json!({"at": 2_000, "log": "request", "request_id": "r1", "tenant_id": "acme", "route": "GET /quote", "status": 200,
            "code": null, "payment": "n:a:t:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed:0x1", "transaction": "0x1", "ms": 900,
            "trace": trace, "run": {"at_ms": 1_300, "ms": 20, "ended": "200", "span": trace.child("run", UnixMillis(1_300))},
            "attempts": [
                {"facilitator": "primary", "call": "verify", "result": "timeout", "ms": 100, "at_ms": 1_110, "trace": call("a", 1)},
                {"facilitator": "standby", "call": "verify", "result": "ok", "ms": 50, "at_ms": 1_220, "trace": call("b", 2)},
                {"facilitator": "primary", "call": "settle", "result": "quarantined", "ms": 0}]})
    }

    fn spans(export: &Export) -> Vec<Value> {
        let told: Value = serde_json::from_str(&export.body).unwrap();
        told["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
    }

    #[test]
    fn a_request_its_calls_and_its_run_are_one_trace_below_the_callers_span() {
        let spans = spans(&export(&[batch(line())], Sampler::ALL, None).unwrap());
        let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["GET", "verify primary", "verify standby", "run"], "what was not asked has no span");
        assert!(spans.iter().all(|span| span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_eq!(spans[0]["parentSpanId"], "00f067aa0ba902b7");
        assert!(spans[1..].iter().all(|span| span["parentSpanId"] == spans[0]["spanId"]));
        assert_eq!(
            (&spans[0]["startTimeUnixNano"], &spans[0]["endTimeUnixNano"]),
            (&json!("1100000000"), &json!("2000000000"))
        );
        assert_eq!(spans[1]["status"], json!({"code": 2, "message": "timeout"}));
        assert_eq!((spans[2].get("status"), spans[3].get("status")), (None, None));
    }

    #[test]
    fn a_call_of_another_trace_stays_in_it_and_links_to_its_request() {
        let mut line = line();
        line["attempts"][0]["trace"] = json!("00-11111111111111111111111111111111-2222222222222222-01");
        let spans = spans(&export(&[batch(line)], Sampler::ALL, None).unwrap());
        assert_eq!((&spans[1]["traceId"], spans[1].get("parentSpanId")), (&json!("1".repeat(32)), None));
        assert_eq!(spans[1]["links"][0]["spanId"], spans[0]["spanId"]);
    }

    #[test]
    fn with_a_key_no_payer_leaves_and_a_share_of_nothing_tells_nothing() {
        let key = PayerKey::of(Some("k".to_owned()));
        let told = export(&[batch(line())], Sampler::ALL, key.as_ref()).unwrap();
        assert!(!told.body.contains("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"), "{}", told.body);
        assert_eq!(export(&[batch(line())], Sampler::read("0").unwrap(), None), None);
        assert!(Sampler::read("1.5").is_err() && Sampler::read("some").is_err());
        let kept = (0..4_000_u32).filter(|n| Sampler::read("0.25").unwrap().takes(&Trace::begin(None, &n.to_string())));
        let kept = kept.count();
        assert!((800..1_200).contains(&kept), "a quarter of 4000 is {kept}");
    }

    #[test]
    fn an_export_is_bounded_and_says_what_it_left_out() {
        let many: Vec<Batch> = (0..600).map(|_| batch(line())).collect();
        let told = export(&many, Sampler::ALL, None).unwrap();
        assert_eq!((spans(&told).len(), told.left_out), (MOST_SPANS, 400));
        assert_eq!(export(&[batch(json!({"at": 1, "log": "trouble", "why": "x"}))], Sampler::ALL, None), None);
    }

    #[test]
    fn headers_are_read_as_the_specification_has_them() {
        let told = headers("Authorization=Bearer%20a%3Db, api-key=x,broken,=y,p=100%");
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(told, [own("authorization", "Bearer a=b"), own("api-key", "x"), own("p", "100%")]);
    }
}
