//! Who owns a `payment-identifier`: one payment, from before it is verified until its record is forgotten.
//!
//! Kept apart from the payments, in one single-threaded place per tenant and identifier, because rivals for an identifier
//! are different payments. The owner is a payment *and* the request that bound it: an unbind that was under way when its
//! process died must not take the identifier from the same payment's next life.

use crate::seeded::{self, Bug};
use serde::{Deserialize, Serialize};
use std::fmt;
use x402_protocol::v2::PaymentIdentifier;

/// `tenant/identifier`: two sellers' customers may draw the same identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScopedIdentifier(String);

impl ScopedIdentifier {
    /// An identifier has no slash, so no two pairs run together.
    #[must_use]
    pub fn of(tenant_id: &str, identifier: &PaymentIdentifier) -> Self {
        let tenant_id = if seeded::has(Bug::IdentifierNotScoped) { "" } else { tenant_id };
        Self(format!("{tenant_id}/{identifier}"))
    }
}

impl fmt::Display for ScopedIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A payment that has, or wants, an identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// `network:asset:from:nonce`.
    pub payment: String,
    /// The request that claimed it.
    pub holder: String,
}

/// Whose an identifier is, once somebody asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    Yours,
    /// Of the payment with this key.
    Anothers(String),
}

/// The owner after `by` asked for the identifier.
#[must_use]
pub fn bind(owner: Option<Owner>, by: Owner) -> (Owner, Bound) {
    match owner {
        Some(owner) if owner.payment != by.payment => {
            let bound = Bound::Anothers(owner.payment.clone());
            (owner, bound)
        }
        _ => (by, Bound::Yours),
    }
}

/// The owner after `by` gave the identifier back.
#[must_use]
pub fn unbind(owner: Option<Owner>, by: &Owner) -> Option<Owner> {
    owner.filter(|owner| owner != by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(payment: &str, holder: &str) -> Owner {
        Owner { payment: payment.to_owned(), holder: holder.to_owned() }
    }

    #[test]
    fn the_first_payment_has_it_and_may_come_again() {
        let (first, bound) = bind(None, owner("a", "r1"));
        assert_eq!((&first, bound), (&owner("a", "r1"), Bound::Yours));
        assert_eq!(bind(Some(first.clone()), owner("b", "r2")), (first.clone(), Bound::Anothers("a".to_owned())));
        assert_eq!(bind(Some(first), owner("a", "r3")), (owner("a", "r3"), Bound::Yours));
    }

    #[test]
    fn only_the_request_that_bound_it_last_gives_it_back() {
        let held = Some(owner("a", "r3"));
        assert_eq!(unbind(held.clone(), &owner("a", "r1")), held);
        assert_eq!(unbind(held.clone(), &owner("b", "r3")), held);
        assert_eq!(unbind(held, &owner("a", "r3")), None);
    }
}
