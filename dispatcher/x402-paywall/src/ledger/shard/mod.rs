//! A shard of the ledger: many payments in one single-threaded place, each with a keeper of its own, and one alarm for all.
//!
//! Surprising: a payment that is not here may have been begun at its former place, before the number of shards was raised. So
//! whoever asks for one is sent there ([`Placed::At`]), and a shard that has been asked about a raised number begins no
//! payment any more for callers that do not know of it.

mod alarm;
mod ask;
mod calls;
mod port;
mod row;
pub(super) mod side_by_side;
#[cfg(test)]
mod tests;

pub use ask::ask;
pub use calls::Busy;
pub use port::{FormerLedger, NoFormerLedger, ShardStore};
pub use row::Row;
pub use side_by_side::all as side_by_side;

use super::{
    ClaimReply, Collection, Keeper, Record, SettleReply, SharedClaim,
    books::{Entry, OnChain, Span},
    layout::{Layout, Place},
    machine::RING_AGAIN_MS,
};
use crate::{
    PaidResponse, UnixMillis,
    chain::ChainNodes,
    facilitator::Facilitators,
    facilitator::transport::FacilitatorTransport,
    health::Board,
    ledger::port::{Identifiers, PaymentLog},
    ledger_error::LedgerError,
    time::Clock,
};
use alarm::Alarm;
use calls::Calls;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

/// Payments that one ring sees to. A ring that finds as many rings again at once.
const BATCH: usize = 64;
/// The time for which a payment stays in memory after its last call: the word that its response left comes a second later.
const IDLE_MS: u64 = 15_000;
/// Payments in memory below which nobody looks for idle ones.
const FEW: usize = 256;

/// The things that all keepers of a shard share.
#[derive(Clone)]
pub struct KeeperParts<T, C, L, I> {
    pub transport: T,
    pub clock: C,
    pub log: L,
    pub identifiers: I,
    pub facilitators: Facilitators,
    pub board: Rc<Board>,
    pub chain: Option<ChainNodes>,
}

/// A shard over its store.
pub struct Shard<S: ShardStore, T, C, L, I, F> {
    store: Rc<S>,
    parts: KeeperParts<T, C, L, I>,
    former: F,
    layout: Layout,
    alarm: Rc<Alarm<S>>,
    calls: Calls,
    /// The number of shards that anybody has told it of; `None` until it was read.
    raised_to: Cell<Option<u16>>,
    living: RefCell<InMemory<S, T, C, L, I>>,
    look_at: Cell<usize>,
}

/// Payments by their keys.
type InMemory<S, T, C, L, I> = BTreeMap<String, Living<S, T, C, L, I>>;

struct Living<S: ShardStore, T, C, L, I> {
    keeper: Rc<Keeper<Row<S>, T, C, L, I>>,
    /// The time at which it may go.
    idle_at: UnixMillis,
}

/// A payment as its caller's shard is asked for it.
#[derive(Clone, Copy, Debug)]
pub struct Routed<'a> {
    pub payment: &'a str,
    /// The number of shards that the caller knows of.
    pub shards: u16,
    /// Tells whether the payment's own shard sent the caller here.
    pub is_sent_on: bool,
}

/// An answer, or the place that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed<R> {
    Here(R),
    At(Place),
}

impl<S, T, C, L, I, F> Shard<S, T, C, L, I, F>
where
    S: ShardStore,
    T: FacilitatorTransport + Clone,
    C: Clock + Clone,
    L: PaymentLog + Clone,
    I: Identifiers + Clone,
    F: FormerLedger,
{
    pub fn new(store: S, parts: KeeperParts<T, C, L, I>, former: F, layout: Layout) -> Self {
        let store = Rc::new(store);
        Self {
            alarm: Rc::new(Alarm::new(Rc::clone(&store))),
            store,
            parts,
            former,
            layout,
            calls: Calls::default(),
            raised_to: Cell::default(),
            living: RefCell::default(),
            look_at: Cell::new(FEW),
        }
    }

    /// Claims the payment for the request `holder` and has it verified.
    pub async fn claim(
        &self,
        routed: Routed<'_>,
        claim: impl Into<SharedClaim>,
        holder: &str,
    ) -> Result<Placed<ClaimReply>, LedgerError> {
        let claim = claim.into();
        let _under_way = self.calls.begin(&claim.tenant_id)?;
        self.with(routed, async |keeper| keeper.claim(claim, holder).await).await
    }

    /// Gives the request `holder` what the payment bought before, and begins nothing.
    pub async fn collect(
        &self,
        routed: Routed<'_>,
        collection: Collection,
        holder: &str,
    ) -> Result<Placed<ClaimReply>, LedgerError> {
        self.with(routed, async |keeper| keeper.collect(collection, holder).await).await
    }

    /// Stores the response of the request `holder` and settles the payment.
    pub async fn settle(
        &self,
        routed: Routed<'_>,
        holder: &str,
        response: &PaidResponse,
    ) -> Result<Placed<SettleReply>, LedgerError> {
        self.with(routed, async |keeper| {
            let record = keeper.record().await?;
            let tenant = record.as_ref().map_or("", |record| record.claim.tenant_id.as_str());
            let _held = self.calls.hold(tenant, response.body.len())?;
            keeper.settle(holder, response).await
        })
        .await
    }

    /// Gives the payment back, with nothing moved.
    pub async fn release(&self, routed: Routed<'_>, holder: &str) -> Result<Placed<()>, LedgerError> {
        self.with(routed, async |keeper| keeper.release(holder).await).await
    }

    /// Takes note whether the response left.
    pub async fn handed_over(
        &self,
        routed: Routed<'_>,
        holder: &str,
        delivered: bool,
    ) -> Result<Placed<()>, LedgerError> {
        self.with(routed, async |keeper| keeper.handed_over(holder, delivered).await).await
    }

    /// The record of a payment as it stands.
    pub async fn record(&self, routed: Routed<'_>) -> Result<Placed<Option<Record>>, LedgerError> {
        self.with(routed, async |keeper| keeper.record().await).await
    }

    /// The chain's word on a payment.
    pub async fn on_chain(&self, routed: Routed<'_>) -> Result<Placed<OnChain>, LedgerError> {
        self.with(routed, async |keeper| keeper.on_chain().await).await
    }

    /// The payments of this shard that were settled in a span of time, `limit` at most.
    pub async fn settled(&self, span: &Span, limit: usize) -> Result<Vec<Entry>, LedgerError> {
        Ok(self.store.settled(span, limit).await?.iter().map(Entry::from).collect())
    }

    /// The payments of this shard whose settlement is open, the longest open first, and `limit` at most.
    pub async fn open(&self, limit: usize) -> Result<Vec<Entry>, LedgerError> {
        Ok(self.store.open(limit).await?.iter().map(Entry::from).collect())
    }

    /// Tells the payment's new shard whether it is here. From then on whoever does not know of that many shards begins nothing
    /// here that belongs there.
    pub async fn has(&self, payment: &str, shards: u16) -> Result<bool, LedgerError> {
        if self.raised_to().await? < shards {
            self.store.raise_to(shards).await?;
            self.raised_to.set(Some(shards));
        }
        Ok(self.keeper_of(payment).record().await?.is_some())
    }

    /// The alarm rang: sees to the payments that are due, side by side, and to no more than a batch. One that fails is told,
    /// and is due again after a pause of its own.
    pub async fn ring(&self) -> Result<(), LedgerError> {
        let now = self.parts.clock.now();
        // Before anything else: the platform gives up an alarm that fails too often.
        self.alarm.set(now.plus(RING_AGAIN_MS)).await?;
        let due = self.store.due(now, BATCH).await?;
        // A process that dies in the middle leaves them to the next ring.
        self.store.postpone(&due, now.plus(RING_AGAIN_MS)).await?;
        side_by_side::all(due.iter().map(|payment| self.wake(payment))).await;
        let next = if due.len() == BATCH { Some(now) } else { self.store.least_due().await? };
        if let Some(next) = next {
            self.alarm.set(next).await?;
        }
        Ok(())
    }

    /// Tells whether all that it knows is stored: no request of this process has a payment of it.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.living.borrow().values().all(|one| Rc::strong_count(&one.keeper) == 1 && one.keeper.rests())
    }

    async fn wake(&self, payment: &str) {
        let keeper = self.keeper_of(payment);
        if let Err(error) = keeper.woke().await {
            self.parts.log.stuck(payment, &error);
            let again = self.parts.clock.now().plus(keeper.ring_again_ms());
            // What cannot be noted is left to the ring that was set first.
            drop(self.store.postpone(&[payment.to_owned()], again).await);
        }
        self.leave(payment, keeper);
    }

    async fn with<R>(
        &self,
        routed: Routed<'_>,
        ask: impl AsyncFnOnce(&Keeper<Row<S>, T, C, L, I>) -> Result<R, LedgerError>,
    ) -> Result<Placed<R>, LedgerError> {
        let Routed { payment, .. } = routed;
        let keeper = self.keeper_of(payment);
        let elsewhere = match keeper.record().await {
            Ok(Some(_)) => Ok(None),
            Ok(None) => self.place_of_absent(routed).await,
            Err(error) => Err(error),
        };
        let answer = match elsewhere {
            Ok(None) => ask(&keeper).await.map(Placed::Here),
            Ok(Some(place)) => Ok(Placed::At(place)),
            Err(error) => Err(error),
        };
        self.leave(payment, keeper);
        // A missing alarm would leave payments to nobody.
        let armed = self.alarm.ensure(self.parts.clock.now()).await;
        answer.and_then(|answer| armed.map(|()| answer))
    }

    /// The place of a payment that is not here. `None`: it may begin here.
    async fn place_of_absent(&self, routed: Routed<'_>) -> Result<Option<Place>, LedgerError> {
        let Routed { payment, shards, is_sent_on } = routed;
        if is_sent_on {
            return Err(LedgerError("the payment has gone from here since it was looked for".to_owned()));
        }
        let raised_to = self.raised_to().await?;
        if shards < raised_to {
            return Err(LedgerError(format!("there are {raised_to} shards, and the caller knows of {shards}")));
        }
        let now = self.parts.clock.now();
        let Some(place) = self.layout.former_place_of(payment, now) else { return Ok(None) };
        let is_there = self.former.has(&place, payment, self.layout.shards()).await?;
        Ok(is_there.then_some(place))
    }

    async fn raised_to(&self) -> Result<u16, LedgerError> {
        if let Some(shards) = self.raised_to.get() {
            return Ok(shards);
        }
        let shards = self.store.raised_to().await?;
        self.raised_to.set(Some(shards));
        Ok(shards)
    }

    fn keeper_of(&self, payment: &str) -> Rc<Keeper<Row<S>, T, C, L, I>> {
        let mut living = self.living.borrow_mut();
        if let Some(one) = living.get(payment) {
            return Rc::clone(&one.keeper);
        }
        if living.len() >= self.look_at.get() {
            let now = self.parts.clock.now();
            living.retain(|_, one| one.is_in_use(now));
            self.look_at.set(FEW.max(2 * living.len()));
        }
        let KeeperParts { transport, clock, log, identifiers, facilitators, board, chain } = self.parts.clone();
        let row = Row::new(self.store.row(payment), Rc::clone(&self.alarm));
        let keeper = Keeper::new(row, transport, clock, log, identifiers, facilitators, board).with_chain(chain);
        let keeper = Rc::new(keeper);
        let one = Living { keeper: Rc::clone(&keeper), idle_at: UnixMillis(u64::MAX) };
        living.insert(payment.to_owned(), one);
        keeper
    }

    fn leave(&self, payment: &str, keeper: Rc<Keeper<Row<S>, T, C, L, I>>) {
        drop(keeper);
        let idle_at = self.parts.clock.now().plus(IDLE_MS);
        if let Some(one) = self.living.borrow_mut().get_mut(payment) {
            one.idle_at = idle_at;
        }
    }
}

impl<S: ShardStore, T, C, L, I> Living<S, T, C, L, I>
where
    T: FacilitatorTransport,
    C: Clock,
    L: PaymentLog,
    I: Identifiers,
{
    /// Tells whether a call is under way, a request has the payment, or the last call was lately.
    fn is_in_use(&self, now: UnixMillis) -> bool {
        now < self.idle_at || Rc::strong_count(&self.keeper) > 1 || !self.keeper.rests()
    }
}
