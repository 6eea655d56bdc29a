//! The kinds of requests that are told apart.

use crate::shop::{ACME, OPEN, Tenant};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// To a tenant that sells nothing.
    PassThrough,
    /// Without a payment, which gets the offer.
    Unpaid,
    /// With a payment of its own, verified and settled.
    Paid,
}

impl Route {
    /// Unpaid before paid: what a server keeps of payments must not slow down what comes without one.
    pub const ALL: [Self; 3] = [Self::PassThrough, Self::Unpaid, Self::Paid];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PassThrough => "pass-through",
            Self::Unpaid => "unpaid",
            Self::Paid => "paid",
        }
    }

    #[must_use]
    pub fn tenant(self) -> Tenant {
        match self {
            Self::PassThrough => OPEN,
            Self::Unpaid | Self::Paid => ACME,
        }
    }
}
