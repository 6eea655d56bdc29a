//! What a person names as a failure: the folder of a run, which says its seed itself, or a scenario by name or file.

use super::ShrinkError;
use reports::report::Report;
use scenario::{Library, Scenario};
use std::path::{Path, PathBuf};

pub struct Found {
    pub file: PathBuf,
    pub seed: Option<u64>,
    /// Name of the scenario.
    pub id: String,
}

impl Found {
    pub fn at(path: &Path, library: &Library) -> Result<Self, ShrinkError> {
        let unreadable = |path: &Path, source| ShrinkError::Read { path: path.to_owned(), source };
        if path.is_dir() {
            let (file, report) = (path.join("scenario.toml"), path.join("report.json"));
            let text = std::fs::read(&report).map_err(|source| unreadable(&report, source))?;
            let report: Report = serde_json::from_slice(&text).map_err(|source| unreadable(&report, source.into()))?;
            return Ok(Self { file, seed: Some(report.seed), id: report.scenario });
        }
        let of_the_library = path.to_str().filter(|_| !path.exists()).and_then(|name| library.file(name));
        let file = of_the_library.unwrap_or_else(|| path.to_owned());
        let text = super::read(&file)?;
        let scenario = Scenario::parse(&file.display().to_string(), &text)?;
        Ok(Self { seed: scenario.seed(), id: scenario.id().as_str().to_owned(), file })
    }
}
