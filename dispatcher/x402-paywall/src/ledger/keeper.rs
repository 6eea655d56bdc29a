//! Keeps one payment's record: writes what the machine decided, then does it. The only caller of facilitators.
//!
//! One keeper per payment key, on one thread. Calls may overlap while one awaits a facilitator; `busy` tells the machine
//! so. It is a deadline and not a flag, because a runtime that drops a future half way would leave a flag set for ever.

use super::{
    Claim, ClaimReply, Collection, Delivery, Record, Reply, SettleReply, State,
    identifier::Bound,
    machine::{self, CALL_LIMIT_MS, Event, Next, Now, Then, Wake},
    patience::settle_timeout_ms,
};
use crate::{
    UnixMillis,
    chain::{ChainRpc, Word},
    facilitator::{
        Asker, Facilitators,
        verdict::{SettleVerdict, Settlement},
    },
    health::Board,
    ports::{Clock, FacilitatorTransport, Identifiers, LedgerError, PaymentLog, RecordStore},
    response::PaidResponse,
    seeded::{self, Bug},
    telemetry::{Attempt, PaymentEvent, Stage},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use x402_protocol::PaymentFlow;

/// How long a request waits for another that holds the same payment, before it is told to come back.
pub const WAIT_LIMIT_MS: u64 = 10_000;
/// How often it looks. Only duplicates of a payment in flight wait at all.
const WAIT_LOOK_MS: u64 = 50;

pub struct Keeper<S, T, C, L, I> {
    store: S,
    transport: T,
    clock: C,
    log: L,
    identifiers: I,
    facilitators: Facilitators,
    board: Rc<Board>,
    chain: Option<ChainRpc>,
    busy_until: Cell<UnixMillis>,
    /// When the alarm rings; `None` where that is not known.
    alarm: Cell<Option<UnixMillis>>,
    /// The record as stored; `None` until it was read.
    cache: RefCell<Option<Option<Record>>>,
    /// Requests that wait for another one with the same payment, in the order in which they came.
    waiting: RefCell<Vec<String>>,
    /// For whom the tenant ran when the record was first read.
    inherited: RefCell<Option<String>>,
}

impl<S, T, C, L, I> Keeper<S, T, C, L, I>
where
    S: RecordStore,
    T: FacilitatorTransport,
    C: Clock,
    L: PaymentLog,
    I: Identifiers,
{
    pub fn new(
        store: S,
        transport: T,
        clock: C,
        log: L,
        identifiers: I,
        facilitators: Facilitators,
        board: Rc<Board>,
    ) -> Self {
        Self {
            store,
            transport,
            clock,
            log,
            identifiers,
            facilitators,
            board,
            busy_until: Cell::new(UnixMillis(0)),
            chain: None,
            alarm: Cell::default(),
            cache: RefCell::default(),
            waiting: RefCell::default(),
            inherited: RefCell::default(),
        }
    }

    /// Reads the chain where a facilitator, asked again, still cannot say what became of a payment.
    #[must_use]
    pub fn with_chain(self, chain: Option<ChainRpc>) -> Self {
        Self { chain, ..self }
    }

    /// Claims the payment for the request `holder` and has it verified.
    pub async fn claim(&self, claim: Claim, holder: &str) -> Result<ClaimReply, LedgerError> {
        self.present(Event::Claimed { claim: Box::new(claim), holder: holder.to_owned() }, holder).await
    }

    /// Gives the request `holder` what the payment bought before, and begins nothing.
    pub async fn collect(&self, collection: Collection, holder: &str) -> Result<ClaimReply, LedgerError> {
        self.present(Event::CameToCollect { collection, holder: holder.to_owned() }, holder).await
    }

    /// Waits for whoever holds the payment, for a while.
    async fn present(&self, event: Event, holder: &str) -> Result<ClaimReply, LedgerError> {
        let mut attempts = Vec::new();
        let began = self.clock.now();
        let mut waits = None;
        let reply = loop {
            match self.drive(event.clone(), Some(holder), None, &mut attempts).await? {
                Some(reply) => break reply,
                None if self.clock.now().since(began) >= WAIT_LIMIT_MS => {
                    break machine::after_waiting(self.record().await?.as_ref());
                }
                None => {
                    waits.get_or_insert_with(|| Waiting::join(&self.waiting, holder));
                    self.clock.sleep(WAIT_LOOK_MS).await;
                }
            }
        };
        let response = match &reply {
            Reply::Settled(_) => Some(self.response().await?),
            _ => None,
        };
        Ok(ClaimReply { reply, response, attempts })
    }

    /// Stores the response of the request `holder` and settles the payment.
    pub async fn settle(&self, holder: &str, response: &PaidResponse) -> Result<SettleReply, LedgerError> {
        let mut attempts = Vec::new();
        let event = Event::Executed { holder: holder.to_owned(), head: response.head.clone() };
        let reply = self.drive(event, Some(holder), Some(&response.body), &mut attempts).await?;
        Ok(SettleReply { reply: reply.unwrap_or(Reply::InProgress), attempts })
    }

    pub async fn release(&self, holder: &str) -> Result<(), LedgerError> {
        let event = Event::Released { holder: holder.to_owned() };
        self.drive(event, Some(holder), None, &mut Vec::new()).await.map(drop)
    }

    pub async fn handed_over(&self, holder: &str, delivered: bool) -> Result<(), LedgerError> {
        let event = Event::HandedOver { holder: holder.to_owned(), delivered };
        self.drive(event, Some(holder), None, &mut Vec::new()).await.map(drop)
    }

    /// The alarm rang: reconcile what is unknown, forget what is over.
    pub async fn woke(&self) -> Result<(), LedgerError> {
        if !seeded::has(Bug::AlarmArmedOnce) {
            self.alarm.take();
        }
        self.drive(Event::Woke, None, None, &mut Vec::new()).await.map(drop)
    }

    /// The record as it stands.
    pub async fn record(&self) -> Result<Option<Record>, LedgerError> {
        if let Some(record) = self.cache.borrow().as_ref() {
            return Ok(record.clone());
        }
        let record = self.store.load().await?;
        self.inherited.replace(record.as_ref().and_then(Record::runs_for).map(str::to_owned));
        Ok(self.cache.borrow_mut().get_or_insert(record).clone())
    }

    /// Whether all that it knows is stored: no request of this process has the payment. One that is closed sooner would
    /// take that request for one that died.
    #[must_use]
    pub fn rests(&self) -> bool {
        let cache = self.cache.borrow();
        let record = cache.as_ref().and_then(Option::as_ref);
        record.is_none_or(|record| record.runs_for().is_none())
    }

    /// Steps until there is a reply. `None`: another request is at it.
    async fn drive(
        &self,
        mut event: Event,
        holder: Option<&str>,
        mut body: Option<&[u8]>,
        attempts: &mut Vec<Attempt>,
    ) -> Result<Option<Reply>, LedgerError> {
        loop {
            let before = self.record().await?;
            let time = self.clock.now();
            let heir = self.waiting.borrow().last().cloned();
            let (settle_order, ask_again_at) = self.choices(before.as_ref(), &event, time);
            let busy = time < self.busy_until.get();
            let inherited = self.inherited.borrow().clone();
            let (heir, inherited) = (heir.as_deref(), inherited.as_deref());
            let now = Now { time, busy, settle_order: &settle_order, ask_again_at, heir, inherited };
            let step = machine::step(before.clone(), event, &now);
            // Set at once: another call must see it before the write below is through.
            let asks = !matches!(step.next, Next::Wait | Next::Reply(_));
            if asks {
                self.busy_until.set(time.plus(CALL_LIMIT_MS));
            }
            let written = self.write(before, step.record.as_ref(), step.wake, &mut body, holder).await;
            if let Err(error) = written {
                // What is stored is no longer what is cached.
                self.cache.borrow_mut().take();
                self.alarm.take();
                self.busy_until.set(UnixMillis(0));
                return Err(error);
            }
            let (next, record) = match (step.next, step.record) {
                (Next::Wait, _) => return Ok(None),
                (Next::Reply(reply), _) => return Ok(Some(reply)),
                (next, Some(record)) => (next, record),
                (_, None) => panic!("the machine asks about a payment that it forgets"),
            };
            let happened = self.act(next, &record, holder, attempts).await;
            if asks && !seeded::has(Bug::BusyAfterAnswer) {
                self.busy_until.set(UnixMillis(0));
            }
            event = happened?;
        }
    }

    /// Does what comes next and says what came of it. What fails leaves the record to the alarm.
    async fn act(
        &self,
        next: Next,
        record: &Record,
        holder: Option<&str>,
        attempts: &mut Vec<Attempt>,
    ) -> Result<Event, LedgerError> {
        Ok(match next {
            Next::Bind(identifier) => match self.identifiers.bind(&identifier, &record.owner()).await? {
                Bound::Yours => Event::Bound,
                Bound::Anothers(payment) => {
                    Event::Taken { transaction: self.identifiers.transaction_of(&payment).await? }
                }
            },
            Next::Unbind { identifier, then } => {
                self.identifiers.unbind(&identifier, &record.owner()).await?;
                Event::Unbound(then)
            }
            Next::AskVerify => Event::VerifyAnswered { verified: self.asker().verify(&record.claim, attempts).await },
            Next::AskSettle { facilitator, asked } => {
                let (claim, now) = (&record.claim, self.clock.now());
                let patience = |configured| settle_timeout_ms(configured, asked, &claim.window, now, holder.is_some());
                let asker = self.asker();
                let verdict = match holder {
                    Some(_) if asked == 0 => asker.settle_for_caller(&facilitator, claim, patience, attempts).await,
                    _ => asker.settle(&facilitator, claim, patience, attempts).await,
                };
                let holder = holder.map(str::to_owned);
                // A known success is never held against the chain.
                let open = asked > 0 && !matches!(verdict, SettleVerdict::Settled(_));
                let word = match self.chain.as_ref().filter(|_| open) {
                    Some(chain) => chain.look_up(claim, &self.transport).await,
                    None => Word::NoNews,
                };
                match word {
                    Word::NoNews => Event::SettleAnswered { verdict, holder },
                    Word::Never(reason) => Event::NeverSettled(reason),
                    Word::Settled(transaction) => {
                        let (payer, network) = (claim.payer, claim.network);
                        let verdict = SettleVerdict::Settled(Settlement { transaction, payer, network, facilitator });
                        Event::SettleAnswered { verdict, holder }
                    }
                }
            }
            Next::Wait | Next::Reply(_) => panic!("there is nothing to do for a reply"),
        })
    }

    /// Whom a first settle may go to, and from when on a lost one may be asked about, as the board has it now.
    fn choices(&self, record: Option<&Record>, event: &Event, now: UnixMillis) -> (Vec<String>, UnixMillis) {
        if let Some(Record { claim, state, .. }) = record {
            match state {
                State::Verified { facilitator, .. } => {
                    return (self.board.settle_order(claim, facilitator, now), now);
                }
                State::Settling { facilitator, .. } | State::Unknown { facilitator, .. } => {
                    let order = self.board.settle_order(claim, facilitator, now);
                    return (order, self.board.may_ask_again_at(facilitator, now));
                }
                _ => {}
            }
        }
        let claim = match event {
            Event::Claimed { claim, .. } | Event::Unbound(Then::Claim { claim, .. }) => Some(&**claim),
            _ => record.map(|record| &record.claim),
        };
        match claim {
            // Nobody verifies it.
            Some(claim) if claim.flow == PaymentFlow::Upfront => (self.board.settle_order(claim, "", now), now),
            _ => (Vec::new(), now),
        }
    }

    fn asker(&self) -> Asker<'_, T, C> {
        let (transport, clock) = (&self.transport, &self.clock);
        Asker { facilitators: &self.facilitators, board: &self.board, transport, clock }
    }

    async fn write(
        &self,
        before: Option<Record>,
        after: Option<&Record>,
        wake: Wake,
        body: &mut Option<&[u8]>,
        request_id: Option<&str>,
    ) -> Result<(), LedgerError> {
        self.cache.borrow_mut().replace(after.cloned());
        let Some(after) = after else { return self.forget(before, request_id).await };
        // An alarm that is to ring earlier is set before the record that needs it, one that may ring later after it: so a
        // crash in between finds the alarm too early and never too late.
        let unasked = seeded::has(Bug::UnknownNeverAskedAbout) && matches!(after.state, State::Unknown { .. });
        let unforgotten = seeded::has(Bug::SettledNeverForgotten) && matches!(after.state, State::Settled { .. });
        let late = seeded::has(Bug::AlarmAfterRecord);
        if let Wake::By(at) = wake
            && !(unasked || unforgotten || late)
            && self.alarm.get().is_none_or(|alarm| at < alarm)
        {
            self.wake_at(at).await?;
        }
        let responded = after.head.is_some() && before.as_ref().is_none_or(|before| before.head.is_none());
        let same = |before: &Record| before.state == after.state && before.holder == after.holder;
        let unstored = seeded::has(Bug::SettlingNotStored) && matches!(after.state, State::Settling { .. });
        let changed = !before.as_ref().is_some_and(same) && !unstored;
        let before = before.map(|before| before.state);
        if changed {
            let responded = responded && !seeded::has(Bug::BodyNotStored);
            let most = if seeded::has(Bug::StoredBodyTruncated) { 100 } else { usize::MAX };
            let body = if responded { body.take().map(|body| &body[..body.len().min(most)]) } else { None };
            self.store.save(after, body).await?;
        }
        if let Wake::At(at) = wake
            && !unforgotten
        {
            self.wake_at(at).await?;
        }
        if let Wake::By(at) = wake
            && late
            && self.alarm.get().is_none_or(|alarm| at < alarm)
        {
            self.wake_at(at).await?;
        }
        if responded {
            self.log.record(&PaymentEvent { stage: Stage::Executed, ..after.event(request_id) });
        }
        let untold = seeded::has(Bug::SettledUntold) && after.state.stage() == Stage::Settled;
        if before.is_none_or(|before| before.is_news_after(&after.state)) && !untold {
            self.log.record(&after.event(request_id));
            if seeded::has(Bug::SettledToldTwice) && after.state.stage() == Stage::Settled {
                self.log.record(&after.event(request_id));
            }
        }
        let spent = matches!(after.state, State::Settled { delivery: Delivery::HandedOver, .. })
            || seeded::has(Bug::BodyDroppedAtOnce) && after.state.stage() == Stage::Settled;
        if changed && spent && after.claim.identifier.is_none() {
            self.store.drop_body().await?;
        }
        Ok(())
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.store.wake_at(at).await?;
        self.alarm.set(Some(at));
        Ok(())
    }

    async fn forget(&self, before: Option<Record>, request_id: Option<&str>) -> Result<(), LedgerError> {
        let Some(before) = before else { return Ok(()) };
        self.alarm.take();
        self.store.forget().await?;
        if !matches!(before.state, State::Settled { .. } | State::Refused { .. }) {
            self.log.record(&PaymentEvent { stage: Stage::Released, ..before.event(request_id) });
        }
        Ok(())
    }

    async fn response(&self) -> Result<PaidResponse, LedgerError> {
        let mut head = self.record().await?.and_then(|record| record.head).unwrap_or_default();
        if seeded::has(Bug::StoredStatusLost) {
            head.status = 200;
        }
        if seeded::has(Bug::StoredHeadersLost) {
            head.headers.clear();
        }
        Ok(PaidResponse { head, body: self.store.body().await? })
    }
}

/// A request's place among those that wait. Given up when it is dropped, as a cancelled request's is.
struct Waiting<'a> {
    among: &'a RefCell<Vec<String>>,
    holder: &'a str,
}

impl<'a> Waiting<'a> {
    fn join(among: &'a RefCell<Vec<String>>, holder: &'a str) -> Self {
        among.borrow_mut().push(holder.to_owned());
        Self { among, holder }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.among.borrow_mut().retain(|waiting| waiting != self.holder);
    }
}
