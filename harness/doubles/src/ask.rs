//! A call to a facilitator double, with all that an answer may depend on, and the honest answer to it.

use super::{chain::Chain, honest, repeat::Repeat, reply::Reply, request::FacilitatorRequest};
use reports::event::FacilitatorEndpoint;

/// One call, with all that an answer may depend on.
pub struct Ask<'a> {
    pub facilitator: &'a str,
    pub endpoint: FacilitatorEndpoint,
    pub request: &'a FacilitatorRequest,
    pub chain: &'a Chain,
    pub lists_only: Option<&'static str>,
    pub repeats: Repeat,
    pub unix_now: u64,
    /// How often the payment came to this endpoint before.
    pub asked_before: u64,
    /// How many calls came to the facilitator in this second, this one included, where a fault asks.
    pub calls_this_second: u64,
}

impl Ask<'_> {
    /// Does the honest work: moves the money, if it is a settlement that may.
    #[must_use]
    pub fn honest(&self) -> Reply {
        match self.endpoint {
            FacilitatorEndpoint::Verify => {
                let Self { facilitator, request, chain, unix_now, repeats, .. } = *self;
                Reply::json(200, &honest::verify(facilitator, request, chain, unix_now, repeats))
            }
            FacilitatorEndpoint::Settle => Reply::json(200, &self.settle(self.repeats)),
            FacilitatorEndpoint::Supported => Reply::json(200, &honest::supported(self.facilitator, self.lists_only)),
        }
    }

    /// Answers in the way of a facilitator that answers repeats so.
    #[must_use]
    pub fn settle(&self, repeats: Repeat) -> x402_protocol::v2::SettleResponse {
        honest::settle(self.facilitator, self.request, self.chain, self.unix_now, repeats)
    }
}
