//! A line of a list: what `harness list` shows, and what a scenario's schema says of a name.

/// A name and what it stands for.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    pub name: &'static str,
    pub says: &'static str,
    /// The value that a scenario could give it.
    pub example: &'static str,
}

impl Listed {
    #[must_use]
    pub const fn new(name: &'static str, says: &'static str, example: &'static str) -> Self {
        Self { name, says, example }
    }
}
