//! The dispatcher's log lines with their times, out of whatever a platform wrapped them in.
//!
//! The dispatcher writes no time itself: the platform stamps each line. So a line without a stamp is refused, for nothing
//! could be said of what came when. And a log's line is not always one of the file: `wrangler tail --format json` prints
//! each event over dozens of them. So what is read are values, each of which begins and ends with a line.

use reports::event::{DispatcherPayment, DispatcherRequest, Event};
use serde_json::Value;

/// A log larger than this is an export of more than one incident.
pub const MAX_LOG_BYTES: u64 = 256 * 1024 * 1024;

/// What was logged, and when in Unix milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    pub at_ms: u64,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Request(DispatcherRequest),
    Payment(DispatcherPayment),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    #[error("line {0} is the dispatcher's, and carries no time: no `timestamp` in milliseconds beside or around it")]
    NoTime(usize),
    #[error("line {0} says that it is the dispatcher's, and cannot be read as such")]
    Shape(usize),
}

/// A log as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// In the order of time.
    pub logged: Vec<Logged>,
    /// Numbers of the lines that are of no JSON: what a tool printed in between, or of a value that was cut off.
    pub no_json: Vec<usize>,
}

/// What stands around a line, in lower case: `wrangler tail` has `logs` and `message`, Logpush the same in capitals, Workers
/// Logs `source`.
const WRAPPERS: [&str; 3] = ["logs", "message", "source"];
/// In milliseconds.
const STAMPS: [&str; 4] = ["timestamp", "eventtimestamp", "timestampms", "eventtimestampms"];

/// Reads JSON, a value in one line or in many: `wrangler tail --format json`, Workers Logs, a Logpush export, or
/// `{"timestamp": ms, "message": line}`. Lines of others are left out.
pub fn read(text: &str) -> Result<Log, BadLine> {
    let mut log = Log::default();
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut n = 1;
    while let Some(line) = rest.split_inclusive('\n').next() {
        let mut taken = line.len();
        match value_at(line, rest) {
            Some((value, bytes)) => {
                collect(&value, None, n, &mut log.logged)?;
                taken = bytes;
            }
            None if line.trim().is_empty() => {}
            None => log.no_json.push(n),
        }
        let (read, unread) = rest.split_at(taken);
        n += read.matches('\n').count();
        rest = unread;
    }
    log.logged.sort_by_key(|line| line.at_ms);
    Ok(log)
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
    behind.trim().is_empty().then_some((value, end + behind.len()))
}

/// Looks into what may wrap a line, lists and text that is JSON among it.
fn collect(value: &Value, stamp: Option<u64>, n: usize, into: &mut Vec<Logged>) -> Result<(), BadLine> {
    match value {
        Value::Array(values) => values.iter().try_for_each(|value| collect(value, stamp, n, into)),
        Value::String(text) if text.starts_with('{') => match serde_json::from_str::<Value>(text) {
            Ok(value) => collect(&value, stamp, n, into),
            // Somebody else's text.
            Err(_) => Ok(()),
        },
        Value::Object(object) => {
            let of = |keys: &'static [&str]| {
                object
                    .iter()
                    .filter(|(key, _)| keys.contains(&key.to_ascii_lowercase().as_str()))
                    .map(|(_, value)| value)
            };
            let stamp = of(&STAMPS).find_map(Value::as_u64).or(stamp);
            if let Some(log) = object.get("log").and_then(Value::as_str) {
                return take(log, value, stamp, n, into);
            }
            of(&WRAPPERS).try_for_each(|inner| collect(inner, stamp, n, into))
        }
        _ => Ok(()),
    }
}

fn take(log: &str, value: &Value, stamp: Option<u64>, n: usize, into: &mut Vec<Logged>) -> Result<(), BadLine> {
    if !["request", "payment"].contains(&log) {
        return Ok(());
    }
    let what = match crate::play::line_of(log, value.clone()) {
        Some(Event::DispatcherRequest(line)) => What::Request(line),
        Some(Event::DispatcherPayment(line)) => What::Payment(line),
        _ => return Err(BadLine::Shape(n)),
    };
    into.push(Logged { at_ms: stamp.ok_or(BadLine::NoTime(n))?, what });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"log":"request","request_id":"r","tenant_id":"acme","route":"GET /","status":200,"code":null,"payment":"p","transaction":null,"attempts":[],"ms":3}"#;
    const LINE_AT_4: &str = r#"{"timestamp":4,"log":"request","request_id":"r","tenant_id":"acme","route":"GET /","status":200,"code":null,"payment":"p","transaction":null,"attempts":[],"ms":3}"#;

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
            format!(
                r#"{{"dataset":"cloudflare-workers","timestamp":7,"source":{LINE},"$metadata":{{"message":{escaped}}}}}"#
            ),
            LINE.replacen('{', r#"{"timestamp":7,"#, 1),
        ] {
            let Log { logged, no_json } = read(&text).unwrap();
            assert_eq!((logged.len(), logged[0].at_ms, no_json.len()), (1, 7, 0), "{text}");
        }
        assert_eq!(read(r#"{"timestamp":1,"message":"GET / 200"}"#), Ok(Log::default()));
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_line() {
        assert_eq!(read("\nReady on http://localhost\n{"), Ok(Log { logged: Vec::new(), no_json: vec![2, 3] }));
        assert_eq!(read(LINE), Err(BadLine::NoTime(1)));
        assert_eq!(read(r#"{"timestamp":1,"log":"request","status":"x"}"#), Err(BadLine::Shape(1)));
        assert_eq!(read("[\n1\n]\n\n{\n\"log\":\"request\"\n}"), Err(BadLine::Shape(5)));
    }

    /// As `wrangler tail --format json` prints an event: over many lines.
    fn printed(timestamp: u64) -> String {
        let event = serde_json::json!({
            "outcome": "ok",
            "scriptName": "dispatcher",
            "exceptions": [],
            "logs": [{"message": [LINE], "level": "log", "timestamp": timestamp}],
            "eventTimestamp": 5,
            "event": {"request": {"url": "https://acme.example/", "method": "GET"}},
        });
        serde_json::to_string_pretty(&event).expect("plain data")
    }

    #[test]
    fn an_event_of_many_lines_is_read_beside_what_was_cut_off() {
        let (cut_event, whole) = (printed(8), printed(7));
        // The dispatcher's line is there, and its time is not.
        let (cut, _) = cut_event.split_once("      ]").expect("the list of messages ends");
        let (long, short) = (whole.lines().count(), cut.lines().count());
        let text = format!("Ready on http://localhost\n{whole}\r\n{cut}{}\n{LINE_AT_4}\n{whole}", printed(9));
        let Log { logged, no_json } = read(&text).unwrap();
        assert_eq!(logged.iter().map(|line| line.at_ms).collect::<Vec<_>>(), [4, 7, 7, 9]);
        assert_eq!(no_json, std::iter::once(1).chain(long + 2..long + 2 + short).collect::<Vec<_>>());
    }

    #[test]
    fn talk_that_begins_like_json_is_talk() {
        let text = format!("12 foo\n\"x\"\n[2026] GET /\n{LINE_AT_4} x\n  {LINE_AT_4}\n");
        let Log { logged, no_json } = read(&text).unwrap();
        assert_eq!((logged.len(), no_json), (1, vec![1, 2, 3, 4]));
    }
}
