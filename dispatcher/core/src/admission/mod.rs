//! Who is let in: rates by plan for a tenant, its payers and its callers' addresses, and rules against what only costs.
//!
//! A request gets in by a chain that the compiler orders: [`Gate::enter`] -> [`Entered::admit`] -> [`Admitted::outcome`]. A
//! payment counts against its address as it enters, before anyone is asked, and is given back once somebody vouches for it.
//!
//! An isolate decides by what it saw itself, at once and without asking anyone, so that a refusal costs nothing but CPU. If
//! something is busy here, it asks the whole location beside the answer ([`crate::ports::RateLimiter`]), and goes by that for
//! the next request. Surprising constraint: no rule but its own keeps out a payment that the ledger is known here to have,
//! because its payer comes back for the response. An isolate that has not seen the payment holds it to every rule, before any
//! effect.

mod admitted;
mod entered;
mod floods;
mod gate;
mod goodwill;
mod key;
mod meter;
mod names;
mod neighbours;
mod outcome;
mod rates;
mod reading;
mod runs;
mod sample;
mod source;
mod table;
mod under_way;
mod waits;

#[cfg(test)]
mod fairness_tests;
#[cfg(test)]
mod tests;

pub use admitted::{Admitted, Payer};
pub use entered::Entered;
pub use gate::Gate;

pub use rates::Questions;
pub use runs::Runs;
pub use sample::Origin;
pub use source::{ADDRESS, Source};

use crate::plan::Rates;
use x402_paywall::UnixMillis;

/// A request, as far as admission is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    pub source: Option<&'a Source>,
    /// `None`: nothing is sold there, so that a payment can only be looked up.
    pub tenancy: Option<Tenancy<'a>>,
    pub method: &'a str,
    /// The path, as the tenant sees it.
    pub path: &'a str,
    pub brings: Brings<'a>,
    pub at: UnixMillis,
}

/// The tenant that is called, and the rates that it has now.
#[derive(Clone, Copy, Debug)]
pub struct Tenancy<'a> {
    pub id: &'a str,
    pub rates: Rates,
}

/// The thing that a request has to offer.
#[derive(Clone, Copy, Debug)]
pub enum Brings<'a> {
    /// Nothing is asked of it: the tenant is free.
    Nothing,
    /// It asks whether a page may pay.
    Preflight,
    /// No payment, where there is a price or nobody.
    NoPayment,
    /// Value of its payment header.
    Payment(&'a str),
}

/// Outcome of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It lacks what is asked of it.
    Malformed,
    /// A facilitator had to be asked to refuse it, or it pays something else.
    Worthless,
    /// It had bought something before. Anyone can send it who reads the chain.
    Spent,
    /// Another request has it.
    InUse,
    /// The ledger has it, and its money may have moved: its payer will come back with it.
    Kept,
    /// The ledger did not answer. It may have the payment.
    Lost,
    /// It was paid for.
    Bought,
    /// No facilitator answered soundly. The payment may be why.
    Unanswered,
    /// Nothing was sold, and nothing speaks against the payment.
    Nothing,
}

/// A refusal. Nobody was asked about the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    pub retry_after_s: u64,
}

impl TurnedAway {
    fn for_ms(millis: u64) -> Self {
        Self { retry_after_s: millis / 1_000 + 1 }
    }
}
