//! One call in the hands of a fault: the caller's socket, and the honest part to forward to.

use super::{caller::Caller, origin_error::OriginError, reply::Reply, request::FacilitatorRequest, signers::Signers};
use reports::event::{FacilitatorAnswer, FacilitatorEndpoint};
use std::{future::Future, pin::Pin};

/// The honest part of a double, whichever it is.
pub trait Origin: Send + Sync {
    /// The whole answer under the call's HTTP-level fault, if it has one. Settles.
    fn reply<'a>(&'a self, call: HonestCall<'a>) -> HonestReply<'a>;
}

/// The answer of an honest part, once it is there.
pub type HonestReply<'a> = Pin<Box<dyn Future<Output = Result<Reply, OriginError>> + Send + 'a>>;

/// A call as the honest part gets it.
#[derive(Clone, Copy)]
pub struct HonestCall<'a> {
    /// The double's name.
    pub facilitator: &'a str,
    pub endpoint: FacilitatorEndpoint,
    pub body: &'a [u8],
    pub request: &'a FacilitatorRequest,
    /// Position of the fault in the double's list.
    pub fault: Option<usize>,
}

pub struct Exchange<'a> {
    pub caller: &'a mut Caller,
    pub origin: &'a dyn Origin,
    /// The double's name.
    pub facilitator: &'a str,
    pub endpoint: FacilitatorEndpoint,
    pub body: Vec<u8>,
    pub request: FacilitatorRequest,
    pub signers: &'a Signers,
    /// Position of the fault in the double's list.
    pub fault: Option<usize>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    pub answer: FacilitatorAnswer,
    pub then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The connection is good for another request.
    KeepOpen,
    Close,
    Reset,
}

impl Exchange<'_> {
    /// The whole answer under the call's HTTP-level fault, if it has one. Settles.
    pub async fn honest_reply(&self) -> Result<Reply, OriginError> {
        let Self { facilitator, endpoint, body, request, fault, .. } = self;
        let call = HonestCall { facilitator, endpoint: *endpoint, body, request, fault: *fault };
        self.origin.reply(call).await
    }

    /// Gets the answer and sends it, whole.
    pub async fn answer(&mut self) -> Result<Played, OriginError> {
        let reply = self.honest_reply().await?;
        if self.caller.is_gone() || self.caller.send(&reply.bytes()).await.is_err() {
            return Ok(Played::caller_gone());
        }
        Ok(Played::sent(&reply))
    }
}

impl Played {
    #[must_use]
    pub fn sent(reply: &Reply) -> Self {
        Self { answer: reply.sent(), then: Then::KeepOpen }
    }

    #[must_use]
    pub fn reset() -> Self {
        Self { answer: none("reset"), then: Then::Reset }
    }

    /// The caller gave up on a call that was never going to be answered.
    #[must_use]
    pub fn hung() -> Self {
        Self { answer: none("hung"), then: Then::Close }
    }

    #[must_use]
    pub fn closed(how: &str) -> Self {
        Self { answer: none(how), then: Then::Close }
    }

    /// The caller gave up on a call that would have been answered.
    #[must_use]
    pub fn caller_gone() -> Self {
        Self { answer: none("caller-gone"), then: Then::Close }
    }
}

fn none(how: &str) -> FacilitatorAnswer {
    FacilitatorAnswer::None { how: how.to_owned() }
}
