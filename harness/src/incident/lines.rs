//! The dispatcher's log lines with their times, out of whatever a platform wrapped them in.
//!
//! The dispatcher writes no time itself: whoever keeps the log stamps each line, before it, beside it or around it. And a log's line is
//! not always one of the file: `wrangler tail --format json` prints each event over dozens of them. So what is read are values, each
//! of which begins and ends with a line.

use super::{
    evidence::{Evidence, What},
    times,
};
use reports::event::{Event, Recorded};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The lines that were read of one source.
#[derive(Debug, Default, PartialEq)]
pub struct Read {
    pub evidence: Vec<Evidence>,
    /// Lines of the dispatcher's that carry no time, and the number of the first.
    pub no_time: Option<(usize, usize)>,
    /// Lines that say that they are the dispatcher's, and cannot be read as such.
    pub misshapen: Option<(usize, usize)>,
    /// Times are those of `wrangler tail` for people, which has whole seconds.
    pub is_rough: bool,
}

/// Keys of what stands around a line, in lower case: `wrangler tail` has `logs` and `message`, Logpush the same in capitals,
/// Workers Logs `source`, its API `result` and `events`.
const WRAPPERS: [&str; 9] = ["logs", "message", "source", "result", "events", "invocations", "data", "rows", "hits"];
/// Their values are keyed by ids.
const KEYED: &str = "invocations";
/// The key under which Workers Logs keeps the line as text, for events whose `source` has it not.
const METADATA: &str = "$metadata";
const STAMPS: [&str; 9] = [
    "timestamp",
    "eventtimestamp",
    "timestampms",
    "eventtimestampms",
    "time",
    "@timestamp",
    "timestamp_ms",
    "datetime",
    "ts",
];
/// Outcomes of a dispatcher's invocation that are nobody's trouble.
const FINE: [&str; 5] = ["ok", "unknown", "canceled", "responsestreamdisconnected", "cancelled"];

/// Reads a source's text.
pub fn read(text: &str) -> Read {
    let mut reader = Reader::default();
    let mut rest = text;
    let mut n = 1;
    // The time of the event that `wrangler tail` for people tells of.
    let mut tailed = None;
    while let Some(line) = rest.split_inclusive('\n').next() {
        let mut taken = line.len();
        if let Some((value, bytes)) = value_at(line, rest) {
            reader.collect(&value, None, n);
            taken = bytes;
        } else if let Some(at_ms) = header(line) {
            tailed = Some(at_ms);
            reader.read.is_rough = true;
        } else if let Some(at) = line.find("{\"log\":").or_else(|| line.find("{\"event\":")) {
            let stamp = times::before(line).or(tailed);
            let mut values = serde_json::Deserializer::from_str(&line[at..]).into_iter::<Value>();
            match values.next() {
                Some(Ok(value)) => reader.collect(&value, stamp, n),
                _ => note(&mut reader.read.misshapen, n),
            }
        }
        let (done, unread) = rest.split_at(taken);
        n += done.matches('\n').count();
        rest = unread;
    }
    reader.read
}

#[derive(Default)]
struct Reader {
    read: Read,
    /// Unix milliseconds of a run's beginning, for its events.
    run_began_ms: u64,
    version: Option<String>,
    seen_exceptions: BTreeSet<(u64, String)>,
}

/// The object or list that begins with `line`, the first one of `rest`, and how many bytes its lines have. A number or a
/// text is talk, and so is what goes on behind the value.
fn value_at(line: &str, rest: &str) -> Option<(Value, usize)> {
    if !line.trim_start().starts_with(['{', '[']) {
        return None;
    }
    // An indented line stands for itself alone: as the beginning of more it would be inside of a value that was cut off,
    // where an object may have lost its time. It also keeps a long value that was cut off from being read over and over.
    let within = if line.starts_with(char::is_whitespace) { line } else { rest };
    let mut values = serde_json::Deserializer::from_str(within).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let end = values.byte_offset();
    let behind = within[end..].split_inclusive('\n').next().unwrap_or_default();
    // Values of one file may be parted by commas.
    behind.trim().trim_end_matches(',').is_empty().then_some((value, end + behind.len()))
}

/// The time in `GET https://host/path - Ok @ 28/11/2026, 16:00:00` and its like.
fn header(line: &str) -> Option<u64> {
    let (what, time) = line.rsplit_once(" @ ")?;
    (what.contains(" - ") || what.starts_with("Alarm")).then(|| times::of_people(time)).flatten()
}

fn note(of: &mut Option<(usize, usize)>, n: usize) {
    let (count, first) = of.unwrap_or((0, n));
    *of = Some((count + 1, first));
}

fn get<'a>(object: &'a Map<String, Value>, keys: &'a [&str]) -> impl Iterator<Item = (&'a String, &'a Value)> {
    object.iter().filter(move |(key, _)| keys.contains(&key.to_ascii_lowercase().as_str()))
}

impl Reader {
    /// Looks into what may wrap a line, lists and text that is JSON among it.
    fn collect(&mut self, value: &Value, stamp: Option<u64>, n: usize) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.collect(value, stamp, n)),
            Value::String(text) => {
                // wrangler may put a mark before what a Worker prints.
                let Some(at) = text.find('{').filter(|at| *at == 0 || text[*at..].starts_with("{\"log\":")) else {
                    return;
                };
                if let Ok(value) = serde_json::from_str::<Value>(&text[at..]) {
                    self.collect(&value, stamp, n);
                }
            }
            Value::Object(object) => self.object(object, value, stamp, n),
            _ => {}
        }
    }

    fn object(&mut self, object: &Map<String, Value>, value: &Value, stamp: Option<u64>, n: usize) {
        if object.contains_key("at_us") && object.contains_key("event") {
            return self.event(value);
        }
        let stamp = get(object, &STAMPS).find_map(|(_, value)| times::of(value)).or(stamp);
        if let Some(log) = object.get("log").and_then(Value::as_str) {
            return self.line(log, value, stamp, n);
        }
        self.invocation(object, stamp);
        let before = self.read.evidence.len();
        for (key, inner) in get(object, &WRAPPERS) {
            match inner {
                Value::Object(keyed) if key.eq_ignore_ascii_case(KEYED) => {
                    keyed.values().for_each(|inner| self.collect(inner, stamp, n));
                }
                inner => self.collect(inner, stamp, n),
            }
        }
        if self.read.evidence.len() == before
            && let Some(inner) = object.get(METADATA)
        {
            self.collect(inner, stamp, n);
        }
    }

    /// The platform's word on the dispatcher's own invocation: which version it was, and how it ended.
    fn invocation(&mut self, object: &Map<String, Value>, stamp: Option<u64>) {
        let Some(at_ms) = stamp else { return };
        let workers = object.get("$workers").and_then(Value::as_object).unwrap_or(object);
        let version = get(workers, &["scriptversion"]).next().and_then(|(_, version)| {
            let id = get(version.as_object()?, &["id"]).next()?.1.as_str()?;
            Some(id.to_owned())
        });
        if let Some(version) = version.filter(|version| self.version.as_ref() != Some(version)) {
            // The first one was there before the log.
            if self.version.is_some() {
                self.read.evidence.push(Evidence { at_ms, what: What::Deploy(version.clone()) });
            }
            self.version = Some(version);
        }
        let outcome = get(workers, &["outcome"]).next().and_then(|(_, outcome)| outcome.as_str());
        let Some(outcome) = outcome.filter(|outcome| !FINE.contains(&outcome.to_ascii_lowercase().as_str())) else {
            return;
        };
        let thrown = get(object, &["exceptions"]).next().and_then(|(_, thrown)| {
            let first = thrown.as_array()?.first()?.as_object()?;
            Some(get(first, &["message"]).next()?.1.as_str()?.to_owned())
        });
        let what = match thrown {
            Some(thrown) => format!("{outcome}: {thrown}"),
            None => outcome.to_owned(),
        };
        if self.seen_exceptions.insert((at_ms, what.clone())) {
            self.read.evidence.push(Evidence { at_ms, what: What::Ended(what) });
        }
    }

    /// One of a run of the harness.
    fn event(&mut self, value: &Value) {
        // Of a later version, or cut off: what can be read is worth having.
        let Ok(Recorded { at_us, event }) = serde_json::from_value::<Recorded>(value.clone()) else { return };
        let what = match event {
            Event::RunStarted(started) => {
                self.run_began_ms = started.started_at_ms.saturating_sub(at_us / 1_000);
                What::World(started.tenants)
            }
            Event::DispatcherRequest(line) => What::Request { line, limits: None },
            Event::DispatcherPayment(line) => What::Payment(line),
            Event::FacilitatorStanding(line) => What::Standing(line),
            Event::DispatcherTrouble(line) => What::Trouble(line),
            Event::DispatcherDirectory(line) => What::Directory(line),
            Event::DispatcherAlert(line) => {
                let about = line.tenant_id.or(line.source).unwrap_or_default();
                What::Alert { alert: line.alert, about, until_ms: line.quarantined_until_ms }
            }
            Event::OperatorActed(act) => What::Operator { tenant: act.tenant, does: act.does },
            Event::DispatcherKilled(_) => What::Ended("it was killed".to_owned()),
            _ => return,
        };
        self.read.evidence.push(Evidence { at_ms: self.run_began_ms + at_us / 1_000, what });
    }

    fn line(&mut self, log: &str, value: &Value, stamp: Option<u64>, n: usize) {
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let what = match log {
            "alert" => {
                let about = ["tenant_id", "facilitator", "source", "why"].iter().find_map(|key| value[*key].as_str());
                let until_ms = value["quarantined_until_ms"].as_u64();
                Some(What::Alert { alert: text("alert"), about: about.unwrap_or_default().to_owned(), until_ms })
            }
            "misconfigured" => Some(What::Misconfigured(text("error"))),
            "ledger_unavailable" | "health_unavailable" | "quarantine_unavailable" | "lost_confirmation" => {
                Some(What::Unavailable { of: log.to_owned(), why: text("error") })
            }
            _ => match crate::play::line_of(log, value.clone()) {
                Some(Event::DispatcherRequest(line)) => {
                    Some(What::Request { line, limits: value["limits"].as_str().map(str::to_owned) })
                }
                Some(Event::DispatcherPayment(line)) => Some(What::Payment(line)),
                Some(Event::FacilitatorStanding(line)) => Some(What::Standing(line)),
                Some(Event::DispatcherTrouble(line)) => Some(What::Trouble(line)),
                Some(Event::DispatcherDirectory(line)) => Some(What::Directory(line)),
                _ => None,
            },
        };
        let is_ours = ["request", "payment", "facilitator", "trouble", "directory"].contains(&log);
        match (what, stamp) {
            (Some(what), Some(at_ms)) => self.read.evidence.push(Evidence { at_ms, what }),
            (Some(_), None) => note(&mut self.read.no_time, n),
            (None, _) if is_ours => note(&mut self.read.misshapen, n),
            // Of another Worker, such as the outbound one.
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"log":"request","request_id":"r","tenant_id":"acme","route":"GET /","status":200,"code":null,"payment":"p","transaction":null,"attempts":[],"ms":3}"#;

    fn stamps(text: &str) -> Vec<u64> {
        read(text).evidence.iter().map(|line| line.at_ms).collect()
    }

    #[test]
    fn a_line_is_found_in_whatever_wraps_it() {
        let escaped = serde_json::to_string(LINE).unwrap();
        for text in [
            format!(r#"{{"timestamp":7,"message":{LINE}}}"#),
            format!(r#"{{"timestamp":7,"message":{escaped}}}"#),
            format!(r#"{{"eventTimestamp":5,"logs":[{{"message":[{escaped}],"level":"log","timestamp":7}}]}}"#),
            format!(
                r#"{{"EventTimestampMs":5,"Logs":[{{"Level":"log","Message":[{escaped}],"TimestampMs":7}}],"Event":{{}}}}"#
            ),
            format!(r#"{{"timestamp":7,"source":{LINE},"$metadata":{{"message":{escaped}}}}}"#),
            format!(r#"{{"timestamp":7,"source":{{"level":"log"}},"$metadata":{{"message":{escaped}}}}}"#),
            format!(
                r#"{{"success":true,"result":{{"events":{{"count":1,"events":[{{"timestamp":7,"source":{LINE}}}]}}}}}}"#
            ),
            format!(r#"{{"result":{{"invocations":{{"r1":[{{"timestamp":7,"source":{escaped}}}]}}}}}}"#),
            LINE.replacen('{', r#"{"timestamp":7,"#, 1),
            format!("[\n{{\"timestamp\":7,\"message\":{LINE}}},\n{{\"other\":1}}]"),
        ] {
            assert_eq!(stamps(&text), [7], "{text}");
        }
        assert_eq!(read(r#"{"timestamp":1,"message":"GET / 200"}"#), Read::default());
    }

    #[test]
    fn a_time_stands_before_a_line_or_in_the_head_of_its_event() {
        assert_eq!(stamps(&format!("2026-11-28T16:00:00.250Z {LINE}\n")), [1_795_881_600_250]);
        let tailed = format!(
            "GET https://acme.example/quote - Ok @ 11/28/2026, 4:00:00 PM\n  (log) {LINE}\n  (warn) talk\nPOST https://a/ - Ok @ 11/28/2026, 4:00:01 PM\r\n  (log) {LINE}\r\n"
        );
        assert_eq!(stamps(&tailed), [1_795_881_600_000, 1_795_881_601_000]);
        assert!(read(&tailed).is_rough);
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        assert_eq!(read(LINE).no_time, Some((1, 1)));
        let text = "Ready\n{\"timestamp\":1,\"log\":\"request\",\"status\":\"x\"}\n✘ {\"log\":\"pay";
        assert_eq!(read(text).misshapen, Some((2, 2)));
        assert_eq!(read("12 foo\n[2026] GET /\n{\n"), Read::default());
    }

    /// An event as `wrangler tail --format json` prints it: over many lines.
    fn printed(timestamp: u64, version: &str, outcome: &str) -> String {
        let event = serde_json::json!({
            "outcome": outcome,
            "scriptName": "dispatcher",
            "scriptVersion": {"id": version},
            "exceptions": if outcome == "ok" { serde_json::json!([]) } else { serde_json::json!([{"message": "boom"}]) },
            "logs": [{"message": [LINE], "level": "log", "timestamp": timestamp}],
            "eventTimestamp": timestamp,
            "event": {"request": {"url": "https://acme.example/", "method": "GET"}},
        });
        serde_json::to_string_pretty(&event).expect("plain data")
    }

    #[test]
    fn events_of_many_lines_are_read_beside_what_was_cut_off() {
        let (cut_event, whole) = (printed(8, "a", "ok"), printed(7, "a", "ok"));
        // The dispatcher's line is there, and its time is not.
        let (cut, _) = cut_event.split_once("      ]").expect("the list of messages ends");
        let text = format!("Ready on http://localhost\n{whole}\r\n{cut}{}\n{whole}", printed(9, "a", "ok"));
        assert_eq!(stamps(&text), [7, 9, 7]);
    }

    #[test]
    fn a_deploy_and_an_exception_of_the_dispatchers_are_evidence() {
        let text = [printed(1, "a", "ok"), printed(2, "b", "exception"), printed(3, "b", "ok")].join("\n");
        let read = read(&text);
        let told: Vec<_> = read.evidence.iter().filter(|it| !matches!(it.what, What::Request { .. })).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(matches!(&told[0].what, What::Deploy(version) if version == "b"));
        assert!(matches!(&told[1].what, What::Ended(what) if what == "exception: boom"));
    }

    #[test]
    fn a_runs_own_events_are_read_at_the_time_of_day() {
        let started = r#"{"at_us":0,"event":"run_started","schema":1,"scenario":"serve","tier":"live","seed":0,"started_at_ms":1795881600000,"tenants":[],"arrivals":0}"#;
        let request = LINE.replacen(r#"{"log":"request""#, r#"{"at_us":2500000,"event":"dispatcher_request""#, 1);
        assert_eq!(stamps(&format!("{started}\n{request}\n")), [1_795_881_600_000, 1_795_881_602_500]);
    }
}
