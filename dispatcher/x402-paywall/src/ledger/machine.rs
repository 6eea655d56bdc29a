//! The ledger's state machine: `step(record, event, now) -> (record, what next)`. Pure, so that a property test can drive
//! every order of events, crashes included.
//!
//! The order of the arms is the order of the rules. Whatever is not listed leaves the record alone: an event that comes
//! late (from a request that lost its lease, from an alarm that was overtaken) must change nothing.

use super::{Claim, Collection, Delivery, Record, Reply, State, identifier::ScopedIdentifier, record::Lost};
use crate::{
    Reason, UnixMillis,
    facilitator::{ask::Verified, verdict::SettleVerdict, verdict::Settlement},
    response::ResponseHead,
    seeded::{self, Bug},
};
use serde_json::value::{RawValue, Value};
use x402_protocol::{PaymentFlow, json};

/// How long a request may hold a verified payment while the tenant runs. Longer than the dispatcher lets a tenant run.
pub const TENANT_LEASE_MS: u64 = 60_000;
/// How long the response may be on its way before it can be collected again.
pub const DELIVERY_LEASE_MS: u64 = 10_000;
/// How long a settled payment is remembered: its response waits so long to be collected, and a replay is answered with
/// the transaction. An authorization that outlives this would be refused by the chain, because its nonce is used.
pub const SETTLED_KEPT_MS: u64 = 7 * 24 * 3_600_000;
/// How long a refusal is remembered, for whoever asks what became of a payment.
pub const REFUSED_KEPT_MS: u64 = 3_600_000;
/// A facilitator call never takes longer than its largest time-out (90 s): after this a silent one counts as lost.
pub const CALL_LIMIT_MS: u64 = 100_000;
/// First pause before an unknown settlement is asked about again; doubles up to [`ASK_AGAIN_MAX_MS`].
pub const ASK_AGAIN_MIN_MS: u64 = 2_000;
pub const ASK_AGAIN_MAX_MS: u64 = 3_600_000;
/// A caller who resends faster than this does not make the facilitator be asked each time.
pub const ASK_INTERVAL_MS: u64 = 500;

#[derive(Clone, Debug)]
pub enum Event {
    /// `holder` presents the payment.
    Claimed {
        claim: Box<Claim>,
        holder: String,
    },
    /// `holder` presents the payment for what it bought, and for nothing new.
    CameToCollect {
        collection: Collection,
        holder: String,
    },
    /// The payment has its identifier now.
    Bound,
    /// Another payment has the identifier.
    Taken {
        transaction: Option<String>,
    },
    /// The identifier was given back.
    Unbound(Then),
    VerifyAnswered {
        verified: Verified,
    },
    /// The tenant answered for `holder`.
    Executed {
        holder: String,
        head: ResponseHead,
    },
    /// `holder` is the request that waits for the answer, if one does.
    SettleAnswered {
        verdict: SettleVerdict,
        holder: Option<String>,
    },
    /// The chain says that the payment never moved and never can, although its settlement was asked for.
    NeverSettled(Reason),
    /// The tenant failed: nobody pays.
    Released {
        holder: String,
    },
    HandedOver {
        holder: String,
        delivered: bool,
    },
    /// The alarm.
    Woke,
}

/// What the machine may know beside the record.
#[derive(Clone, Copy, Debug)]
pub struct Now<'a> {
    pub time: UnixMillis,
    /// Whether this process has a call for this payment under way: to a facilitator, or about the identifier. False after a
    /// crash.
    pub busy: bool,
    /// Ids of those that may be asked to settle for the first time, best first.
    pub settle_order: &'a [String],
    /// From when on the one that owes an answer may be asked again.
    pub ask_again_at: UnixMillis,
    /// The last request that asked for this very payment and still waits. A payer does not ask twice while it listens, so
    /// whoever asked first has most likely given up; a proxy in between can hide that from us.
    pub heir: Option<&'a str>,
    /// The request for which the tenant ran when this process first read the record. It most likely died with the process
    /// that wrote it.
    pub inherited: Option<&'a str>,
}

#[derive(Clone, Debug)]
pub struct Step {
    /// To be stored before `next` is done. `None`: forget the payment.
    pub record: Option<Record>,
    pub next: Next,
    pub wake: Wake,
}

/// What becomes of the alarm. Waking too early does no harm, because whoever wakes looks at the record; so an alarm that
/// rings early enough is left as it is, and a settled payment needs no alarm of its own on the caller's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    AsItIs,
    /// Then, or earlier.
    By(UnixMillis),
    /// Then, in place of any other time.
    At(UnixMillis),
}

#[derive(Clone, Debug)]
pub enum Next {
    /// Bind the payment's identifier to it.
    Bind(ScopedIdentifier),
    /// Give the identifier back, and then go on.
    Unbind {
        identifier: ScopedIdentifier,
        then: Then,
    },
    AskVerify,
    /// `asked` is how often its answer was lost already.
    AskSettle {
        facilitator: String,
        asked: u32,
    },
    /// Another request is at it: look again shortly.
    Wait,
    Reply(Reply),
}

/// What follows once the identifier was given back. Before a record is forgotten, never after: with the record gone nothing
/// would know that there is an identifier to give back.
#[derive(Clone, Debug)]
pub enum Then {
    Forget(Reply),
    Keep(Reply),
    Claim { claim: Box<Claim>, holder: String },
}

#[must_use]
pub fn step(record: Option<Record>, event: Event, now: &Now<'_>) -> Step {
    match (record, event) {
        (None, Event::Claimed { claim, holder }) => fresh(None, *claim, holder, now),
        (Some(record), Event::Claimed { claim, holder }) => {
            let collection = claim.to_collect();
            come_again(record, &collection, Some(*claim), holder, now)
        }
        (Some(record), Event::CameToCollect { collection, holder }) => {
            come_again(record, &collection, None, holder, now)
        }
        (None, Event::CameToCollect { .. }) => stay(None, Next::Reply(Reply::NothingBought)),
        (Some(record), event) => go_on(record, event, now),
        (None, Event::Executed { .. }) => stay(None, Next::Reply(Reply::InProgress)),
        (None, _) => stay(None, Next::Reply(Reply::Noted)),
    }
}

/// What a request is told that waited in vain for another.
#[must_use]
pub fn after_waiting(record: Option<&Record>) -> Reply {
    match record.map(|record| &record.state) {
        Some(state @ (State::Settling { .. } | State::Unknown { .. })) => {
            Reply::Pending { transaction: state.transaction().map(str::to_owned) }
        }
        _ => Reply::InProgress,
    }
}

/// A payment that nobody holds and that moved nothing.
fn fresh(before: Option<Record>, claim: Claim, holder: String, now: &Now<'_>) -> Step {
    if let Some(reason) = claim.window.shut(now.time) {
        return stay(before, Next::Reply(Reply::Invalid(reason)));
    }
    if let Some(identifier) = before.as_ref().and_then(|before| before.claim.scoped_identifier()) {
        // It is bound for another holder, and may be another identifier than this claim's. That holder, should it live
        // after all, holds nothing from here on.
        let then = Then::Claim { claim: Box::new(claim), holder };
        let before = before.map(|before| Record { state: State::Claimed, ..before });
        return stay(before, Next::Unbind { identifier, then });
    }
    let identifier = claim.scoped_identifier();
    let record = Record { claim, holder, state: State::Claimed, head: None };
    match identifier {
        // The record and its alarm are there first, so that whoever comes after a crash knows what may be bound.
        Some(identifier) => wait_for(record, Next::Bind(identifier), now),
        None => begin(record, now),
    }
}

/// The payment is claimed, and has its identifier: ask about it for the first time.
fn begin(record: Record, now: &Now<'_>) -> Step {
    match record.claim.flow {
        PaymentFlow::Upfront if seeded::has(Bug::UpfrontRunsFirst) => wait_for(record, Next::AskVerify, now),
        PaymentFlow::Authorization => wait_for(record, Next::AskVerify, now),
        PaymentFlow::Upfront => begin_settle(record, now),
    }
}

/// In one write with the response, where there is one: nothing lies between having it and asking for the money.
fn begin_settle(record: Record, now: &Now<'_>) -> Step {
    let first = record.claim.facilitators.first().filter(|_| seeded::has(Bug::SettleIgnoresHealth));
    match first.or(now.settle_order.first()).cloned() {
        Some(facilitator) => ask(record, facilitator, Vec::new(), None, now),
        // Nobody is there, or all were quarantined while the tenant ran. Nothing was asked to move money: the payment
        // goes back.
        None => forget(record, Reply::Nobody, now),
    }
}

/// `claim` is what could begin with it.
fn come_again(record: Record, came: &Collection, claim: Option<Claim>, holder: String, now: &Now<'_>) -> Step {
    let same = record.claim.is_same(came);
    let held = match &record.state {
        State::Settled { .. } if seeded::has(Bug::SettledForgotten) => false,
        State::Claimed => now.busy,
        // The same payment for the same request takes over from an orphan at once, rather than wait for its lease to run
        // out. Should that request live after all, it finds that it holds nothing any more.
        State::Verified { .. }
            if same
                && claim.is_some()
                && now.inherited == Some(&record.holder)
                && !seeded::has(Bug::OrphanWaitsOutItsLease) =>
        {
            now.busy
        }
        State::Verified { until, .. } => now.busy || now.time < *until,
        State::Refused { .. } => now.busy,
        _ => true,
    };
    if !held {
        return match claim {
            Some(claim) => fresh(Some(record), claim, holder, now),
            None => stay(Some(record), Next::Reply(Reply::NothingBought)),
        };
    }
    if !same {
        let transaction = record.state.transaction().map(str::to_owned);
        return stay(Some(record), Next::Reply(Reply::AlreadyUsed { transaction }));
    }
    match record.state.clone() {
        State::Claimed | State::Verified { .. } | State::Refused { .. } => stay(Some(record), Next::Wait),
        State::Settling { .. } | State::Unknown { .. } if now.busy => stay(Some(record), Next::Wait),
        // Only a crash leaves it without a call under way.
        State::Settling { .. } if now.time < now.ask_again_at => {
            let reply = after_waiting(Some(&record));
            stay(Some(record), Next::Reply(reply))
        }
        State::Settling { facilitator, tried, lost } => ask_again(record, facilitator, tried, lost, now),
        State::Unknown { facilitator, tried, lost } => {
            if now.time.since(lost.asked_at) < ASK_INTERVAL_MS || now.time < now.ask_again_at {
                let reply = Reply::Pending { transaction: lost.transaction };
                return stay(Some(record), Next::Reply(reply));
            }
            ask_again(record, facilitator, tried, Some(lost), now)
        }
        State::Settled { settlement, delivery, keep_until } => {
            let transaction = Some(settlement.transaction.clone());
            match delivery {
                Delivery::Leaving { holder: to, .. } if to == holder => {
                    stay(Some(record), Next::Reply(Reply::Settled(settlement)))
                }
                Delivery::Leaving { until, .. } if now.time < until => stay(Some(record), Next::Wait),
                Delivery::Running { holder, until } if now.time < until && now.inherited != Some(&holder) => {
                    stay(Some(record), Next::Wait)
                }
                Delivery::Owed | Delivery::Running { .. } => run_paid(record, settlement, keep_until, holder, now),
                Delivery::HandedOver | Delivery::Kept if seeded::has(Bug::ResendRunsTenant) => {
                    run_paid(record, settlement, keep_until, holder, now)
                }
                Delivery::Kept if seeded::has(Bug::KeptNotCollectable) => {
                    stay(Some(record), Next::Reply(Reply::AlreadyUsed { transaction }))
                }
                Delivery::HandedOver if record.claim.identifier.is_none() && !seeded::has(Bug::ServedTwice) => {
                    stay(Some(record), Next::Reply(Reply::AlreadyUsed { transaction }))
                }
                Delivery::HandedOver => stay(Some(record), Next::Reply(Reply::Settled(settlement))),
                Delivery::Kept | Delivery::Leaving { .. } => {
                    let delivery = leaving(holder, now);
                    let state = State::Settled { settlement: settlement.clone(), delivery, keep_until };
                    move_to(record, state, Next::Reply(Reply::Settled(settlement)), Wake::AsItIs)
                }
            }
        }
    }
}

fn go_on(record: Record, event: Event, now: &Now<'_>) -> Step {
    match (record.state.clone(), event) {
        (State::Claimed, Event::Bound) => begin(record, now),
        (State::Claimed, Event::Taken { .. }) if seeded::has(Bug::IdentifierConflictIgnored) => begin(record, now),
        // Nothing of ours to give back.
        (State::Claimed, Event::Taken { transaction }) => gone(Reply::IdentifierTaken { transaction }),
        (_, Event::Unbound(Then::Forget(reply))) => gone(reply),
        (_, Event::Unbound(Then::Keep(reply))) => stay(Some(record), Next::Reply(reply)),
        (_, Event::Unbound(Then::Claim { claim, holder })) => fresh(None, *claim, holder, now),
        (State::Claimed, Event::VerifyAnswered { verified }) => match verified {
            Verified::Valid(facilitator) => {
                let until = now.time.plus(if seeded::has(Bug::LeaseTooShort) { 1_000 } else { TENANT_LEASE_MS });
                move_to(record, State::Verified { until, facilitator }, Next::Reply(Reply::Run), Wake::By(until))
            }
            Verified::Invalid(reason) => forget(record, Reply::Invalid(reason), now),
            Verified::Nobody => forget(record, Reply::Nobody, now),
        },
        (State::Verified { .. }, Event::Released { holder })
            if record.holder == holder && !now.busy && !seeded::has(Bug::FailedRunKeepsPayment) =>
        {
            forget(record, Reply::Noted, now)
        }
        (State::Verified { until, .. }, Event::Executed { holder, head })
            if record.holder == holder && now.time < until && !now.busy =>
        {
            if let Some(reason) = record.claim.window.expired(now.time).filter(|_| !seeded::has(Bug::ExpiryNotLookedAt))
            {
                return refused(record, reason, now);
            }
            begin_settle(Record { head: Some(head), ..record }, now)
        }
        (
            State::Settled { settlement, delivery: Delivery::Running { holder, .. }, keep_until },
            Event::Executed { holder: by, head },
        ) if holder == by => deliver(Record { head: Some(head), ..record }, settlement, keep_until, Some(by), now),
        (
            State::Settled { settlement, delivery: Delivery::Running { holder, .. }, keep_until },
            Event::Released { holder: by },
        ) if holder == by => {
            let delivery =
                if seeded::has(Bug::UpfrontFailureForgotten) { Delivery::HandedOver } else { Delivery::Owed };
            let state = State::Settled { settlement, delivery, keep_until };
            move_to(record, state, Next::Reply(Reply::Noted), Wake::AsItIs)
        }
        // A lease that ran out: someone else may hold the payment. Never a failure, never a new bill.
        (_, Event::Executed { .. }) => {
            let reply = after_waiting(Some(&record));
            stay(Some(record), Next::Reply(reply))
        }
        (State::Settling { facilitator, tried, lost }, Event::SettleAnswered { verdict, holder }) => match verdict {
            SettleVerdict::Settled(settlement) => settled(record, settlement, holder, now),
            SettleVerdict::Unknown { .. } if seeded::has(Bug::SettleFailoverOnTimeOut) => {
                let refusal = SettleVerdict::Refused(Reason::ours("no_answer"));
                let record = Record { state: State::Settling { facilitator, tried, lost: None }, ..record };
                go_on(record, Event::SettleAnswered { verdict: refusal, holder }, now)
            }
            SettleVerdict::Refused(reason)
                if lost.is_some()
                    && !reason.proves_never_settled()
                    && !seeded::has(Bug::RefusalAfterUnknownBelieved) =>
            {
                unknown(record, facilitator, tried, lost, None, now)
            }
            SettleVerdict::Refused(reason) => {
                let mut tried = tried;
                tried.push(facilitator);
                match now.settle_order.iter().find(|id| !tried.contains(id)) {
                    Some(next) if record.claim.window.expired(now.time).is_none() => {
                        ask(record, next.clone(), tried, None, now)
                    }
                    _ => refused(record, reason, now),
                }
            }
            SettleVerdict::Unknown { transaction, .. } => unknown(record, facilitator, tried, lost, transaction, now),
        },
        (State::Settling { .. }, Event::NeverSettled(reason)) => refused(record, reason, now),
        (
            State::Settled { settlement, delivery: Delivery::Leaving { holder, .. }, keep_until },
            Event::HandedOver { holder: by, delivered },
        ) if holder == by => {
            let delivery = if delivered { Delivery::HandedOver } else { Delivery::Kept };
            let state = State::Settled { settlement, delivery, keep_until };
            // Off the caller's path: the time to move the alarm to where the record ends.
            move_to(record, state, Next::Reply(Reply::Noted), Wake::At(keep_until))
        }
        (state, Event::Woke) => woke(record, state, now),
        _ => stay(Some(record), Next::Reply(Reply::Noted)),
    }
}

fn woke(record: Record, state: State, now: &Now<'_>) -> Step {
    let later = |record, at| Step { record: Some(record), next: Next::Reply(Reply::Noted), wake: Wake::At(at) };
    match state {
        _ if now.busy => later(record, now.time.plus(ASK_AGAIN_MIN_MS)),
        State::Verified { until, .. } if now.time < until => later(record, until),
        // Nothing was asked to move money, and whoever held the payment is gone.
        State::Refused { keep_until, .. } if now.time < keep_until => later(record, keep_until),
        State::Claimed | State::Verified { .. } | State::Refused { .. } => forget(record, Reply::Noted, now),
        // Quarantined: another payment's question is this back-off's probe. Not asked, so not counted as asked.
        State::Settling { .. } | State::Unknown { .. } if now.time < now.ask_again_at => {
            later(record, now.ask_again_at)
        }
        State::Settling { facilitator, tried, lost } => ask_again(record, facilitator, tried, lost, now),
        State::Unknown { lost, .. } if now.time < lost.ask_again_at => later(record, lost.ask_again_at),
        State::Unknown { facilitator, tried, lost } => ask_again(record, facilitator, tried, Some(lost), now),
        State::Settled { keep_until, .. } if now.time < keep_until => later(record, keep_until),
        State::Settled { .. } => forget(record, Reply::Noted, now),
    }
}

/// Asks the same facilitator once more, with the outcome of an earlier call lost.
fn ask_again(
    mut record: Record,
    mut facilitator: String,
    tried: Vec<String>,
    lost: Option<Lost>,
    now: &Now<'_>,
) -> Step {
    if seeded::has(Bug::SettleRetriedElsewhere)
        && let Some(other) = now.settle_order.iter().find(|id| **id != facilitator)
    {
        facilitator.clone_from(other);
    }
    if seeded::has(Bug::SettleRetriedWithOtherBytes) {
        record.claim.request = reworded(&record.claim.request);
    }
    let lost = lost.unwrap_or(Lost { asked: 1, asked_at: now.time, ask_again_at: now.time, transaction: None });
    ask(record, facilitator, tried, Some(lost), now)
}

/// The same JSON in other bytes, as a seeded bug sends it.
fn reworded(request: &RawValue) -> Box<RawValue> {
    let value: Value = json::read(request.get()).expect("it is JSON");
    let text = serde_json::to_string_pretty(&value).expect("JSON can be written");
    RawValue::from_string(text).expect("it is JSON still")
}

fn ask(record: Record, facilitator: String, tried: Vec<String>, lost: Option<Lost>, now: &Now<'_>) -> Step {
    let asked = lost.as_ref().map_or(0, |lost| lost.asked);
    let next = Next::AskSettle { facilitator: facilitator.clone(), asked };
    let wake = Wake::By(now.time.plus(CALL_LIMIT_MS));
    move_to(record, State::Settling { facilitator, tried, lost }, next, wake)
}

fn unknown(
    record: Record,
    facilitator: String,
    tried: Vec<String>,
    lost: Option<Lost>,
    transaction: Option<String>,
    now: &Now<'_>,
) -> Step {
    let (asked, known) = lost.map_or((0, None), |lost| (lost.asked, lost.transaction));
    let pause = ASK_AGAIN_MIN_MS.saturating_mul(1 << asked.min(20)).min(ASK_AGAIN_MAX_MS);
    let pause = if seeded::has(Bug::PauseNeverGrows) { ASK_AGAIN_MIN_MS } else { pause };
    let pause = if seeded::has(Bug::UnknownAskedInAStorm) { 100 } else { pause };
    let pause = if seeded::has(Bug::UnknownAskedAboutTooLate) { ASK_AGAIN_MAX_MS } else { pause };
    if asked >= 3 && seeded::has(Bug::UnknownGivenUp) {
        return refused(record, Reason::ours("settlement_failed"), now);
    }
    let ask_again_at = now.time.plus(pause);
    let transaction = transaction.or(known).filter(|_| !seeded::has(Bug::PendingTransactionLost));
    let lost = Lost { asked: asked + 1, asked_at: now.time, ask_again_at, transaction: transaction.clone() };
    let reply = Next::Reply(Reply::Pending { transaction });
    move_to(record, State::Unknown { facilitator, tried, lost }, reply, Wake::By(ask_again_at))
}

fn settled(record: Record, settlement: Settlement, holder: Option<String>, now: &Now<'_>) -> Step {
    let keep_until = now.time.plus(if seeded::has(Bug::SettledKeptTooShort) { 2_000 } else { SETTLED_KEPT_MS });
    if record.head.is_some() {
        return deliver(record, settlement, keep_until, holder, now);
    }
    match holder {
        Some(holder) => run_paid(record, settlement, keep_until, holder, now),
        None => {
            let reply = Next::Reply(Reply::Noted);
            let state = State::Settled { settlement, delivery: Delivery::Owed, keep_until };
            move_to(record, state, reply, Wake::By(keep_until))
        }
    }
}

/// The money moved and the response is still owed: `holder` is to get it from the tenant.
fn run_paid(record: Record, settlement: Settlement, keep_until: UnixMillis, holder: String, now: &Now<'_>) -> Step {
    let reply = Next::Reply(Reply::RunPaid(settlement.clone()));
    let delivery = Delivery::Running { holder, until: now.time.plus(TENANT_LEASE_MS) };
    move_to(record, State::Settled { settlement, delivery, keep_until }, reply, Wake::By(keep_until))
}

/// The money moved and the response is there. `holder` is the request that waits for it, if one does.
fn deliver(
    record: Record,
    settlement: Settlement,
    keep_until: UnixMillis,
    holder: Option<String>,
    now: &Now<'_>,
) -> Step {
    let to = now.heir.map(str::to_owned).or_else(|| holder.clone());
    // An identifier's response can be had again by whoever sends the same payment.
    let reply = if to == holder || record.claim.identifier.is_some() {
        Reply::Settled(settlement.clone())
    } else {
        Reply::AlreadyUsed { transaction: Some(settlement.transaction.clone()) }
    };
    let delivery = to.map_or(Delivery::Kept, |to| leaving(to, now));
    let reply = Next::Reply(reply);
    move_to(record, State::Settled { settlement, delivery, keep_until }, reply, Wake::By(keep_until))
}

fn refused(record: Record, reason: Reason, now: &Now<'_>) -> Step {
    let reply = Reply::Refused(reason.clone());
    // The caller will sign another payment for the same purchase. The record stays, so a failure to give the identifier
    // back is made up for when it is forgotten.
    let next = match record.claim.scoped_identifier().filter(|_| !seeded::has(Bug::IdentifierNeverGivenBack)) {
        Some(identifier) => Next::Unbind { identifier, then: Then::Keep(reply) },
        None => Next::Reply(reply),
    };
    let keep_until = now.time.plus(REFUSED_KEPT_MS);
    move_to(record, State::Refused { reason, keep_until }, next, Wake::By(keep_until))
}

fn leaving(holder: String, now: &Now<'_>) -> Delivery {
    Delivery::Leaving {
        holder,
        until: now.time.plus(if seeded::has(Bug::DeliveryLeaseForEver) { SETTLED_KEPT_MS } else { DELIVERY_LEASE_MS }),
    }
}

fn move_to(record: Record, state: State, next: Next, wake: Wake) -> Step {
    Step { record: Some(Record { state, ..record }), next, wake }
}

/// Awake at the latest when the call of `next` can no longer be under way.
fn wait_for(record: Record, next: Next, now: &Now<'_>) -> Step {
    Step { record: Some(record), next, wake: Wake::By(now.time.plus(CALL_LIMIT_MS)) }
}

fn stay(record: Option<Record>, next: Next) -> Step {
    Step { record, next, wake: Wake::AsItIs }
}

fn forget(record: Record, reply: Reply, now: &Now<'_>) -> Step {
    let Some(identifier) = record.claim.scoped_identifier().filter(|_| !seeded::has(Bug::IdentifierNeverGivenBack))
    else {
        return gone(reply);
    };
    wait_for(record, Next::Unbind { identifier, then: Then::Forget(reply) }, now)
}

fn gone(reply: Reply) -> Step {
    stay(None, Next::Reply(reply))
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
