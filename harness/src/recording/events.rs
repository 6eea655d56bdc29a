//! Reads `events.jsonl` back. Strict, because a verdict on half a history is worth nothing: a line that is not what the
//! harness writes is told with its number, and nothing is skipped.

use miette::Diagnostic;
use reports::event::{EVENT_SCHEMA, Event, Recorded, RunStarted};
use serde::Deserialize;
use thiserror::Error;

#[derive(Debug, Error, Diagnostic)]
pub enum EventsError {
    #[error("{file} is empty")]
    #[diagnostic(help("the run ended before anything happened; there is nothing to judge"))]
    Empty { file: String },
    #[error("{file}:{line}: the line is cut off after {bytes} bytes")]
    #[diagnostic(help("whoever wrote it was killed, and a run that did not end cannot be judged"))]
    CutOff { file: String, line: usize, bytes: usize },
    #[error("{file}:{line}:{column}: the line is no JSON: {what}")]
    #[diagnostic(help("a history is one JSON object a line, as a run leaves it in its folder"))]
    NotJson { file: String, line: usize, column: usize, what: String },
    #[error("{file}:{line}: the line is no event of version {EVENT_SCHEMA}: {what}")]
    NotAnEvent { file: String, line: usize, what: String },
    #[error(
        "{file}:{line}: the history is of version {version}, and this harness reads no later one than {EVENT_SCHEMA}"
    )]
    #[diagnostic(help("judge it with the harness that wrote it, or a newer one"))]
    TooNew { file: String, line: usize, version: u32 },
    #[error("{file} does not say what its run was")]
    #[diagnostic(help("there is no `run_started` in it: the world had not started"))]
    NotStarted { file: String },
    #[error("{file}:{line}: the history goes on after the end of its run")]
    #[diagnostic(help("one run is judged at a time: keep what stands before this line"))]
    GoesOn { file: String, line: usize },
    #[error("{file} ends at line {line} without the end of its run")]
    #[diagnostic(help("the run was cut short: rules would be broken by what had no time to happen"))]
    NotEnded { file: String, line: usize },
}

/// A whole history.
#[derive(Debug)]
pub struct Events {
    pub all: Vec<Recorded>,
    pub started: RunStarted,
}

/// `file` is the name that errors show.
pub fn read(file: &str, text: &str) -> Result<Events, EventsError> {
    let file = || file.to_owned();
    if text.trim().is_empty() {
        return Err(EventsError::Empty { file: file() });
    }
    let mut all = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match serde_json::from_str(line) {
            Ok(recorded) => all.push(recorded),
            // A later version may have events that this one does not know: that is then the news, not its first such line.
            Err(error) => {
                return Err(too_new(&file(), text).unwrap_or_else(|| wrong(&file(), text, index + 1, line, &error)));
            }
        }
    }
    if let Some(error) = too_new(&file(), text) {
        return Err(error);
    }
    let started = all.iter().find_map(|recorded: &Recorded| match &recorded.event {
        Event::RunStarted(started) => Some(started.clone()),
        _ => None,
    });
    let started = started.ok_or_else(|| EventsError::NotStarted { file: file() })?;
    let over = all.iter().position(|recorded| matches!(recorded.event, Event::RunEnded));
    if let Some(over) = over.filter(|over| over + 1 < all.len()) {
        return Err(EventsError::GoesOn { file: file(), line: over + 2 });
    }
    // Line by line the history may be whole, and yet lack what would have come.
    match all.last() {
        Some(Recorded { event: Event::RunEnded, .. }) => Ok(Events { all, started }),
        _ => Err(EventsError::NotEnded { file: file(), line: all.len() }),
    }
}

/// The least that every version says at the beginning of a run.
#[derive(Deserialize)]
struct Started {
    event: String,
    schema: u32,
}

fn too_new(file: &str, text: &str) -> Option<EventsError> {
    let started = text.lines().enumerate().find_map(|(index, line)| {
        let started: Started = serde_json::from_str(line).ok()?;
        (started.event == "run_started").then_some((index + 1, started.schema))
    });
    let (line, version) = started.filter(|(_, schema)| *schema > EVENT_SCHEMA)?;
    Some(EventsError::TooNew { file: file.to_owned(), line, version })
}

fn wrong(file: &str, text: &str, number: usize, line: &str, error: &serde_json::Error) -> EventsError {
    let file = file.to_owned();
    let is_last = number == text.lines().count();
    match error.classify() {
        serde_json::error::Category::Eof if is_last && !text.ends_with('\n') => {
            EventsError::CutOff { file, line: number, bytes: line.len() }
        }
        serde_json::error::Category::Data => EventsError::NotAnEvent { file, line: number, what: without_place(error) },
        _ => EventsError::NotJson { file, line: number, column: error.column(), what: without_place(error) },
    }
}

/// serde says "... at line 1 column 7", where the line is always the first.
fn without_place(error: &serde_json::Error) -> String {
    let said = error.to_string();
    said.rsplit_once(" at line ").map_or(said.clone(), |(what, _)| what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: &str = r#"{"at_us":0,"event":"run_started","schema":1,"scenario":"s","tier":"live","seed":1,"started_at_ms":0,"tenants":[],"arrivals":0}"#;
    const ENDED: &str = r#"{"at_us":5,"event":"run_ended"}"#;

    fn error(text: &str) -> String {
        read("events.jsonl", text).expect_err("it is wrong").to_string()
    }

    #[test]
    fn a_whole_history_is_read_and_says_what_its_run_was() {
        let events = read("events.jsonl", &format!("{STARTED}\n{ENDED}\n")).expect("it is whole");
        assert_eq!((events.all.len(), events.started.scenario.as_str()), (2, "s"));
        assert!(read("events.jsonl", &format!("{STARTED}\n{ENDED}")).is_ok(), "the last line may lack its end");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(error("\n"), "events.jsonl is empty");
        let cut = format!("{STARTED}\n{}", &ENDED[..20]);
        assert_eq!(error(&cut), "events.jsonl:2: the line is cut off after 20 bytes");
        let text = error(&format!("{STARTED}\nhello\n{ENDED}\n"));
        assert_eq!(text, "events.jsonl:2:1: the line is no JSON: expected value");
        let half = format!("{STARTED}\n{}\n{ENDED}\n", &ENDED[..20]);
        assert_eq!(error(&half), "events.jsonl:2:20: the line is no JSON: EOF while parsing a string");
        let unknown = error(&format!("{STARTED}\n{{\"at_us\":1,\"event\":\"moon_landing\"}}\n"));
        assert!(
            unknown.starts_with("events.jsonl:2: the line is no event of version 1: unknown variant `moon_landing`")
        );
        assert_eq!(error(&format!("{ENDED}\n")), "events.jsonl does not say what its run was");
        assert_eq!(error(&format!("{STARTED}\n")), "events.jsonl ends at line 1 without the end of its run");
        let two = format!("{STARTED}\n{ENDED}\n{STARTED}\n{ENDED}\n");
        assert_eq!(error(&two), "events.jsonl:3: the history goes on after the end of its run");
    }

    #[test]
    fn a_later_version_is_refused_before_what_it_says_is_looked_at() {
        let newer = STARTED.replace("\"schema\":1", "\"schema\":2");
        let refused = "events.jsonl:1: the history is of version 2, and this harness reads no later one than 1";
        assert_eq!(error(&format!("{newer}\n{ENDED}\n")), refused);
        let unknown = format!("{newer}\n{{\"at_us\":1,\"event\":\"moon_landing\"}}\n");
        assert_eq!(error(&unknown), refused);
    }
}
