//! Keeps one payment's record: writes what the machine decided, then does it. The only caller of facilitators.
//!
//! One keeper per payment key, on one thread. Calls may overlap while one awaits a facilitator; `busy` tells the machine
//! so. It is a deadline and not a flag, because a runtime that drops a future half way would leave a flag set for ever.

use super::{
    ClaimReply, Collection, Delivery, Record, Reply, SettleReply, SharedClaim, State,
    books::OnChain,
    identifier::{Bound, Owner, ScopedIdentifier},
    machine::{self, ASK_AGAIN_MIN_MS, CALL_LIMIT_MS, Event, Next, Now, RING_AGAIN_MS, Wake},
    patience::settle_timeout_ms,
};
use crate::{
    Reason, UnixMillis,
    asker::{Asker, Verified},
    chain::{ChainNodes, InTime, Look, Word},
    facilitator::{
        Facilitators,
        traced::Traced,
        transport::FacilitatorTransport,
        verdict::{Open, SettleVerdict, Settlement},
    },
    health::Board,
    ledger::port::{Identifiers, PaymentLog, RecordStore},
    ledger_error::LedgerError,
    response::PaidResponse,
    telemetry::{Attempt, PaymentEvent, Stage},
    time::Clock,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use x402_protocol::PaymentFlow;

/// How often a payment tries to take over a name from one that has bought nothing: meanwhile a third may have done so.
const TAKE_OVERS: usize = 4;
/// How long a request waits for another that holds the same payment, before it is told to come back.
pub const WAIT_LIMIT_MS: u64 = 10_000;
/// The time before a settlement was known from which its transfer is looked for.
const SOUGHT_BEFORE_MS: u64 = 3_600_000;
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
    chain: Option<ChainNodes>,
    busy_until: Cell<UnixMillis>,
    /// How often in a row an alarm could not do its work.
    failed_alarms: Cell<u32>,
    /// When the alarm rings; `None` where that is not known.
    alarm: Cell<Option<UnixMillis>>,
    /// The record as it stands; `None` until it was read. A claim that nobody has verified yet stands here alone.
    cache: RefCell<Option<Option<Record>>>,
    /// Whether there is a record in the store.
    is_stored: Cell<bool>,
    /// For whom the tenant ran when the record was first read.
    inherited: RefCell<Option<String>>,
}

/// A settlement that is asked about.
#[derive(Clone, Copy)]
struct Asking<'a> {
    record: &'a Record,
    facilitator: &'a str,
    /// How often its answer was lost.
    asked: u32,
    /// The request that waits for the answer.
    holder: Option<&'a str>,
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
            failed_alarms: Cell::new(0),
            chain: None,
            alarm: Cell::default(),
            cache: RefCell::default(),
            is_stored: Cell::default(),
            inherited: RefCell::default(),
        }
    }

    /// Reads the chain where a facilitator, asked again, still cannot say what became of a payment.
    #[must_use]
    pub fn with_chain(self, chain: Option<ChainNodes>) -> Self {
        Self { chain, ..self }
    }

    /// Claims the payment for the request `holder` and has it verified.
    pub async fn claim(&self, claim: impl Into<SharedClaim>, holder: &str) -> Result<ClaimReply, LedgerError> {
        self.present(Event::Claimed { claim: claim.into(), holder: holder.to_owned() }, holder).await
    }

    /// Gives the request `holder` what the payment bought before, and begins nothing.
    pub async fn collect(&self, collection: Collection, holder: &str) -> Result<ClaimReply, LedgerError> {
        self.present(Event::CameToCollect { collection, holder: holder.to_owned() }, holder).await
    }

    /// Waits for whoever holds the payment, for a while.
    async fn present(&self, event: Event, holder: &str) -> Result<ClaimReply, LedgerError> {
        let mut attempts = Vec::new();
        let began = self.clock.now();
        let reply = loop {
            match self.drive(event.clone(), Some(holder), None, &mut attempts).await? {
                Some(reply) => break reply,
                None if self.clock.now().since(began) >= WAIT_LIMIT_MS => {
                    break machine::after_waiting(self.record().await?.as_ref());
                }
                None => self.clock.sleep(WAIT_LOOK_MS).await,
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
        self.alarm.take();
        let woke = self.drive(Event::Woke, None, None, &mut Vec::new()).await.map(drop);
        let failed = if woke.is_err() { self.failed_alarms.get().saturating_add(1) } else { 0 };
        self.failed_alarms.set(failed);
        woke
    }

    /// The pause until an alarm rings again that has just failed: seconds at first, and then [`RING_AGAIN_MS`].
    #[must_use]
    pub fn ring_again_ms(&self) -> u64 {
        (ASK_AGAIN_MIN_MS << self.failed_alarms.get().saturating_sub(1).min(16)).min(RING_AGAIN_MS)
    }

    /// The record as it stands.
    pub async fn record(&self) -> Result<Option<Record>, LedgerError> {
        if let Some(record) = self.cache.borrow().as_ref() {
            return Ok(record.clone());
        }
        let record = self.store.load().await?;
        self.is_stored.set(record.is_some());
        self.inherited.replace(record.as_ref().and_then(Record::runs_for).map(str::to_owned));
        Ok(self.cache.borrow_mut().get_or_insert(record).clone())
    }

    /// The chain's word on the payment, whatever the record says.
    pub async fn on_chain(&self) -> Result<OnChain, LedgerError> {
        let Some(chain) = &self.chain else { return Ok(OnChain::NoNode) };
        let Some(record) = self.record().await? else { return Ok(OnChain::NoWord) };
        let now = self.clock.now();
        // It may have been asked about for a while before it was known.
        let since = UnixMillis(record.settled_at().unwrap_or(now).0.saturating_sub(SOUGHT_BEFORE_MS));
        let look = Look { claim: &record.claim, since, now, with_funds: false };
        Ok(match chain.look_up(&look, &self.transport).await.word {
            Word::Settled(transaction) => match record.state.transaction() {
                Some(own) if !own.eq_ignore_ascii_case(&transaction) => OnChain::Differs,
                _ => OnChain::Found,
            },
            Word::Used => OnChain::Found,
            Word::Never(_) | Word::Unused { .. } => OnChain::Missing,
            Word::NoNews => OnChain::NoWord,
        })
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
            let (settle_order, ask_again_at) = self.choices(before.as_ref(), &event, time);
            let busy = time < self.busy_until.get();
            let inherited = self.inherited.borrow().clone();
            let inherited = inherited.as_deref();
            let now = Now { time, busy, settle_order: &settle_order, ask_again_at, inherited };
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
            if asks {
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
            Next::Bind(identifier) => self.bind(&identifier, record).await?,
            Next::Unbind { identifier, then } => {
                self.identifiers.unbind(&identifier, &record.owner()).await?;
                Event::Unbound(then)
            }
            Next::AskVerify => Event::VerifyAnswered { verified: self.asker().verify(&record.claim, attempts).await },
            Next::AskSettle { facilitator, asked } => {
                let asking = Asking { record, facilitator: &facilitator, asked, holder };
                self.ask_settle(asking, attempts).await?
            }
            Next::Wait | Next::Reply(_) => panic!("there is nothing to do for a reply"),
        })
    }

    /// The payment that asks for a name now.
    fn owner(&self, record: &Record) -> Owner {
        Owner { since: self.clock.now(), ..record.owner() }
    }

    async fn bind(&self, identifier: &ScopedIdentifier, record: &Record) -> Result<Event, LedgerError> {
        let by = self.owner(record);
        let mut bound = self.identifiers.bind(identifier, &by).await?;
        for _ in 0..TAKE_OVERS {
            let Bound::Anothers(payment) = &bound else { break };
            if by.has_the_payer_of(payment) || self.identifiers.transaction_of(payment).await?.is_some() {
                break;
            }
            // Nothing was bought under it yet, and perhaps never will be.
            let instead = Owner { instead_of: Some(payment.clone()), ..by.clone() };
            bound = self.identifiers.bind(identifier, &instead).await?;
        }
        Ok(match bound {
            Bound::Yours => Event::Bound,
            Bound::Anothers(payment) => Event::Taken { transaction: self.named_to(record, &payment).await? },
        })
    }

    /// The transaction of the payment that has the identifier, for whoever has the same payer: it is nobody else's business.
    async fn named_to(&self, record: &Record, payment: &str) -> Result<Option<String>, LedgerError> {
        if record.owner().has_the_payer_of(payment) { self.identifiers.transaction_of(payment).await } else { Ok(None) }
    }

    /// Asks what became of a settlement: the chain first where one was lost, because it knows at once; else the facilitator,
    /// and the chain on whatever is not a yes.
    async fn ask_settle(&self, asking: Asking<'_>, attempts: &mut Vec<Attempt>) -> Result<Event, LedgerError> {
        let Asking { record, facilitator, asked, holder } = asking;
        let (claim, now) = (&record.claim, self.clock.now());
        if asked > 0
            && let Some(event) = self.told_by_the_chain(&asking, None).await
        {
            return self.noted(event, record).await;
        }
        let patience = |configured| settle_timeout_ms(configured, asked, &claim.window, now, holder.is_some());
        let asker = self.asker();
        let verdict = match holder {
            Some(_) if asked == 0 => asker.settle_for_caller(facilitator, claim, patience, attempts).await,
            _ => asker.settle(facilitator, claim, patience, attempts).await,
        };
        let verdict = self.unless_shown_before(verdict, record).await?;
        if asked == 0
            && let Some(event) = self.told_by_the_chain(&asking, Some(&verdict)).await
        {
            return self.noted(event, record).await;
        }
        Ok(Event::SettleAnswered { verdict, holder: holder.map(str::to_owned) })
    }

    /// The chain's word, where it settles the matter. `first` is what the facilitator said when it was asked for the first
    /// time: a yes is never held against the chain. Refused credentials are, for what refuses them may stand behind what
    /// moves the money.
    async fn told_by_the_chain(&self, asking: &Asking<'_>, first: Option<&SettleVerdict>) -> Option<Event> {
        let Asking { record, facilitator, holder, .. } = *asking;
        let chain = self.chain.as_ref()?;
        if matches!(first, Some(SettleVerdict::Settled(_))) {
            return None;
        }
        let claim = &record.claim;
        let since =
            record.state.first_asked_at().unwrap_or(UnixMillis(self.clock.now().0.saturating_sub(CALL_LIMIT_MS)));
        let said = match first {
            Some(SettleVerdict::Refused(reason) | SettleVerdict::Unknown { why: Open::Said(reason), .. }) => {
                Some(reason)
            }
            _ => None,
        };
        let with_funds = said.is_some_and(Reason::says_unfunded);
        let look = Look { claim, since, now: self.clock.now(), with_funds };
        let in_time = InTime::new(&self.transport, &self.clock, holder.is_some());
        let span = claim.trace.as_ref().map(|trace| trace.child("chain", self.clock.now()));
        let origin = claim.origin_of(span.as_deref());
        let report = chain.look_up(&look, &Traced { transport: &in_time, origin: origin.as_ref() }).await;
        if let Some(trouble) = &report.trouble {
            self.log.trouble(&claim.payment, trouble);
        }
        // Whoever was asked before may have moved it, whatever it said.
        let is_only_attempt = !matches!(&record.state, State::Settling { tried, .. } if !tried.is_empty());
        match report.word {
            // It has moved, or another purchase took it: whoever refuses our credentials did not look, or did more than that.
            Word::Used if matches!(first, Some(SettleVerdict::Unsent(_))) => {
                let why = Open::Said(Reason::ours("authorization_used"));
                let verdict = SettleVerdict::Unknown { why, transaction: None };
                Some(Event::SettleAnswered { verdict, holder: holder.map(str::to_owned) })
            }
            Word::NoNews | Word::Used | Word::Unused { .. } if said.is_none() => None,
            // With so little it cannot move any more, and it has not moved.
            Word::Unused { funded: Some(false) } if said.is_some_and(Reason::says_unfunded) => {
                said.cloned().map(Event::NeverSettled)
            }
            Word::NoNews | Word::Used | Word::Unused { .. } => None,
            Word::Never(reason) => Some(Event::NeverSettled(reason)),
            // It was spent before our own attempt, so it bought something else.
            Word::Settled(transaction) if is_only_attempt && said.is_some_and(Reason::says_spent) => {
                Some(Event::SpentElsewhere { transaction })
            }
            Word::Settled(transaction) => {
                let (payer, network, facilitator) = (claim.payer, claim.network, facilitator.to_owned());
                let verdict = SettleVerdict::Settled(Settlement { transaction, payer, network, facilitator });
                Some(Event::SettleAnswered { verdict, holder: holder.map(str::to_owned) })
            }
        }
    }

    /// The event, with the transaction of what the chain calls settled noted. The chain is believed whoever else was shown
    /// that transaction: it names this payment's own nonce.
    async fn noted(&self, event: Event, record: &Record) -> Result<Event, LedgerError> {
        if let Event::SettleAnswered { verdict: SettleVerdict::Settled(settlement), .. } = &event {
            self.identifiers.bind_transaction(&settlement.transaction, &self.owner(record)).await?;
        }
        Ok(event)
    }

    /// A success whose transaction another payment of the same payer was shown with is none: one transfer buys one content.
    async fn unless_shown_before(&self, verdict: SettleVerdict, record: &Record) -> Result<SettleVerdict, LedgerError> {
        let SettleVerdict::Settled(settlement) = verdict else { return Ok(verdict) };
        match self.identifiers.bind_transaction(&settlement.transaction, &self.owner(record)).await? {
            Bound::Yours => Ok(SettleVerdict::Settled(settlement)),
            Bound::Anothers(payment) => {
                let trouble = format!("transaction {} was shown for {payment} before", settlement.transaction);
                self.log.trouble(&record.claim.payment, &trouble);
                let why = Open::Said(Reason::ours("transaction_of_another_payment"));
                Ok(SettleVerdict::Unknown { why, transaction: None })
            }
        }
    }

    /// Whom a first settle may go to, and from when on a lost one may be asked about, as the board has it now.
    fn choices(&self, record: Option<&Record>, event: &Event, now: UnixMillis) -> (Vec<String>, UnixMillis) {
        if let Some(Record { claim, state, .. }) = record {
            match state {
                State::Naming { facilitator } | State::Verified { facilitator, .. } => {
                    return (self.board.settle_order(claim, facilitator, now), now);
                }
                State::Settling { facilitator, .. } | State::Unknown { facilitator, .. } => {
                    let order = self.board.settle_order(claim, facilitator, now);
                    return (order, self.board.may_ask_again_at(facilitator, now));
                }
                _ => {}
            }
        }
        match (record.map(|record| &record.claim), event) {
            // Upfront, it is settled as soon as it is verified.
            (Some(claim), Event::VerifyAnswered { verified: Verified::Valid(by) })
                if claim.flow == PaymentFlow::Upfront =>
            {
                (self.board.settle_order(claim, by, now), now)
            }
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
        // A stranger's payment costs no storage and no alarm until somebody has said that it holds. A crash loses nothing by
        // it: nothing was asked to move money, and no name was taken.
        if matches!(after.state, State::Claimed) {
            if before.is_none_or(|before| before.state.is_news_after(&after.state)) {
                self.log.record(&after.event(request_id));
            }
            return Ok(());
        }
        // An alarm that is to ring earlier is set before the record that needs it, one that may ring later after it: so a
        // crash in between finds the alarm too early and never too late.
        if let Wake::By(at) = wake
            && self.alarm.get().is_none_or(|alarm| at < alarm)
        {
            self.wake_at(at).await?;
        }
        let responded = after.head.is_some() && before.as_ref().is_none_or(|before| before.head.is_none());
        let same = |before: &Record| before.state == after.state && before.holder == after.holder;
        let changed = !before.as_ref().is_some_and(same);
        let before = before.map(|before| before.state);
        if changed {
            let body = if responded { body.take() } else { None };
            self.store.save(after, body).await?;
            self.is_stored.set(true);
        }
        if let Wake::At(at) = wake {
            self.wake_at(at).await?;
        }
        if responded {
            self.log.record(&PaymentEvent { stage: Stage::Executed, ..after.event(request_id) });
        }
        if before.is_none_or(|before| before.is_news_after(&after.state)) {
            self.log.record(&after.event(request_id));
        }
        let spent = matches!(after.state, State::Settled { delivery: Delivery::HandedOver, .. });
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
        if self.is_stored.get() {
            self.store.forget().await?;
            self.is_stored.set(false);
        }
        if !matches!(before.state, State::Settled { .. } | State::Refused { .. }) {
            self.log.record(&PaymentEvent { stage: Stage::Released, ..before.event(request_id) });
        }
        Ok(())
    }

    async fn response(&self) -> Result<PaidResponse, LedgerError> {
        let head = self.record().await?.and_then(|record| record.head).unwrap_or_default();
        Ok(PaidResponse { head, body: self.store.body().await? })
    }
}
