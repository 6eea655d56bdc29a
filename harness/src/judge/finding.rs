//! What a judge found: the verdict, what it rests on, and for a failure the fewest events that show it.

use reports::verdict::Verdict;

/// Most witnesses in a finding. Whoever mends the first few mends the rest, and the history has them all.
const MAX_WITNESSES: usize = 5;

#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub verdict: Verdict,
    pub detail: String,
    pub witness: Vec<String>,
}

impl Finding {
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, detail: why.into(), witness: Vec::new() }
    }

    /// Pass without violations, else fail. `seen` says what was looked at; nothing looked at is unknown.
    pub fn of(looked_at: usize, what: &str, violations: Vec<String>) -> Self {
        if !violations.is_empty() {
            let detail = format!("{} of {looked_at} {what} broke it", violations.len());
            let witness = violations.into_iter().take(MAX_WITNESSES).collect();
            return Self { verdict: Verdict::Fail, detail, witness };
        }
        if looked_at == 0 {
            return Self::unknown(format!("there were no {what} to judge by"));
        }
        Self { verdict: Verdict::Pass, detail: format!("{looked_at} {what}, none broke it"), witness: Vec::new() }
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}
