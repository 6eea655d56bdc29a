//! A payment's record. No record is the state "vacant": nothing moved, and nobody holds the payment.

use super::{
    SharedClaim,
    identifier::Owner,
    machine::{CALL_LIMIT_MS, SETTLED_KEPT_MS},
};
use crate::{
    Reason, UnixMillis,
    facilitator::verdict::Settlement,
    response::ResponseHead,
    telemetry::{PaymentEvent, Stage},
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub claim: SharedClaim,
    /// The request that claimed the payment last.
    pub holder: String,
    pub state: State,
    /// Head of the response that is paid for, from when the tenant gave it. The body is stored beside the record.
    pub head: Option<ResponseHead>,
    /// An earlier attempt to settle it, which came to nothing by the word of whoever was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsent: Option<Unsent>,
}

/// An attempt to settle that ended before anybody looked at the payment: our credentials were refused. What refuses them may
/// stand behind what moves the money, so it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// Whoever was asked first.
    pub facilitator: String,
    /// A time at which it had not been asked yet.
    pub since: UnixMillis,
    /// Something has been heard since that fits a transfer, so it is to be asked once more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_doubted: bool,
}

/// In the order of a payment's life. The announced effect follows the write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// `/verify` is being asked.
    Claimed,
    /// `facilitator` has verified it, and its identifier is being bound: a name is taken for what holds.
    Naming { facilitator: String },
    /// The tenant runs for the holder, who must come back before `until`.
    Verified { until: UnixMillis, facilitator: String },
    /// The response is stored, or under `upfront` not made yet, and `/settle` is being asked at `facilitator`. `lost` once an earlier answer was: then only it may be asked.
    Settling { facilitator: String, tried: Vec<String>, lost: Option<Lost> },
    /// Money may have moved at `facilitator`.
    Unknown { facilitator: String, tried: Vec<String>, lost: Lost },
    /// Money moved.
    Settled { settlement: Settlement, delivery: Delivery, keep_until: UnixMillis },
    /// Known: money moved, but for another purchase than this one: another seller, or another deployment, took it.
    SpentElsewhere { transaction: String, keep_until: UnixMillis },
    /// Known: no money moved. The payment may be claimed again.
    Refused { reason: Reason, keep_until: UnixMillis },
    /// Nobody looked at the payment, by their own word ([`Unsent`]). It may be claimed again.
    Returned { keep_until: UnixMillis },
}

/// The facts of a settlement whose answer was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// How often the facilitator was asked without a final answer.
    pub asked: u32,
    pub asked_at: UnixMillis,
    /// A time at which it had not been asked yet: no transfer of this purchase is older. Zero: it was stored before that was.
    #[serde(default, skip_serializing_if = "UnixMillis::is_zero")]
    pub first_asked_at: UnixMillis,
    pub ask_again_at: UnixMillis,
    /// A transaction that the facilitator named without calling it final.
    pub transaction: Option<String>,
}

impl Lost {
    /// Whether the clock has been set back since.
    #[must_use]
    pub fn is_of_the_future(&self, now: UnixMillis) -> bool {
        self.asked_at > now
    }
}

/// The place of a settled payment's response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Paid for upfront, and the tenant has not given it yet.
    Owed,
    /// Paid for upfront, and the tenant runs for the request `holder`; after `until` it may run for another.
    Running { holder: String, until: UnixMillis },
    /// Waits to be collected.
    Kept,
    /// On its way to the caller of the request `holder`. It can be collected all the while. `until` is written for former
    /// versions, which a roll-back brings back: they let nobody collect it before.
    Leaving { holder: String, until: UnixMillis },
    /// Handed over. Handed to the next hop is not delivered: until then whoever it belongs to can have it again.
    Delivered { again_until: UnixMillis },
    /// Handed over, and no longer kept.
    HandedOver,
}

impl State {
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Claimed | Self::Naming { .. } => Stage::Claimed,
            Self::Verified { .. } => Stage::Verified,
            Self::Settling { .. } => Stage::Settling,
            Self::Unknown { .. } => Stage::Unknown,
            Self::Settled { .. } if self.is_handed_over() => Stage::HandedOver,
            Self::Settled { .. } => Stage::Settled,
            Self::SpentElsewhere { .. } => Stage::SpentElsewhere,
            Self::Refused { .. } => Stage::Refused,
            Self::Returned { .. } => Stage::Released,
        }
    }

    /// The name in the platform API and the documentation. `Settled` stays one state, wherever the response is.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Claimed | Self::Naming { .. } => "claimed",
            Self::Verified { .. } => "verified",
            Self::Settling { .. } => "settling",
            Self::Unknown { .. } => "unknown",
            Self::Settled { .. } => "settled",
            Self::SpentElsewhere { .. } => "spent_elsewhere",
            Self::Refused { .. } => "refused",
            Self::Returned { .. } => "returned",
        }
    }

    #[must_use]
    pub fn is_handed_over(&self) -> bool {
        matches!(self, Self::Settled { delivery: Delivery::HandedOver | Delivery::Delivered { .. }, .. })
    }

    #[must_use]
    pub fn transaction(&self) -> Option<&str> {
        match self {
            Self::Settled { settlement, .. } => Some(&settlement.transaction),
            Self::SpentElsewhere { transaction, .. } => Some(transaction),
            Self::Unknown { lost, .. } | Self::Settling { lost: Some(lost), .. } => lost.transaction.as_deref(),
            _ => None,
        }
    }

    /// A time before which its settlement was not asked about, while that is open.
    #[must_use]
    pub fn first_asked_at(&self) -> Option<UnixMillis> {
        match self {
            Self::Unknown { lost, .. } | Self::Settling { lost: Some(lost), .. } => {
                Some(lost.first_asked_at).filter(|at| at.0 > 0)
            }
            _ => None,
        }
    }

    /// When the outcome of its settlement was first found to be unknown, as far as that can be told. A record has the time before
    /// which nobody was asked: a whole call earlier, so that no transfer is overlooked.
    #[must_use]
    pub fn open_since(&self) -> Option<UnixMillis> {
        let (Self::Unknown { lost, .. } | Self::Settling { lost: Some(lost), .. }) = self else { return None };
        let found = UnixMillis(lost.first_asked_at.0.saturating_add(CALL_LIMIT_MS));
        self.first_asked_at().map(|_| found.min(lost.asked_at))
    }

    /// Whether reaching `after` from here is worth an event: another stage, or another facilitator. A response that is
    /// collected once more tells nothing new: its payment was settled and its response handed over before.
    #[must_use]
    pub fn is_news_after(&self, after: &Self) -> bool {
        if matches!((self, after), (Self::Settled { .. }, Self::Settled { .. })) && !after.is_handed_over() {
            return false;
        }
        self.stage() != after.stage() || self.facilitator() != after.facilitator()
    }

    #[must_use]
    pub fn facilitator(&self) -> Option<&str> {
        match self {
            Self::Verified { facilitator, .. }
            | Self::Settling { facilitator, .. }
            | Self::Unknown { facilitator, .. } => Some(facilitator),
            Self::Settled { settlement, .. } => Some(&settlement.facilitator),
            Self::Claimed
            | Self::Naming { .. }
            | Self::SpentElsewhere { .. }
            | Self::Refused { .. }
            | Self::Returned { .. } => None,
        }
    }
}

impl Record {
    /// The claim on the identifier, where the payment carries one.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner {
            payment: self.claim.payment.clone(),
            holder: self.holder.clone(),
            since: UnixMillis::default(),
            instead_of: None,
        }
    }

    /// The request for which the tenant runs.
    #[must_use]
    pub fn runs_for(&self) -> Option<&str> {
        match &self.state {
            State::Verified { .. } => Some(&self.holder),
            State::Settled { delivery: Delivery::Running { holder, .. }, .. } => Some(holder),
            _ => None,
        }
    }

    /// The time at which money is known to have moved, with a response or the promise of one.
    #[must_use]
    pub fn settled_at(&self) -> Option<UnixMillis> {
        match &self.state {
            State::Settled { keep_until, .. } => Some(UnixMillis(keep_until.0.saturating_sub(SETTLED_KEPT_MS))),
            _ => None,
        }
    }

    /// The telemetry event for having reached this record's state.
    #[must_use]
    pub fn event<'a>(&'a self, request_id: Option<&'a str>) -> PaymentEvent<'a> {
        let stage = self.state.stage();
        let is_settled = stage == Stage::Settled;
        PaymentEvent {
            request_id: request_id.map(Cow::Borrowed),
            tenant_id: self.claim.tenant_id.as_str().into(),
            payment: self.claim.payment.as_str().into(),
            stage,
            facilitator: self.state.facilitator().map(Cow::Borrowed),
            reason: match &self.state {
                State::Refused { reason, .. } => Some(Cow::Borrowed(reason)),
                _ => None,
            },
            transaction: self.state.transaction().map(Cow::Borrowed),
            amount: is_settled.then(|| self.claim.amount.to_string()),
            pay_to: if is_settled { self.claim.pay_to() } else { None },
            settled_at_ms: self.settled_at().filter(|_| is_settled),
        }
    }
}
