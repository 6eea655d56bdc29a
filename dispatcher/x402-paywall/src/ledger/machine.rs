//! The ledger's state machine: `step(record, event, now) -> (record, what next)`. Pure, so that a property test can drive
//! every order of events, crashes included.
//!
//! The order of the arms is the order of the rules. Whatever is not listed leaves the record alone: an event that comes
//! late (from a request that lost its lease, from an alarm that was overtaken) must change nothing.

use super::{
    Claim, Collection, Delivery, Record, Reply, SharedClaim, State,
    identifier::ScopedIdentifier,
    record::{Lost, Unsent},
};
use crate::{
    Reason, UnixMillis,
    asker::Verified,
    facilitator::verdict::{SettleVerdict, Settlement},
    response::ResponseHead,
};
use x402_protocol::PaymentFlow;

/// How long a request may hold a verified payment while the tenant runs. Longer than the dispatcher lets a tenant run.
pub const TENANT_LEASE_MS: u64 = 60_000;
/// How long former versions keep a response on its way before it can be collected again: see [`Delivery::Leaving`].
const DELIVERY_LEASE_MS: u64 = 10_000;
/// How long a settled payment is remembered: its response waits so long to be collected, and a replay is answered with
/// the transaction. An authorization that outlives this would be refused by the chain, because its nonce is used.
pub const SETTLED_KEPT_MS: u64 = 7 * 24 * 3_600_000;
/// How long a response can be collected again after it was handed over, where no identifier tells whose it is.
pub const AGAIN_MS: u64 = 600_000;
/// How long a refusal is remembered, for whoever asks what became of a payment.
pub const REFUSED_KEPT_MS: u64 = 3_600_000;
/// A facilitator call never takes longer than its largest time-out (90 s): after this a silent one counts as lost.
pub const CALL_LIMIT_MS: u64 = 100_000;
/// The pause until an alarm rings again that could not do its work. Whoever keeps alarms sets the next ring by it before the
/// work begins: the platform gives up an alarm that has failed seven times.
pub const RING_AGAIN_MS: u64 = 120_000;
/// First pause before an unknown settlement is asked about again; doubles up to [`ASK_AGAIN_MAX_MS`].
pub const ASK_AGAIN_MIN_MS: u64 = 2_000;
pub const ASK_AGAIN_MAX_MS: u64 = 3_600_000;
/// The same while the payment's window is open, and until the chain has a final block behind it: in that time an answer is
/// likely, and somebody may still wait. An eighth of the time for which it has been open, if that is longer.
pub const ASK_AGAIN_SOON_MS: u64 = 120_000;
/// A final block is some 20 minutes old on Base; after this it lies behind the window.
const FINAL_AFTER_MS: u64 = 3_600_000;
/// A caller who resends faster than this does not make the facilitator be asked each time.
pub const ASK_INTERVAL_MS: u64 = 500;

#[derive(Clone, Debug)]
pub enum Event {
    /// `holder` presents the payment.
    Claimed {
        claim: SharedClaim,
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
    /// The chain says that the payment had moved before its settlement was asked for: for another purchase.
    SpentElsewhere {
        transaction: String,
    },
    /// The tenant failed, or the ledger's answer was lost: `holder` gives back what it holds.
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

/// The facts that the machine may know beside the record.
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

/// The next state of the alarm. Waking too early does no harm, because whoever wakes looks at the record; so an alarm
/// that rings early enough is left as it is, and a settled payment needs no alarm of its own on the caller's path.
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

/// The steps once the identifier was given back. Before a record is forgotten, never after: with the record gone
/// nothing would know that there is an identifier to give back.
#[derive(Clone, Debug)]
pub enum Then {
    Forget(Reply),
    Keep(Reply),
    Claim { claim: SharedClaim, holder: String },
}

#[must_use]
pub fn step(record: Option<Record>, event: Event, now: &Now<'_>) -> Step {
    match (record, event) {
        (None, Event::Claimed { claim, holder }) => fresh(None, claim, holder, now),
        (Some(record), Event::Claimed { claim, holder }) => {
            let collection = claim.to_collect();
            come_again(record, &collection, Some(claim), holder, now)
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

/// The reply to a request that waited in vain for another.
#[must_use]
pub fn after_waiting(record: Option<&Record>) -> Reply {
    match record.map(|record| &record.state) {
        Some(state @ (State::Settling { .. } | State::Unknown { .. })) => {
            Reply::Pending { transaction: state.transaction().map(str::to_owned), retry_after_ms: ASK_AGAIN_MIN_MS }
        }
        _ => Reply::InProgress,
    }
}

/// A payment that nobody holds and that moved nothing.
fn fresh(before: Option<Record>, claim: SharedClaim, holder: String, now: &Now<'_>) -> Step {
    let unsent = before.as_ref().and_then(|before| before.unsent.clone());
    if let Some(reason) = claim.window.shut(now.time) {
        return match unsent {
            // Nothing can move any more, and something may have.
            Some(unsent) => {
                doubt(Record { claim, holder, state: State::Claimed, head: None, unsent: Some(unsent) }, now)
            }
            None => stay(before, Next::Reply(Reply::Invalid(reason))),
        };
    }
    if let Some(identifier) = before.as_ref().and_then(|before| before.claim.scoped_identifier()) {
        // It is bound for another holder, and may be another identifier than this claim's. That holder, should it live
        // after all, holds nothing from here on.
        let then = Then::Claim { claim, holder };
        let before = before.map(|before| Record { state: State::Claimed, ..before });
        return stay(before, Next::Unbind { identifier, then });
    }
    begin_again(claim, holder, unsent, now)
}

/// Nobody has looked at the claim yet.
fn begin_again(claim: SharedClaim, holder: String, unsent: Option<Unsent>, now: &Now<'_>) -> Step {
    let unsent = unsent.map(|unsent| Unsent { is_doubted: false, ..unsent });
    let record = Record { claim, holder, state: State::Claimed, head: None, unsent };
    // Whoever is to be settled is verified first, under `upfront` too: what nobody has looked at is a stranger's word.
    wait_for(record, Next::AskVerify, now)
}

/// The payment is verified by `facilitator`, and has its identifier.
fn begin(record: Record, facilitator: String, now: &Now<'_>) -> Step {
    if let Some(unsent) = record.unsent.clone().filter(|unsent| unsent.is_doubted) {
        return ask_after_all(record, unsent, now);
    }
    if record.claim.flow == PaymentFlow::Upfront {
        return begin_settle(record, now);
    }
    let until = now.time.plus(TENANT_LEASE_MS);
    move_to(record, State::Verified { until, facilitator }, Next::Reply(Reply::Run), Wake::By(until))
}

/// In one write with the response, where there is one: nothing lies between having it and asking for the money.
fn begin_settle(record: Record, now: &Now<'_>) -> Step {
    match now.settle_order.first().cloned() {
        Some(facilitator) => ask(record, facilitator, Vec::new(), None, now),
        // Nobody is there, or all were quarantined while the tenant ran. Nothing was asked to move money: the payment
        // goes back.
        None => forget(record, Reply::Nobody, now),
    }
}

/// `claim` is what could begin with it.
fn come_again(record: Record, came: &Collection, claim: Option<SharedClaim>, holder: String, now: &Now<'_>) -> Step {
    let belongs = record.claim.belongs_to(came);
    let own = belongs && record.claim.is_for_the_request_of(came);
    let held = match &record.state {
        State::Claimed | State::Naming { .. } => now.busy,
        // The same payment for the same request takes over from an orphan at once, rather than wait for its lease to run
        // out. Should that request live after all, it finds that it holds nothing any more.
        State::Verified { .. } if own && claim.is_some() && now.inherited == Some(&record.holder) => now.busy,
        State::Verified { until, .. } => now.busy || now.time < *until,
        // A transfer that failed on the chain is there to be read, and good for another try: its payer's alone.
        State::Refused { .. } | State::Returned { .. } => now.busy || !belongs,
        _ => true,
    };
    if !held {
        return match claim {
            Some(claim) => fresh(Some(record), claim, holder, now),
            // Nothing can move any more, and something may have.
            None if own && record.unsent.is_some() && record.claim.window.expired(now.time).is_some() => {
                doubt(with_proof_of(Record { holder, ..record }, came), now)
            }
            None => stay(Some(record), Next::Reply(Reply::NothingBought)),
        };
    }
    if !own {
        return already_used(record);
    }
    match record.state.clone() {
        State::Claimed
        | State::Naming { .. }
        | State::Verified { .. }
        | State::Refused { .. }
        | State::Returned { .. } => stay(Some(record), Next::Wait),
        State::Settling { .. } | State::Unknown { .. } if now.busy => stay(Some(record), Next::Wait),
        // Only a crash leaves it without a call under way.
        State::Settling { .. } if now.time < now.ask_again_at => {
            let reply = pending(record.state.transaction(), now.ask_again_at, now);
            stay(Some(record), Next::Reply(reply))
        }
        State::Settling { facilitator, tried, lost } => {
            ask_again(with_proof_of(record, came), facilitator, tried, lost, now)
        }
        State::Unknown { facilitator, tried, lost } => {
            // A clock that was set back makes nobody wait until it is as late again.
            let asked_at = if lost.is_of_the_future(now.time) { UnixMillis(0) } else { lost.asked_at };
            let may_ask_at = asked_at.plus(ASK_INTERVAL_MS).max(now.ask_again_at);
            if now.time < may_ask_at {
                let reply = pending(lost.transaction.as_deref(), may_ask_at, now);
                return stay(Some(record), Next::Reply(reply));
            }
            ask_again(with_proof_of(record, came), facilitator, tried, Some(lost), now)
        }
        State::SpentElsewhere { .. } => already_used(record),
        State::Settled { delivery: Delivery::Running { holder, until }, .. }
            if now.time < until && now.inherited != Some(&holder) =>
        {
            stay(Some(record), Next::Wait)
        }
        State::Settled { settlement, delivery, keep_until } => {
            collect(with_proof_of(record, came), settlement, delivery, keep_until, holder, now)
        }
    }
}

/// Takes the proof of the payer's key that came along, if one did: it is good for this one use.
fn with_proof_of(record: Record, came: &Collection) -> Record {
    let proof_of_payer = record.claim.proof_of_payer.max(came.proof_of_payer);
    if proof_of_payer == record.claim.proof_of_payer {
        return record;
    }
    let claim = Claim { proof_of_payer, ..record.claim.into_own() };
    Record { claim: claim.into(), ..record }
}

/// The money moved, and the request `holder` is its payer's.
fn collect(
    record: Record,
    settlement: Settlement,
    delivery: Delivery,
    keep_until: UnixMillis,
    holder: String,
    now: &Now<'_>,
) -> Step {
    match delivery {
        Delivery::Owed | Delivery::Running { .. } => run_paid(record, settlement, keep_until, holder, now),
        Delivery::Delivered { again_until } if now.time >= again_until => already_used(record),
        // An identifier's response was kept beyond that even before it had a time of its own.
        Delivery::HandedOver if record.claim.identifier.is_none() => already_used(record),
        Delivery::Kept | Delivery::Leaving { .. } | Delivery::Delivered { .. } | Delivery::HandedOver => {
            give(record, settlement, keep_until, holder, now)
        }
    }
}

/// Gives what was bought to the request `holder`. Another of the payer's may have it on its way as well.
fn give(record: Record, settlement: Settlement, keep_until: UnixMillis, holder: String, now: &Now<'_>) -> Step {
    let reply = Next::Reply(Reply::Settled(settlement.clone()));
    let state = State::Settled { settlement, delivery: leaving(holder, now), keep_until };
    move_to(record, state, reply, Wake::AsItIs)
}

fn already_used(record: Record) -> Step {
    let transaction = record.state.transaction().map(str::to_owned);
    stay(Some(record), Next::Reply(Reply::AlreadyUsed { transaction }))
}

/// `at` is when asking again may tell more.
fn pending(transaction: Option<&str>, at: UnixMillis, now: &Now<'_>) -> Reply {
    Reply::Pending { transaction: transaction.map(str::to_owned), retry_after_ms: at.since(now.time) }
}

fn go_on(record: Record, event: Event, now: &Now<'_>) -> Step {
    match (record.state.clone(), event) {
        (State::Naming { facilitator }, Event::Bound) => begin(record, facilitator, now),
        // Nothing of ours to give back.
        (State::Naming { .. }, Event::Taken { transaction }) => {
            let_go(record, Reply::IdentifierTaken { transaction }, now)
        }
        (_, Event::Unbound(Then::Forget(reply))) => let_go(record, reply, now),
        (_, Event::Unbound(Then::Keep(reply))) => stay(Some(record), Next::Reply(reply)),
        (_, Event::Unbound(Then::Claim { claim, holder })) => match claim.window.shut(now.time) {
            Some(reason) if record.unsent.is_none() => gone(Reply::Invalid(reason)),
            Some(_) => doubt(Record { claim, holder, state: State::Claimed, head: None, ..record }, now),
            None => begin_again(claim, holder, record.unsent, now),
        },
        (State::Claimed, Event::VerifyAnswered { verified }) => match verified {
            Verified::Valid(facilitator) => verified_by(record, facilitator, now),
            // It may be what the attempt before has made true.
            Verified::Invalid(_) if record.unsent.is_some() => doubt(record, now),
            // No identifier is bound yet.
            Verified::Invalid(reason) => gone(Reply::Invalid(reason)),
            Verified::Nobody => let_go(record, Reply::Nobody, now),
        },
        (State::Verified { .. }, Event::Released { holder }) if record.holder == holder && !now.busy => {
            forget(record, Reply::Noted, now)
        }
        (State::Verified { until, .. }, Event::Executed { holder, head })
            if record.holder == holder && now.time < until && !now.busy =>
        {
            if let Some(reason) = record.claim.window.expired(now.time) {
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
            let state = State::Settled { settlement, delivery: Delivery::Owed, keep_until };
            move_to(record, state, Next::Reply(Reply::Noted), Wake::AsItIs)
        }
        // The answer that brought the response was lost on its way here.
        (
            State::Settled { settlement, delivery: Delivery::Leaving { holder, .. }, keep_until },
            Event::Released { holder: by },
        ) if holder == by => {
            let state = State::Settled { settlement, delivery: Delivery::Kept, keep_until };
            move_to(record, state, Next::Reply(Reply::Noted), Wake::AsItIs)
        }
        // A lease that ran out: someone else may hold the payment. Never a failure, never a new bill.
        (_, Event::Executed { .. }) => {
            let reply = after_waiting(Some(&record));
            stay(Some(record), Next::Reply(reply))
        }
        (State::Settling { facilitator, tried, lost }, Event::SettleAnswered { verdict, holder }) => {
            settle_answered(record, Asking { facilitator, tried, lost }, verdict, holder, now)
        }
        (State::Settling { .. }, Event::NeverSettled(reason)) => {
            // Proven, whoever was asked before.
            refused(Record { unsent: None, ..record }, reason, now)
        }
        (State::Settling { .. }, Event::SpentElsewhere { transaction }) => spent_elsewhere(record, transaction, now),
        (
            State::Settled { settlement, delivery: Delivery::Leaving { holder, .. }, keep_until },
            Event::HandedOver { holder: by, delivered },
        ) if holder == by => {
            let again_until = match &record.claim.identifier {
                Some(_) => keep_until,
                None => now.time.plus(AGAIN_MS).min(keep_until),
            };
            let (delivery, wake) = if delivered {
                (Delivery::Delivered { again_until }, again_until)
            } else {
                (Delivery::Kept, keep_until)
            };
            let state = State::Settled { settlement, delivery, keep_until };
            // Off the caller's path: the time to move the alarm to where the next thing happens.
            move_to(record, state, Next::Reply(Reply::Noted), Wake::At(wake))
        }
        (state, Event::Woke) => woke(record, state, now),
        _ => stay(Some(record), Next::Reply(Reply::Noted)),
    }
}

/// From here on somebody has looked at the payment, and a name may be taken for it.
fn verified_by(record: Record, facilitator: String, now: &Now<'_>) -> Step {
    match record.claim.scoped_identifier() {
        // The record and its alarm are there first, so that whoever comes after a crash knows what may be bound.
        Some(identifier) => {
            let record = Record { state: State::Naming { facilitator }, ..record };
            wait_for(record, Next::Bind(identifier), now)
        }
        None => begin(record, facilitator, now),
    }
}

/// The state of a settlement that is being asked about.
struct Asking {
    facilitator: String,
    tried: Vec<String>,
    lost: Option<Lost>,
}

fn settle_answered(
    record: Record,
    asking: Asking,
    verdict: SettleVerdict,
    holder: Option<String>,
    now: &Now<'_>,
) -> Step {
    match verdict {
        SettleVerdict::Settled(settlement) => settled(record, settlement, holder, now),
        // Once an answer was lost, only the chain can say that nothing moved.
        SettleVerdict::Refused(reason) if asking.lost.is_none() => next_facilitator(record, asking, reason, now),
        SettleVerdict::Unsent(_) if asking.lost.is_none() => {
            let Asking { facilitator, mut tried, .. } = asking;
            let since = UnixMillis(now.time.0.saturating_sub(CALL_LIMIT_MS));
            let unsent = Unsent { facilitator: facilitator.clone(), since, is_doubted: false };
            // The first one: whoever was asked later may say what that one has done.
            let record = Record { unsent: Some(record.unsent.clone().unwrap_or(unsent)), ..record };
            tried.push(facilitator);
            match untried(&record, &tried, now) {
                Some(next) => ask(record, next, tried, None, now),
                None => forget(record, Reply::Nobody, now),
            }
        }
        SettleVerdict::Refused(_) | SettleVerdict::Unsent(_) => unknown(record, asking, None, now),
        SettleVerdict::Unknown { transaction, .. } => unknown(record, asking, transaction, now),
    }
}

/// The next one in line, after one that provably sent nothing.
fn untried(record: &Record, tried: &[String], now: &Now<'_>) -> Option<String> {
    let in_time = record.claim.window.expired(now.time).is_none();
    now.settle_order.iter().find(|id| in_time && !tried.contains(id)).cloned()
}

fn next_facilitator(record: Record, asking: Asking, reason: Reason, now: &Now<'_>) -> Step {
    let Asking { facilitator, mut tried, .. } = asking;
    tried.push(facilitator);
    match untried(&record, &tried, now) {
        Some(next) => ask(record, next, tried, None, now),
        None => refused(record, reason, now),
    }
}

fn woke(record: Record, state: State, now: &Now<'_>) -> Step {
    let later = |record, at| Step { record: Some(record), next: Next::Reply(Reply::Noted), wake: Wake::At(at) };
    match state {
        _ if now.busy => later(record, now.time.plus(ASK_AGAIN_MIN_MS)),
        State::Verified { until, .. } if now.time < until => later(record, until),
        // Nothing was asked to move money, and whoever held the payment is gone.
        State::Refused { keep_until, .. } | State::SpentElsewhere { keep_until, .. } if now.time < keep_until => {
            later(record, keep_until)
        }
        State::Returned { keep_until } if now.time < keep_until => later(record, keep_until),
        State::Returned { .. } => forget(record, Reply::Noted, now),
        State::Claimed
        | State::Naming { .. }
        | State::Verified { .. }
        | State::Refused { .. }
        | State::SpentElsewhere { .. } => forget(record, Reply::Noted, now),
        // Quarantined: another payment's question is this back-off's probe. Not asked, so not counted as asked.
        State::Settling { .. } | State::Unknown { .. } if now.time < now.ask_again_at => {
            later(record, now.ask_again_at)
        }
        State::Settling { facilitator, tried, lost } => ask_again(record, facilitator, tried, lost, now),
        State::Unknown { lost, .. } if now.time < lost.ask_again_at && !lost.is_of_the_future(now.time) => {
            later(record, lost.ask_again_at)
        }
        State::Unknown { facilitator, tried, lost } => ask_again(record, facilitator, tried, Some(lost), now),
        State::Settled { settlement, delivery: Delivery::Delivered { again_until }, keep_until }
            if record.claim.identifier.is_none() && now.time < keep_until =>
        {
            if now.time < again_until {
                return later(record, again_until);
            }
            let state = State::Settled { settlement, delivery: Delivery::HandedOver, keep_until };
            move_to(record, state, Next::Reply(Reply::Noted), Wake::At(keep_until))
        }
        State::Settled { keep_until, .. } if now.time < keep_until => later(record, keep_until),
        State::Settled { .. } => forget(record, Reply::Noted, now),
    }
}

/// Asks the same facilitator once more, with the outcome of an earlier call lost.
fn ask_again(record: Record, facilitator: String, tried: Vec<String>, lost: Option<Lost>, now: &Now<'_>) -> Step {
    // Without any, its process died between asking and hearing.
    let lost = lost.unwrap_or(Lost {
        asked: 1,
        asked_at: now.time,
        first_asked_at: UnixMillis(now.time.0.saturating_sub(CALL_LIMIT_MS)),
        ask_again_at: now.time,
        transaction: None,
    });
    ask(record, facilitator, tried, Some(lost), now)
}

/// Asks again whoever said that it had looked at nothing: what has been heard since fits a transfer. A name that the payment
/// has is bound first.
fn doubt(record: Record, now: &Now<'_>) -> Step {
    let Some(unsent) = record.unsent.clone() else {
        panic!("nobody was asked before");
    };
    let unsent = Unsent { is_doubted: true, ..unsent };
    let record = Record { unsent: Some(unsent.clone()), ..record };
    match record.claim.scoped_identifier() {
        Some(identifier) => {
            let record = Record { state: State::Naming { facilitator: unsent.facilitator }, ..record };
            wait_for(record, Next::Bind(identifier), now)
        }
        None => ask_after_all(record, unsent, now),
    }
}

/// From here on only proof closes it.
fn ask_after_all(record: Record, unsent: Unsent, now: &Now<'_>) -> Step {
    let Unsent { facilitator, since, .. } = unsent;
    let lost = Lost { asked: 1, asked_at: now.time, first_asked_at: since, ask_again_at: now.time, transaction: None };
    ask(record, facilitator, Vec::new(), Some(lost), now)
}

fn ask(record: Record, facilitator: String, tried: Vec<String>, lost: Option<Lost>, now: &Now<'_>) -> Step {
    let asked = lost.as_ref().map_or(0, |lost| lost.asked);
    let next = Next::AskSettle { facilitator: facilitator.clone(), asked };
    let wake = Wake::By(now.time.plus(CALL_LIMIT_MS));
    move_to(record, State::Settling { facilitator, tried, lost }, next, wake)
}

fn unknown(record: Record, asking: Asking, transaction: Option<String>, now: &Now<'_>) -> Step {
    let Asking { facilitator, tried, lost } = asking;
    let asked = lost.as_ref().map_or(0, |lost| lost.asked);
    let (first_asked_at, known) = match lost {
        Some(lost) => (lost.first_asked_at, lost.transaction),
        None => (UnixMillis(now.time.0.saturating_sub(CALL_LIMIT_MS)), None),
    };
    let ask_again_at = now.time.plus(pause_after(asked, first_asked_at, &record, now.time));
    // The first one: what a facilitator sends again reverts on the nonce that the first has used.
    let transaction = known.or(transaction);
    let reply = pending(transaction.as_deref(), now.time.plus(ASK_AGAIN_MIN_MS).max(now.ask_again_at), now);
    let lost = Lost { asked: asked + 1, asked_at: now.time, first_asked_at, ask_again_at, transaction };
    let state = State::Unknown { facilitator, tried, lost };
    move_to(record, state, Next::Reply(reply), Wake::By(ask_again_at))
}

/// The pause before a settlement is asked about again that was asked about `asked` times before. It never falls far behind
/// how long the settlement has been open.
fn pause_after(asked: u32, first_asked_at: UnixMillis, record: &Record, now: UnixMillis) -> u64 {
    let is_soon = now < record.claim.window.end().plus(FINAL_AFTER_MS);
    let open_ms = now.0.saturating_sub(first_asked_at.0);
    let most = if is_soon { ASK_AGAIN_SOON_MS.max(open_ms / 8) } else { ASK_AGAIN_MAX_MS };
    ASK_AGAIN_MIN_MS.saturating_mul(1 << asked.min(20)).min(most)
}

fn settled(record: Record, settlement: Settlement, holder: Option<String>, now: &Now<'_>) -> Step {
    let keep_until = now.time.plus(SETTLED_KEPT_MS);
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

/// The money moved and the response is there. `holder` is the request that waits for it, if one does; the payer's other
/// requests find it when they look again.
fn deliver(
    record: Record,
    settlement: Settlement,
    keep_until: UnixMillis,
    holder: Option<String>,
    now: &Now<'_>,
) -> Step {
    let delivery = holder.map_or(Delivery::Kept, |holder| leaving(holder, now));
    let reply = Next::Reply(Reply::Settled(settlement.clone()));
    move_to(record, State::Settled { settlement, delivery, keep_until }, reply, Wake::By(keep_until))
}

fn spent_elsewhere(record: Record, transaction: String, now: &Now<'_>) -> Step {
    let reply = Reply::AlreadyUsed { transaction: Some(transaction.clone()) };
    let next = match record.claim.scoped_identifier() {
        Some(identifier) => Next::Unbind { identifier, then: Then::Keep(reply) },
        None => Next::Reply(reply),
    };
    let keep_until = now.time.plus(SETTLED_KEPT_MS);
    move_to(record, State::SpentElsewhere { transaction, keep_until }, next, Wake::By(keep_until))
}

fn refused(record: Record, reason: Reason, now: &Now<'_>) -> Step {
    // It is no word of whoever was asked before.
    if record.unsent.is_some() {
        return forget(record, Reply::Nobody, now);
    }
    let reply = Reply::Refused(reason.clone());
    // The caller will sign another payment for the same purchase. The record stays, so a failure to give the identifier
    // back is made up for when it is forgotten.
    let next = match record.claim.scoped_identifier() {
        Some(identifier) => Next::Unbind { identifier, then: Then::Keep(reply) },
        None => Next::Reply(reply),
    };
    let window = record.claim.window.end().min(now.time.plus(SETTLED_KEPT_MS));
    let keep_until = now.time.plus(REFUSED_KEPT_MS).max(window);
    move_to(record, State::Refused { reason, keep_until }, next, Wake::By(keep_until))
}

fn leaving(holder: String, now: &Now<'_>) -> Delivery {
    Delivery::Leaving { holder, until: now.time.plus(DELIVERY_LEASE_MS) }
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
    let Some(identifier) = record.claim.scoped_identifier() else {
        return let_go(record, reply, now);
    };
    // Nobody may hear that the name was given back. Whoever comes then begins anew, and binds it first.
    let record = match returned_until(&record) {
        Some(keep_until) => Record { state: State::Returned { keep_until }, ..record },
        None => record,
    };
    wait_for(record, Next::Unbind { identifier, then: Then::Forget(reply) }, now)
}

/// Gives back a payment that nothing is bound for. One that somebody was asked to settle is remembered.
fn let_go(record: Record, reply: Reply, now: &Now<'_>) -> Step {
    match returned_until(&record).filter(|keep_until| *keep_until > now.time) {
        Some(keep_until) => move_to(record, State::Returned { keep_until }, Next::Reply(reply), Wake::By(keep_until)),
        None => gone(reply),
    }
}

/// The time until which a payment that was given back is remembered, if somebody was asked to settle it.
fn returned_until(record: &Record) -> Option<UnixMillis> {
    record.unsent.as_ref().map(|unsent| unsent.since.plus(SETTLED_KEPT_MS))
}

fn gone(reply: Reply) -> Step {
    stay(None, Next::Reply(reply))
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
