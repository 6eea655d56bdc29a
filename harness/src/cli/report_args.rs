//! `--report FORMAT=FILE`: what a judgement leaves besides what it prints, any number of times on every command that judges.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;
use reports::{Format, RenderError, Run, UnknownFormat};
use thiserror::Error;

/// Flattened into every command that judges.
#[derive(Clone, Debug, Default, Args)]
pub struct ReportArgs {
    /// Write the report to a file as well, as terminal, json, junit, sarif, markdown, html or trace; may be given more than once
    #[arg(id = "report-files", long = "report", global = true, value_name = "FORMAT=FILE")]
    pub files: Vec<ReportFile>,
}

/// A file that is to be written, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    pub format: Format,
    pub path: PathBuf,
}

#[derive(Debug, Error)]
pub enum MistypedReport {
    #[error("a report is asked for as FORMAT=FILE, such as junit=report.xml")]
    NoFile,
    #[error(transparent)]
    Format(#[from] UnknownFormat),
}

impl FromStr for ReportFile {
    type Err = MistypedReport;

    fn from_str(text: &str) -> Result<Self, MistypedReport> {
        let (format, path) = text.split_once('=').ok_or(MistypedReport::NoFile)?;
        let format = format.parse()?;
        if path.is_empty() { Err(MistypedReport::NoFile) } else { Ok(Self { format, path: path.into() }) }
    }
}

/// A report that could not be written.
#[derive(Debug, Error, miette::Diagnostic)]
#[error("the {format} report {} cannot be written", path.display())]
pub struct ReportNotWritten {
    format: Format,
    path: PathBuf,
    source: RenderError,
}

impl ReportArgs {
    /// Whether anything is asked for, for whoever would have to keep something for it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes each file that was asked for. Folders on the way are made.
    pub fn write(&self, runs: &[Run<'_>]) -> Result<(), ReportNotWritten> {
        for ReportFile { format, path } in &self.files {
            let written = write(path, *format, runs);
            written.map_err(|source| ReportNotWritten { format: *format, path: path.clone(), source })?;
        }
        Ok(())
    }
}

fn write(path: &Path, format: Format, runs: &[Run<'_>]) -> Result<(), RenderError> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let mut file = BufWriter::new(File::create(path)?);
    reports::render(runs, format, &mut file)?;
    file.flush()?;
    // What is only in the kernel's memory may still not fit on the disk.
    synced(file.get_ref())?;
    Ok(())
}

/// A pipe or a terminal cannot be synced, and need not be.
fn synced(file: &File) -> io::Result<()> {
    match file.sync_data() {
        Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::report::Report;

    #[test]
    fn a_report_is_a_format_and_a_file() {
        let parsed = "junit=out/a=b.xml".parse::<ReportFile>().expect("it is one");
        assert_eq!(parsed, ReportFile { format: Format::Junit, path: "out/a=b.xml".into() });
        for wrong in ["junit", "junit=", "yaml=x", "=x"] {
            assert!(wrong.parse::<ReportFile>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_file_is_written_and_one_that_cannot_be_is_an_error() {
        let folder = std::env::temp_dir().join(format!("402claw-report-args-{}", std::process::id()));
        let report = Report::of_checks("none", "nothing", Vec::new(), 13);
        let runs = [Run::without_events(&report)];
        let file = |format, name: &str| ReportFile { format, path: folder.join(name) };
        let args = ReportArgs { files: Format::ALL.map(|format| file(format, format.as_str())).to_vec() };
        args.write(&runs).expect("there is room");
        for format in Format::ALL {
            assert!(fs::metadata(folder.join(format.as_str())).is_ok_and(|file| file.len() > 0), "{format}");
        }
        let below_a_file = ReportArgs { files: vec![file(Format::Json, "json/x")] };
        assert!(below_a_file.write(&runs).is_err());
        let full = ReportArgs { files: vec![ReportFile { format: Format::Json, path: "/dev/full".into() }] };
        assert!(full.write(&runs).is_err(), "a full disk");
        fs::remove_dir_all(folder).expect("it is ours");
    }
}
