//! Payment schemes: what a payment carries, what its payer signs, and how much it may move.
//!
//! `exact` is the only one. A second scheme is a file beside it, and a variant here: the compiler then asks for it wherever a
//! scheme decides something.

pub mod exact;

/// A scheme that payments are made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The payer signs for one amount, and all of it moves.
    Exact,
}

impl Scheme {
    pub const ALL: [Self; 1] = [Self::Exact];

    /// The name in offers, payments and lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
        }
    }

    /// Finds a scheme by its name. `None`: we cannot take a payment in it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_found_by_its_name_and_no_other_is() {
        assert_eq!(Scheme::named("exact"), Some(Scheme::Exact));
        assert_eq!(["upto", "Exact", "", "exact "].map(Scheme::named), [None; 4]);
    }
}
