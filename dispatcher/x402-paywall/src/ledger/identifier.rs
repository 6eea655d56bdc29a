//! Who owns a `payment-identifier`: one payment, from before it is verified until its record is forgotten.
//!
//! Kept apart from the payments, in one single-threaded place per tenant and identifier, because rivals for an identifier
//! are different payments. The owner is a payment *and* the request that bound it: an unbind that was under way when its
//! process died must not take the identifier from the same payment's next life.

use crate::{UnixMillis, claim::Claim};
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
        Self(format!("{tenant_id}/{identifier}"))
    }
}

impl Claim {
    /// Its identifier, at its seller.
    #[must_use]
    pub fn scoped_identifier(&self) -> Option<ScopedIdentifier> {
        self.identifier.as_ref().map(|identifier| ScopedIdentifier::of(&self.tenant_id, identifier))
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
    /// When it asked for the name. Zero: a former version did.
    #[serde(default)]
    pub since: UnixMillis,
    /// A payment that is known to have bought nothing yet, and gives way to this one. Asked for, and never kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
}

impl Owner {
    /// Whether both payments are the same account's.
    #[must_use]
    pub fn has_the_payer_of(&self, payment: &str) -> bool {
        payer_of(&self.payment) == payer_of(payment)
    }
}

/// The payer in a payment's key, `eip155:chain:asset:from:nonce`.
fn payer_of(payment: &str) -> Option<&str> {
    payment.rsplit(':').nth(1)
}

/// Whose an identifier is, once somebody asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    Yours,
    /// It belongs to the payment with this key.
    Anothers(String),
}

/// How long a name keeps another payer from using it too. A stranger that squats on names pays for each, and not for long;
/// the one who has it loses nothing, because it collects by its payment.
pub const EXCLUSIVE_MS: u64 = 600_000;

/// The owner after `by` asked for the identifier.
///
/// The same payer's other payments never get it: they are the retries that an identifier is there to tell apart. Another
/// payer's keep it for a while once they have bought something with it: money that is not spent holds no name.
#[must_use]
pub fn bind(owner: Option<Owner>, by: Owner) -> (Owner, Bound) {
    let (instead_of, by) = (by.instead_of.clone(), Owner { instead_of: None, ..by });
    match owner {
        Some(owner)
            if owner.payment != by.payment
                && (owner.has_the_payer_of(&by.payment)
                    || by.since.since(owner.since) < EXCLUSIVE_MS && instead_of.as_ref() != Some(&owner.payment)) =>
        {
            let bound = Bound::Anothers(owner.payment.clone());
            (owner, bound)
        }
        // Who comes again has it since then.
        Some(owner) if owner.payment == by.payment => (Owner { since: owner.since, ..by }, Bound::Yours),
        _ => (by, Bound::Yours),
    }
}

/// The owner after `by` gave the identifier back.
#[must_use]
pub fn unbind(owner: Option<Owner>, by: &Owner) -> Option<Owner> {
    owner.filter(|owner| owner.payment != by.payment || owner.holder != by.holder)
}

/// Adds `by` to the owners of a transaction. A transaction may move the money of many payers, but of each for one payment.
pub fn bind_transaction(owners: &mut Vec<Owner>, by: &Owner) -> Bound {
    match owners.iter().find(|owner| owner.has_the_payer_of(&by.payment)) {
        Some(owner) if owner.payment != by.payment => Bound::Anothers(owner.payment.clone()),
        Some(_) => Bound::Yours,
        None => {
            owners.push(by.clone());
            Bound::Yours
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn owner(payer: &str, nonce: &str, holder: &str) -> Owner {
        let payment = format!("eip155:84532:0xa:{payer}:{nonce}");
        Owner { payment, holder: holder.to_owned(), since: NOW, instead_of: None }
    }

    #[test]
    fn the_first_payment_has_it_and_may_come_again() {
        let first = owner("0xf", "1", "r1");
        assert_eq!(bind(None, first.clone()), (first.clone(), Bound::Yours));
        let rival = owner("0xf", "2", "r2");
        assert_eq!(bind(Some(first.clone()), rival), (first.clone(), Bound::Anothers(first.payment.clone())));
        let again = owner("0xf", "1", "r3");
        assert_eq!(bind(Some(first), Owner { since: NOW.plus(1), ..again.clone() }), (again, Bound::Yours));
    }

    #[test]
    fn another_payer_waits_ten_minutes_and_the_same_payer_for_ever() {
        let squatter = owner("0xe", "1", "r1");
        let bound = |by: &Owner, after| bind(Some(squatter.clone()), Owner { since: NOW.plus(after), ..by.clone() }).1;
        let (own, other) = (owner("0xe", "2", "r2"), owner("0xf", "2", "r2"));
        assert_eq!(bound(&other, EXCLUSIVE_MS - 1), Bound::Anothers(squatter.payment.clone()));
        assert_eq!(bound(&other, EXCLUSIVE_MS), Bound::Yours);
        assert_eq!(bound(&own, 10 * EXCLUSIVE_MS), Bound::Anothers(squatter.payment.clone()));
    }

    #[test]
    fn a_payment_that_has_bought_nothing_gives_way_to_another_payers() {
        let squatter = owner("0xe", "1", "r1");
        let instead_of = |of: &Owner, by: Owner| Owner { instead_of: Some(of.payment.clone()), ..by };
        let own = owner("0xf", "2", "r2");
        let bound = bind(Some(squatter.clone()), instead_of(&squatter, own.clone()));
        assert_eq!(bound, (own.clone(), Bound::Yours));
        let another = owner("0xd", "3", "r3");
        let too_late = bind(Some(own.clone()), instead_of(&squatter, another));
        assert_eq!(too_late.1, Bound::Anothers(own.payment), "whoever has it by now");
        let retry = bind(Some(squatter.clone()), instead_of(&squatter, owner("0xe", "4", "r4")));
        assert_eq!(retry.1, Bound::Anothers(squatter.payment), "the same payer's never do");
    }

    #[test]
    fn only_the_request_that_bound_it_last_gives_it_back() {
        let held = Some(owner("0xf", "1", "r3"));
        assert_eq!(unbind(held.clone(), &owner("0xf", "1", "r1")), held);
        assert_eq!(unbind(held.clone(), &owner("0xe", "1", "r3")), held);
        assert_eq!(unbind(held, &owner("0xf", "1", "r3")), None);
    }
}
