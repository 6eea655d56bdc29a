//! The part of a fault that acts. A method that is left out does what an honest facilitator does.

use super::about::Money;
use crate::{
    Call,
    ask::Ask,
    exchange::{Exchange, Played},
    origin_error::OriginError,
    reply::Reply,
};
use reports::event::FacilitatorEndpoint;

pub trait Behaviour {
    /// Returns the sentence of `harness explain`, without a word on the money.
    fn says(&self) -> String;

    /// Whether the money moves, where the scenario says so ([`super::about::Moves::AsItSays`]).
    fn moves(&self) -> Option<Money> {
        None
    }

    /// Returns why it makes no sense on these calls, and the way out, beyond what [`super::about::OnCalls`] says.
    fn cannot_be_on(&self, _call: Call, _picky: bool) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Whether it means anything on this endpoint, beyond what [`super::about::OnCalls`] says.
    fn applies(&self, _endpoint: FacilitatorEndpoint) -> bool {
        true
    }

    /// Whether a call under it may still succeed at its caller.
    fn need_not_fail(&self) -> bool {
        false
    }

    /// Whether the double reads the request before the fault bites.
    fn reads_request(&self) -> bool {
        true
    }

    /// Whether [`Ask::calls_this_second`] is counted for it.
    fn counts_calls(&self) -> bool {
        false
    }

    /// Returns the request as the double reads it.
    fn as_read(&self, body: Vec<u8>) -> Vec<u8> {
        body
    }

    /// Returns the HTTP answer; what happens to it on its way is [`Self::play`]'s business.
    fn reply(&self, ask: &Ask<'_>) -> Reply {
        ask.honest()
    }

    /// Plays a call on its socket.
    async fn play(&self, exchange: &mut Exchange<'_>) -> Result<Played, OriginError>
    where
        Self: Sized,
    {
        exchange.answer().await
    }
}
