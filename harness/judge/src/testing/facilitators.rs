//! Facilitators: their faults, their calls, the money that they move.

use super::{NETWORK, PAYER, Story, fault, transaction};
use reports::event::{
    Event, FacilitatorAnswer, FacilitatorAttempt, FacilitatorCall, FacilitatorEndpoint, FacilitatorStanding, FaultRef,
    Transfer,
};

/// The answer of a double to `/settle`.
#[derive(Clone, Copy, Debug)]
pub enum Said {
    Sent(u16, Option<bool>, Option<&'static str>),
    Nothing,
}

pub const YES: Said = Said::Sent(200, Some(true), None);
pub const NO: Said = Said::Sent(200, Some(false), Some("unsupported_scheme"));
pub const PENDING: Said = Said::Sent(500, Some(false), Some("settlement_pending"));
pub const GARBLED: Said = Said::Sent(502, None, None);
pub const NOTHING: Said = Said::Nothing;

pub fn attempt(facilitator: &str) -> FacilitatorAttempt {
    let (call, result) = (FacilitatorEndpoint::Verify, "ok".to_owned());
    FacilitatorAttempt { facilitator: facilitator.to_owned(), call, result, ms: 1 }
}

impl Story {
    pub fn fault(self, inject: &str) -> Self {
        self.then(Event::FaultStarted { fault: fault(inject) })
    }

    /// A fault of the facilitator begins.
    pub fn down(self, facilitator: &str) -> Self {
        self.then(Event::FaultStarted { fault: FaultRef { on: facilitator.to_owned(), ..fault("hang") } })
    }

    /// And ends.
    pub fn up(self, facilitator: &str) -> Self {
        self.then(Event::FaultEnded { fault: FaultRef { on: facilitator.to_owned(), ..fault("hang") } })
    }

    pub fn verified(self, payment: &str) -> Self {
        self.settle_with(payment, "primary", YES, |call| call.endpoint = FacilitatorEndpoint::Verify)
    }

    pub fn transfer(self, payment: &str, facilitator: &str) -> Self {
        self.then(Event::TransferMoved(Transfer {
            facilitator: facilitator.to_owned(),
            payment: payment.to_owned(),
            network: NETWORK.to_owned(),
            asset: "0xA".to_owned(),
            from: PAYER.to_owned(),
            to: "0xBB".to_owned(),
            value: "10000".to_owned(),
            transaction: transaction(payment),
        }))
    }

    pub fn settle(self, payment: &str, facilitator: &str, said: Said) -> Self {
        self.settle_with(payment, facilitator, said, |_| {})
    }

    pub fn settle_with(self, payment: &str, at: &str, said: Said, change: impl FnOnce(&mut FacilitatorCall)) -> Self {
        let answer = match said {
            Said::Nothing => FacilitatorAnswer::None { how: "hung".to_owned() },
            Said::Sent(status, ok, reason) => {
                let transaction = Some(if ok == Some(true) { transaction(payment) } else { String::new() });
                FacilitatorAnswer::Sent { status, ok, reason: reason.map(str::to_owned), transaction, payer: None }
            }
        };
        let began = self.next();
        let mut call = FacilitatorCall {
            facilitator: at.to_owned(),
            endpoint: FacilitatorEndpoint::Settle,
            nth: 1,
            payment: Some(payment.to_owned()),
            payload_hash: Some(format!("hash-of-{payment}")),
            received_us: began,
            ended_us: began + 500_000,
            fault: None,
            stray_key: false,
            answer,
        };
        change(&mut call);
        self.then(Event::FacilitatorCalled(call))
    }

    /// Money moved, and the facilitator said so.
    pub fn settled(self, payment: &str, facilitator: &str) -> Self {
        self.transfer(payment, facilitator).settle(payment, facilitator, YES)
    }

    /// The dispatcher says that a facilitator's verify stands so now.
    pub fn standing(self, facilitator: &str, to: &str) -> Self {
        let (facilitator, to) = (facilitator.to_owned(), to.to_owned());
        let (from, reason) = ("healthy".to_owned(), "timeout".to_owned());
        let call = FacilitatorEndpoint::Verify;
        self.then(Event::FacilitatorStanding(FacilitatorStanding { facilitator, call, from, to, reason }))
    }

    /// A redirect was followed.
    pub fn asked_elsewhere(self) -> Self {
        let (facilitator, path) = ("primary".to_owned(), "POST /elsewhere".to_owned());
        self.then(Event::FacilitatorAskedElsewhere { facilitator, path })
    }
}
