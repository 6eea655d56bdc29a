//! `harness doctor`: what is there, what is wanted, and how to mend what is not. It changes nothing.

use std::{fmt::Write, path::Path};

use serde::Serialize;

use super::{Cancelled, Progress, SetupError, Site, requirements};

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub name: &'static str,
    pub wanted: String,
    /// The thing that was found; `None` if it is missing.
    pub found: Option<String>,
    pub mend: &'static str,
}

/// Looks for every requirement.
pub fn diagnose(workspace: &Path) -> Result<Vec<Finding>, SetupError> {
    let mut silent = Silent;
    let site = Site::new(workspace, &mut silent, Cancelled::default())?;
    let requirements = requirements(&site)?;
    let findings = requirements.iter().map(|requirement| Finding {
        name: requirement.name(),
        wanted: requirement.wanted(),
        found: requirement.found(&site).map(|found| found.what),
        mend: requirement.mend(),
    });
    Ok(findings.collect())
}

/// The table, one line a requirement, aligned; the way to mend stands under what is missing.
pub fn render(findings: &[Finding]) -> String {
    let width =
        |cell: fn(&Finding) -> usize, title: &str| findings.iter().map(cell).chain([title.len()]).max().unwrap_or(0);
    let name = width(|finding| finding.name.len(), "requirement");
    let wanted = width(|finding| finding.wanted.len(), "wanted");
    let mut table = format!("    {:name$}  {:wanted$}  found\n", "requirement", "wanted");
    for finding in findings {
        let (mark, found) = match &finding.found {
            Some(found) => ("ok", found.as_str()),
            None => ("--", "missing"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(table, "{mark}  {:name$}  {:wanted$}  {found}", finding.name, finding.wanted);
        if finding.found.is_none() {
            let _ = writeln!(table, "    {:name$}  {}", "", finding.mend);
        }
    }
    table
}

struct Silent;

impl Progress for Silent {
    fn line(&mut self, _: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_followed_by_how_to_mend_it() {
        let findings = [
            Finding { name: "node", wanted: ">= 22".into(), found: Some("24.21.0".into()), mend: "unused" },
            Finding { name: "worker-build", wanted: "0.8.7".into(), found: None, mend: "run `harness setup`" },
        ];
        let expected = "    requirement   wanted  found\n\
                        ok  node          >= 22   24.21.0\n\
                        --  worker-build  0.8.7   missing\n    \
                        \u{20}             run `harness setup`\n";
        assert_eq!(render(&findings), expected);
    }
}
