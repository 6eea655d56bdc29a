//! A rule that a run is held to: its id there, its checker with its parameters, and how much it weighs.

use crate::Checker;
use reports::level::Level;

#[derive(Clone, Debug)]
pub struct Must {
    id: String,
    checker: Checker,
    level: Level,
    is_baseline: bool,
    /// Its place in the file; absent where it has none.
    at: Option<usize>,
}

impl Must {
    /// A rule that a scenario names, `at` so many bytes into its file; the rule's own level counts unless it gives one.
    #[must_use]
    pub fn of_the_file(id: String, checker: Checker, level: Option<Level>, at: usize) -> Self {
        let level = level.unwrap_or(checker.rule().level);
        Self { id, checker, level, is_baseline: false, at: Some(at) }
    }

    /// A rule that stands in every scenario, under this id.
    #[must_use]
    pub fn of_the_baseline(checker: Checker, id: String) -> Self {
        let level = checker.rule().level;
        Self { id, checker, level, is_baseline: true, at: None }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its place in the file, in bytes.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        self.at
    }

    /// Whether it stands here because it stands everywhere, and not because the file says so.
    pub fn is_baseline(&self) -> bool {
        self.is_baseline
    }

    pub fn checker(&self) -> &Checker {
        &self.checker
    }

    /// How much it weighs here: as the scenario says, else as its rule does.
    pub fn level(&self) -> Level {
        self.level
    }
}
