//! What a seller may do at each stage of a sale: look, count, or call it off before money moves.
//!
//! Every method does nothing unless it is written. A hook is on the caller's path: whatever it awaits, the caller waits for.

use crate::{Denial, PaidResponse, Reason, facilitator::verdict::Settlement, purchase::Purchase};
use std::future::{Future, ready};
use x402_protocol::Address;

/// A request with a payment that is plausible: of the right shape, for this offer or perhaps a former one, signed by its payer
/// where that can be told without a chain.
#[derive(Clone, Copy, Debug)]
pub struct Sale<'a> {
    pub purchase: &'a Purchase<'a>,
    /// `network:asset:from:nonce`.
    pub payment: &'a str,
    pub payer: Address,
}

/// The stages in their order. Those that may call the sale off come before money moves: the caller is told 403 and is not
/// charged. Under an offer's `upfront` flow only [`Hooks::before_verify`] does, and `after_settle` comes before
/// `after_execute`; `after_verify`, `before_execute` and `before_settle` are not called.
pub trait Hooks {
    /// Nobody has been asked about the payment yet.
    fn before_verify(&self, _sale: &Sale<'_>) -> impl Future<Output = Result<(), Veto>> {
        ready(Ok(()))
    }

    /// The payment is claimed and holds. Not called for a payment that was settled by an earlier request.
    fn after_verify(&self, _sale: &Sale<'_>) -> impl Future<Output = ()> {
        ready(())
    }

    fn before_execute(&self, _sale: &Sale<'_>) -> impl Future<Output = Result<(), Veto>> {
        ready(Ok(()))
    }

    /// `content` is absent where the seller had nothing to sell.
    fn after_execute(&self, _sale: &Sale<'_>, _content: Option<&PaidResponse>) -> impl Future<Output = ()> {
        ready(())
    }

    /// The last moment at which nothing has moved.
    fn before_settle(&self, _sale: &Sale<'_>, _content: &PaidResponse) -> impl Future<Output = Result<(), Veto>> {
        ready(Ok(()))
    }

    fn after_settle(&self, _sale: &Sale<'_>, _settlement: &Settlement) -> impl Future<Output = ()> {
        ready(())
    }

    /// The payment bought nothing now, for whatever reason: refused, vetoed, or not known yet.
    fn on_failure(&self, _sale: &Sale<'_>, _denial: &Denial) -> impl Future<Output = ()> {
        ready(())
    }
}

/// No hooks.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {}

/// The seller does not want to sell this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Veto {
    /// `error.code` of the answer.
    pub code: Reason,
    /// For the caller to read.
    pub message: String,
}

impl From<Veto> for Denial {
    fn from(veto: Veto) -> Self {
        Self::Vetoed(veto)
    }
}
