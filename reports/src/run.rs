//! A run to be reported on: what it came to, and what happened in it. Only some formats look at the events, so they are read
//! when they are asked for: the reports of a hundred runs are small, their histories are not.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
};

use crate::{event::Recorded, report::Report};

#[derive(Clone, Debug)]
pub struct Run<'a> {
    pub report: &'a Report,
    history: History<'a>,
}

#[derive(Clone, Debug)]
enum History<'a> {
    None,
    Here(&'a [Recorded]),
    File(PathBuf),
}

impl<'a> Run<'a> {
    /// For a judgement that has no events behind it, or none that are to be shown.
    #[must_use]
    pub fn without_events(report: &'a Report) -> Self {
        Self { report, history: History::None }
    }

    #[must_use]
    pub fn with_events(report: &'a Report, events: &'a [Recorded]) -> Self {
        Self { report, history: History::Here(events) }
    }

    /// `events` is the `events.jsonl` that the run left.
    #[must_use]
    pub fn with_events_in(report: &'a Report, events: PathBuf) -> Self {
        Self { report, history: History::File(events) }
    }

    /// All events, in their order: line 1 of the history is the first.
    pub(crate) fn events(&self) -> io::Result<Cow<'a, [Recorded]>> {
        match &self.history {
            History::None => Ok(Cow::Borrowed(&[])),
            History::Here(events) => Ok(Cow::Borrowed(events)),
            History::File(path) => read(path).map(Cow::Owned),
        }
    }
}

fn read(path: &PathBuf) -> io::Result<Vec<Recorded>> {
    let told = |n: usize, what: String| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}:{}: {what}", path.display(), n + 1))
    };
    let lines = BufReader::new(File::open(path)?).lines().enumerate();
    lines.map(|(n, line)| serde_json::from_str(&line?).map_err(|error| told(n, error.to_string()))).collect()
}
