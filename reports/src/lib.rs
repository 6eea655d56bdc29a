//! The event stream of a run and the reports made from it. Reports never look at the system under test: what is not in
//! the event stream is not in a report.

pub mod class;
pub mod comparison;
pub mod event;
pub mod fold;
pub mod format;
pub mod html;
pub mod json;
pub mod junit;
pub mod latency;
pub mod level;
pub mod machine;
pub mod markdown;
pub mod report;
pub mod run;
pub mod sarif;
pub mod schema;
pub mod story;
pub mod summary;
pub mod tally;
pub mod terminal;
pub mod trace;
pub mod verdict;

#[cfg(test)]
mod fixture;

pub use format::{Format, UnknownFormat};
pub use run::Run;

use report::Report;
use serde::Serialize;
use std::io::{self, Write};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum RenderError {
    #[error("the events of {run} cannot be read")]
    Events { run: String, source: io::Error },
    #[error("a report cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("a report cannot be written as XML")]
    Junit(#[from] quick_junit::SerializeError),
    #[error("it cannot be written")]
    Write(#[from] io::Error),
}

/// Writes what the runs came to, in the order that they have.
pub fn render(runs: &[Run<'_>], format: Format, to: &mut dyn Write) -> Result<(), RenderError> {
    let reports: Vec<&Report> = runs.iter().map(|run| run.report).collect();
    match format {
        Format::Terminal => {
            for report in reports {
                write!(to, "{}", anstream::adapter::strip_str(&terminal::render(report)))?;
            }
        }
        Format::Json => match reports.as_slice() {
            [one] => write_json(one, to)?,
            several => write_json(several, to)?,
        },
        Format::Junit => junit::render(&reports, to)?,
        Format::Sarif => write_json(&sarif::render(&reports), to)?,
        Format::Html => html::render(runs, to)?,
        Format::Trace => trace::render(runs, to)?,
        Format::Markdown => to.write_all(markdown::render(&reports).as_bytes())?,
    }
    Ok(())
}

fn write_json(what: &(impl Serialize + ?Sized), to: &mut dyn Write) -> Result<(), RenderError> {
    serde_json::to_writer_pretty(&mut *to, what)?;
    Ok(to.write_all(b"\n")?)
}
