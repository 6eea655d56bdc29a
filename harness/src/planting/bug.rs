//! A planted bug: a TOML file that says what it breaks, which rule must see it, and how the wrong code reads. It stands beside
//! the self-test and outside what ships, so the dispatcher knows nothing of it.

use judge::{RULES, Rule};
use miette::Diagnostic;
use scenario::{Tier, nearest};
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// A mistake that a dispatcher could have.
#[derive(Clone, Debug)]
pub struct Bug {
    /// The name of its file.
    pub name: String,
    /// The damage in a sentence.
    pub says: String,
    /// Why somebody could write it.
    pub why: String,
    /// The rule that must see it.
    pub rule: &'static Rule,
    /// The scenarios in any of which it breaks.
    pub scenarios: Vec<String>,
    /// The tier in which it can be seen: no simulation runs the Worker's adapters.
    pub tier: Tier,
    /// Never empty.
    pub edits: Vec<Edit>,
}

/// A place where the wrong code differs from the right one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The file, from the workspace's folder.
    pub file: String,
    /// The text of the right code, which is found once in the file.
    pub right: String,
    /// The text that stands there in the wrong code.
    pub wrong: String,
}

/// Why a file is no bug.
#[derive(Debug, Error, Diagnostic)]
pub enum BugError {
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the bug `{bug}` cannot be read\n{error}")]
    #[diagnostic(help(
        "says, why, rule, scenarios, tier (sim or live), and at least one [[edit]] with file, right and wrong"
    ))]
    Malformed { bug: String, error: toml::de::Error },
    #[error("the bug `{bug}` names no rule that there is: `{rule}`")]
    UnknownRule {
        bug: String,
        rule: String,
        #[help]
        help: String,
    },
    #[error("the bug `{bug}` leaves its `{field}` empty")]
    Empty { bug: String, field: &'static str },
    #[error("two bugs are called `{bug}`")]
    #[diagnostic(help("a bug's name is its file's: call one of them something else"))]
    Twice { bug: String },
    #[error("{} is not a bug's name", path.display())]
    #[diagnostic(help("lower-case letters, digits and hyphens, then `.toml`"))]
    Misnamed { path: PathBuf },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    says: String,
    why: String,
    rule: String,
    scenarios: Vec<String>,
    tier: RawTier,
    #[serde(rename = "edit")]
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawTier {
    Sim,
    Live,
}

impl Bug {
    /// Reads a bug's file.
    pub fn parse(name: &str, text: &str) -> Result<Self, BugError> {
        let bug = || name.to_owned();
        let raw: Raw = toml::from_str(text).map_err(|error| BugError::Malformed { bug: bug(), error })?;
        let empty = [
            ("says", raw.says.trim().is_empty()),
            ("why", raw.why.trim().is_empty()),
            ("scenarios", raw.scenarios.is_empty()),
            ("edit", raw.edits.is_empty()),
        ];
        if let Some((field, _)) = empty.into_iter().find(|(_, is_empty)| *is_empty) {
            return Err(BugError::Empty { bug: bug(), field });
        }
        let Some(rule) = RULES.iter().find(|rule| rule.checker == raw.rule) else {
            let known: Vec<_> = RULES.iter().map(|rule| rule.checker).collect();
            let meant = nearest(&raw.rule, &known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            let help = format!("{meant}`harness list --checkers` shows all of them");
            return Err(BugError::UnknownRule { bug: bug(), rule: raw.rule, help });
        };
        let tier = match raw.tier {
            RawTier::Sim => Tier::Sim,
            RawTier::Live => Tier::Live,
        };
        Ok(Self { name: bug(), says: raw.says, why: raw.why, rule, scenarios: raw.scenarios, tier, edits: raw.edits })
    }

    /// Reads every bug of a folder, by name.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>, BugError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| BugError::Unreadable { path, source }
        };
        let mut bugs = Vec::new();
        for entry in folder.read_dir().map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).filter(|name| is_a_name(name)) else {
                return Err(BugError::Misnamed { path });
            };
            bugs.push(Self::parse(name, &fs::read_to_string(&path).map_err(unreadable(&path))?)?);
        }
        bugs.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(bugs)
    }
}

/// Whether it can stand in a string of Rust, in a file's name and on a command line as it is.
fn is_a_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "says = 's'\nwhy = 'w'\nrule = 'books-balance'\nscenarios = ['outage']\ntier = 'sim'\n\
                        [[edit]]\nfile = 'a.rs'\nright = 'r'\nwrong = ''\n";

    fn error(text: &str) -> String {
        Bug::parse("b", text).expect_err("it is wrong").to_string()
    }

    #[test]
    fn a_bug_is_read_with_its_rule() {
        let bug = Bug::parse("b", GOOD).map_err(miette::Report::new).expect("it is good");
        assert_eq!((bug.rule.checker, bug.tier, bug.edits.len()), ("books-balance", Tier::Sim, 1));
    }

    #[test]
    fn what_is_missing_unknown_or_empty_is_refused_with_the_bugs_name() {
        assert!(error(&GOOD.replace("books-balance", "book-balance")).contains("`b` names no rule"));
        assert!(error(&GOOD.replace("'outage'", "")).contains("`b` leaves its `scenarios` empty"));
        assert!(error(&GOOD.replace("why = 'w'", "why = ' '")).contains("`b` leaves its `why` empty"));
        assert!(error(&GOOD.replace("why = 'w'\n", "")).contains("missing field `why`"));
        assert!(error(&GOOD.replace("tier = 'sim'", "tier = 'sea'")).contains("unknown variant `sea`"));
        assert!(error(&GOOD.replace("wrong", "wronged")).contains("unknown field `wronged`"));
        assert!(error(GOOD.split("[[edit]]").next().expect("a head")).contains("missing field `edit`"));
    }

    #[test]
    fn a_bugs_name_can_stand_anywhere() {
        assert!(is_a_name("settled-on-2-networks"));
        assert!(["", "Settled", "a b", "a\"b", "ä"].iter().all(|name| !is_a_name(name)));
    }
}
