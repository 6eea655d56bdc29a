//! What was checked and what came of it.

use serde::Serialize;

/// One thing that is asked of a server, with what it rests on.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub id: &'static str,
    pub level: Level,
    pub says: &'static str,
    /// A section of the specification, or what happens where it is not kept.
    pub rests_on: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Breaking it costs somebody money or content, or keeps clients out.
    Must,
    /// Breaking it is unwise.
    Should,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Pass,
    Fail,
    /// It was not looked at, or nothing that was seen decides it.
    NotJudged,
    /// There is nothing that it could be said of: the server has no such thing, and need not have it.
    DoesNotApply,
}

#[derive(Clone, Debug, Serialize)]
pub struct Check {
    pub id: String,
    pub level: Level,
    pub says: String,
    pub rests_on: String,
    pub outcome: Outcome,
    /// The observation.
    pub detail: String,
}

impl Rule {
    pub fn came_to(&self, outcome: Outcome, detail: impl Into<String>) -> Check {
        Check {
            id: self.id.to_owned(),
            level: self.level,
            says: self.says.to_owned(),
            rests_on: self.rests_on.to_owned(),
            outcome,
            detail: detail.into(),
        }
    }

    pub fn passes(&self, detail: impl Into<String>) -> Check {
        self.came_to(Outcome::Pass, detail)
    }

    pub fn fails(&self, detail: impl Into<String>) -> Check {
        self.came_to(Outcome::Fail, detail)
    }

    pub fn not_judged(&self, detail: impl Into<String>) -> Check {
        self.came_to(Outcome::NotJudged, detail)
    }

    pub fn does_not_apply(&self, detail: impl Into<String>) -> Check {
        self.came_to(Outcome::DoesNotApply, detail)
    }

    /// Fails with all that is wrong, passes where nothing is.
    pub fn holds_unless(&self, wrong: &[String], otherwise: impl Into<String>) -> Check {
        if wrong.is_empty() { self.passes(otherwise) } else { self.fails(wrong.join("; ")) }
    }

    /// Fails with all that is wrong. Where nothing is, it passes only if everything was looked at.
    pub fn holds_if_seen(&self, wrong: &[String], unseen: &[String], otherwise: impl Into<String>) -> Check {
        match (wrong.is_empty(), unseen.is_empty()) {
            (false, _) => self.fails(short(wrong)),
            (true, false) => self.not_judged(short(unseen)),
            (true, true) => self.passes(otherwise),
        }
    }
}

/// The most that one check tells of what is wrong.
const MOST_TOLD: usize = 6;

fn short(all: &[String]) -> String {
    let told = all[..all.len().min(MOST_TOLD)].join("; ");
    if all.len() > MOST_TOLD { format!("{told}; and {} more", all.len() - MOST_TOLD) } else { told }
}
