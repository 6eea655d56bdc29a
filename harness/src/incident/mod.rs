//! Turns the dispatcher's log of an incident into a page for whoever is on call, and into a scenario that shows it: the same tenants and
//! facilitators, arrivals at the log's own times, and facilitators that fail alike for as long. What a log cannot tell, the file says.

mod calls;
mod cause;
mod compare;
mod evidence;
mod file;
mod foreign;
mod html;
mod lines;
mod names;
mod page;
mod shape;
mod source;
mod times;

pub use compare::{Comparison, Reproduced, compare};
pub use html::render as html;
pub use page::Page;
pub use shape::{Fate, Incident};
pub use source::SourceError;

use evidence::{Evidence, What};
use file::LONGEST_S;
use foreign::Foreign;
use scenario::{InvalidScenario, Name, Scenario};
use source::Source;
use std::{collections::BTreeSet, path::PathBuf};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum IncidentError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Source(#[from] SourceError),
    #[error("{name} is {what}")]
    #[diagnostic(help("{mend}"))]
    Foreign { name: String, what: &'static str, mend: &'static str },
    #[error("line {line} of {name} is the dispatcher's, and carries no time; nor does any other")]
    #[diagnostic(help(
        "a time stands before the line, or as `timestamp` beside or around it; take the log with `wrangler tail --format json`"
    ))]
    NoTime { name: String, line: usize },
    #[error("`{0}` is no time")]
    #[diagnostic(help("such as 16:30, 16:30:05 or 2026-11-28T16:30:00Z, in UTC"))]
    Moment(String),
    #[error("nothing of the dispatcher's is left between those times, or about those requests")]
    Nothing,
    #[error("the log has requests of {seconds} s, and there is room for {LONGEST_S} s in a scenario")]
    #[diagnostic(help("name the minutes of the incident by --from and --to"))]
    TooLong { seconds: u64 },
    #[error("what was logged makes no scenario: {}", reasons(.0))]
    #[diagnostic(help(
        "a scenario has at most 32 tenants, 8 facilitators, 64 faults and 256 kB: name the minutes of the incident by --from and --to"
    ))]
    NoScenario(Box<InvalidScenario>),
}

/// Their places are in a file that nobody has.
fn reasons(invalid: &InvalidScenario) -> String {
    invalid.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Which part of the logs is meant.
#[derive(Clone, Debug, Default)]
pub struct Cut<'a> {
    pub from: Option<&'a str>,
    pub to: Option<&'a str>,
    pub request_ids: &'a [String],
}

/// An incident, and what was left out of its logs.
pub struct Read {
    pub incident: Incident,
    pub left_out: Vec<String>,
}

/// Reads the logs as one.
pub fn read(inputs: &[PathBuf], cut: &Cut<'_>) -> Result<Read, IncidentError> {
    let (mut all, mut left_out): (Vec<Evidence>, Vec<String>) = (Vec::new(), Vec::new());
    let mut no_time = None;
    for input in inputs {
        let source = Source::open(input)?;
        let name = source.name;
        let read = lines::read(&source.text);
        if let Some((count, first)) = read.no_time {
            left_out.push(format!("{name}: {count} lines without a time, the first is line {first}"));
            no_time = no_time.or(Some((name.clone(), first)));
        }
        if let Some((count, first)) = read.misshapen {
            left_out.push(format!(
                "{name}: {count} lines that are the dispatcher's and cannot be read, the first is line {first}"
            ));
        }
        if read.is_rough {
            left_out.push(format!(
                "{name}: its times are whole seconds, of a zone that is not named; they are read as UTC"
            ));
        }
        if read.evidence.is_empty() && read.no_time.is_none() && inputs.len() == 1 {
            let Foreign { what, mend } = Foreign::by_its_text(&source.text);
            return Err(IncidentError::Foreign { name, what, mend });
        }
        if read.evidence.is_empty() && read.no_time.is_none() {
            let Foreign { what, .. } = Foreign::by_its_text(&source.text);
            left_out.push(format!("{name}: it is {what}"));
        }
        all.extend(if read.is_rough { spread(read.evidence) } else { read.evidence });
    }
    if let (true, Some((name, line))) = (all.is_empty(), no_time) {
        return Err(IncidentError::NoTime { name, line });
    }
    all.sort_by_key(|it| it.at_ms);
    let before = all.len();
    all = without_repeats(all);
    if all.len() < before {
        left_out.push(format!("{} lines that stood in more than one place", before - all.len()));
    }
    let all = cut_down(all, cut)?;
    let incident = Incident::of(&all).ok_or(IncidentError::Nothing)?;
    Ok(Read { incident, left_out })
}

/// Events of one second come evenly spread over it, in their order: all at once would be a flood that never was.
fn spread(mut evidence: Vec<Evidence>) -> Vec<Evidence> {
    let mut from = 0;
    while from < evidence.len() {
        let at_ms = evidence[from].at_ms;
        let of = evidence[from..].iter().take_while(|it| it.at_ms == at_ms).count();
        for n in 0..of {
            let it = &mut evidence[from + n];
            // The head of an event has the time of its beginning.
            let took = if let What::Request { line, .. } = &it.what { line.ms } else { 0 };
            it.at_ms = at_ms + (n * 1_000 / of) as u64 + took;
        }
        from += of;
    }
    evidence
}

/// Logs that overlap have the same lines.
fn without_repeats(all: Vec<Evidence>) -> Vec<Evidence> {
    let mut kept: Vec<Evidence> = Vec::with_capacity(all.len());
    for it in all {
        let same_time = kept.iter().rev().take_while(|other| other.at_ms == it.at_ms);
        if !same_time.into_iter().any(|other| other.what == it.what) {
            kept.push(it);
        }
    }
    kept
}

fn cut_down(mut all: Vec<Evidence>, cut: &Cut<'_>) -> Result<Vec<Evidence>, IncidentError> {
    let began_ms = all.iter().find(|it| !matches!(it.what, What::World(_))).map_or(0, |it| it.at_ms);
    let moment = |text: Option<&str>| {
        text.map(|text| times::named(text, began_ms).ok_or_else(|| IncidentError::Moment(text.to_owned()))).transpose()
    };
    let (from, to) = (moment(cut.from)?.unwrap_or(0), moment(cut.to)?.unwrap_or(u64::MAX));
    // What the tenants are is true all the while.
    all.retain(|it| matches!(it.what, What::World(_)) || (from..=to).contains(&it.at_ms));
    if !cut.request_ids.is_empty() {
        let asked = |it: &&Evidence| it.request_id().is_some_and(|id| cut.request_ids.iter().any(|asked| asked == id));
        let payments: BTreeSet<String> =
            all.iter().filter(asked).filter_map(|it| it.payment().map(str::to_owned)).collect();
        all.retain(|it| {
            matches!(it.what, What::World(_))
                || asked(&it)
                || it.payment().is_some_and(|payment| payments.contains(payment))
        });
    }
    Ok(all)
}

/// The scenario's text, which is valid.
pub fn scenario(read: &Read, name: &Name, seed: u64) -> Result<String, IncidentError> {
    let seconds = file::seconds(&read.incident);
    if seconds > LONGEST_S {
        return Err(IncidentError::TooLong { seconds });
    }
    if read.incident.arrivals.is_empty() {
        return Err(IncidentError::Nothing);
    }
    let text = file::render(&read.incident, name.as_str(), seed, &read.left_out);
    match Scenario::parse(&format!("{name}.toml"), &text) {
        Ok(_) => Ok(text),
        Err(invalid) => Err(IncidentError::NoScenario(Box::new(invalid))),
    }
}

#[cfg(test)]
mod tests;
