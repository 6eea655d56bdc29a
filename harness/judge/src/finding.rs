//! What a judge found: the verdict, what it rests on, and for a failure where the rule was broken and the fewest events
//! that show it.

use super::history::Line;
use reports::verdict::Verdict;

#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub verdict: Verdict,
    pub detail: String,
    /// Never empty for a fail, always for anything else.
    pub violations: Vec<Violation>,
    /// Whether the history had nothing that the rule is about.
    pub is_idle: bool,
}

/// One place where a rule was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub what: String,
    /// The fewest events that show it. Never empty, since each way to make one asks for a line.
    lines: Vec<Line>,
}

impl Violation {
    pub fn new(what: impl Into<String>, shown_by: Line) -> Self {
        Self { what: what.into(), lines: vec![shown_by] }
    }

    #[must_use]
    pub fn and(mut self, also_by: impl IntoIterator<Item = Line>) -> Self {
        self.lines.extend(also_by);
        self.lines.sort_unstable();
        self.lines.dedup();
        self
    }

    /// Shown by these in this order, because it says what matters most; `first` comes first.
    pub fn ranked(what: impl Into<String>, first: Line, then: impl IntoIterator<Item = Line>) -> Self {
        Self { what: what.into(), lines: std::iter::once(first).chain(then).collect() }
    }

    /// In the history's order, unless they are ranked.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

impl Finding {
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, detail: why.into(), violations: Vec::new(), is_idle: false }
    }

    /// Pass without violations, else fail. `looked_at` counts the `what` that were; nothing looked at is unknown.
    pub fn of(looked_at: usize, what: &str, violations: Vec<Violation>) -> Self {
        if !violations.is_empty() {
            let detail = format!("{} of {looked_at} {what} broke it", violations.len());
            return Self { verdict: Verdict::Fail, detail, violations, is_idle: false };
        }
        if looked_at == 0 {
            return Self { is_idle: true, ..Self::unknown(format!("there were no {what} to judge by")) };
        }
        Self {
            verdict: Verdict::Pass,
            detail: format!("{looked_at} {what}, none broke it"),
            violations,
            is_idle: false,
        }
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The violation that the fewest events show; of several the first.
    pub fn clearest(&self) -> Option<&Violation> {
        self.violations.iter().min_by_key(|violation| violation.lines.len())
    }
}
