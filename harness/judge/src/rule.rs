//! What a judge must say of itself before it may judge: how much its rule weighs, what the rule rests on, and what usually
//! breaks it. A field left out does not compile, and neither does an empty one (`mod.rs` looks at all of them).

use reports::level::Level;
use std::fmt;

#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// `MONEY-1`: what people say and link to. Several judges may share one, each for a part of it.
    pub id: &'static str,
    /// The judge's own name, as a scenario writes it.
    pub checker: &'static str,
    /// The id, and what must hold, as `harness list --checkers` and the schema say it.
    pub says: &'static str,
    /// The value that a scenario could give it.
    pub example: &'static str,
    pub level: Level,
    /// The weightiest first.
    pub sources: &'static [Source],
    pub hint: Hint,
}

/// A source of a rule.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A passage of a specification or of a platform's documentation.
    Spec { document: &'static str, says: &'static str },
    /// It went wrong in public: a thread, as `owner/repository#number`.
    Incident { thread: &'static str, what: &'static str },
    /// Checks of `x402-conformance` 1.6.0, by its own ids.
    Peer { checks: &'static str },
    /// A promise of this project, and its place.
    Promise { place: &'static str, what: &'static str },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec { document, says } => write!(f, "{document}: {says}"),
            Self::Incident { thread, what } => write!(f, "{thread}: {what}"),
            Self::Peer { checks } => write!(f, "x402-conformance 1.6.0, {checks}"),
            Self::Promise { place, what } => write!(f, "{place}: {what}"),
        }
    }
}

/// How to mend what breaks a rule.
#[derive(Clone, Copy, Debug)]
pub struct Hint {
    /// The usual cause in a dispatcher.
    pub cause: &'static str,
    /// The file of this repository to look at first.
    pub look_at: &'static str,
}

impl Rule {
    /// Whether it says something of everything.
    pub(super) const fn is_complete(&self) -> bool {
        let named =
            !self.id.is_empty() && !self.checker.is_empty() && !self.says.is_empty() && !self.example.is_empty();
        named && !self.sources.is_empty() && !self.hint.cause.is_empty() && !self.hint.look_at.is_empty()
    }
}
