//! What stands around a request's story on any platform: the first errand, the story, the errands that are due beside its
//! answer, the location's counter, and the word to the ledger that the response left.
//!
//! Surprising constraint: a platform may end everything with the answer. So whatever is to happen after it goes through
//! [`Later`], and takes the server along.

mod catalogue;
mod operators;
mod schedule;

use crate::{
    answer::Answer,
    directory::stored::StoredTenants,
    dispatcher::{Dispatcher, Handled},
    message::Inbound,
    platform::{Hosting, InboundOf, IsolateMemory, OutboundOf, Ports, Surroundings},
    platform_api,
    ports::{EventQueue, HealthObject, Later, TroubleLog},
    quarantine::{Errand, QuarantineObject},
    telemetry::{
        Trouble,
        outbox::{Outbox, PAUSE_MS},
    },
};
use std::rc::Rc;
use x402_paywall::{
    Ticket, UnixMillis,
    health::{Board, News},
    ports::Clock,
};

/// The time that an answer may be on its way after the platform has it. To call it handed over at once would deny it to a
/// caller whose connection broke under it. The price is a wait before another use of a spent payment is refused. It is far
/// below the ledger's delivery lease, after which the answer would be given away again.
const ON_ITS_WAY_MS: u64 = 1_000;

/// The time for which whoever tells the ledger waits for others. With [`ON_ITS_WAY_MS`] far below the delivery lease.
const TOGETHER_MS: u64 = 1_000;

/// A dispatcher with what stands around it, made for one request.
pub struct Server<P: Hosting> {
    dispatcher: Dispatcher<P>,
    surroundings: Surroundings<P>,
    memory: IsolateMemory,
}

/// An answer that has not left yet.
pub struct Served<P: Hosting> {
    pub answer: Answer<OutboundOf<P>>,
    /// With paid content: to be told once the platform has the answer.
    pub departure: Option<Departure<P>>,
}

/// A paid response that is about to leave.
pub struct Departure<P: Hosting> {
    server: Rc<Server<P>>,
    ticket: Ticket,
}

impl<P: Hosting> Departure<P> {
    /// Tells the ledger whether the response left, by what `has_left` says a second later. A caller that is gone by then can
    /// come back and collect. What leaves in the second after that is told along with it: a call to the ledger for each would be
    /// a fifth of what a payment costs.
    pub fn confirm(self, has_left: impl FnOnce() -> bool + 'static) {
        let Self { server, ticket } = self;
        let asked = Rc::clone(&server);
        server.surroundings.later.run(async move {
            let Server { dispatcher, memory, .. } = &*asked;
            dispatcher.clock().sleep(ON_ITS_WAY_MS).await;
            if !memory.departures.add(ticket.departed(has_left()), dispatcher.clock().now()) {
                return;
            }
            dispatcher.clock().sleep(TOGETHER_MS).await;
            for (payment, error) in dispatcher.all_handed_over(memory.departures.take()).await {
                dispatcher.log().trouble(&Trouble::LostConfirmation { payment: &payment, error });
            }
        });
    }
}

impl<P: Hosting> Server<P> {
    pub fn new(ports: Ports<P>, surroundings: Surroundings<P>, memory: IsolateMemory) -> Rc<Self> {
        Rc::new(Self { dispatcher: Dispatcher::new(ports, memory.clone()), surroundings, memory })
    }

    /// Answers one request, and starts what is due beside its answer.
    pub async fn serve(self: Rc<Self>, request: &InboundOf<P>) -> Served<P> {
        if platform_api::is_platform_path(request.path()) {
            let answer = self.answer_operator(request).await;
            self.send_events();
            return Served { answer, departure: None };
        }
        if let Some(answer) = self.answer_catalogue(request).await {
            return Served { answer, departure: None };
        }
        if let Some(errand) = self.memory.warden.first() {
            self.run(errand).await;
        }
        let Handled { answer, leaving } = self.dispatcher.handle(request).await;
        self.start_errands();
        let departure = leaving.map(|ticket| Departure { server: self, ticket });
        Served { answer, departure }
    }

    /// Starts whatever this isolate has to ask or tell by now.
    fn start_errands(self: &Rc<Self>) {
        let (later, now) = (&self.surroundings.later, self.now());
        if let Some(job) = self.dispatcher.tenants().due() {
            let server = Rc::clone(self);
            later.run(async move { server.dispatcher.tenants().refresh(job).await });
        }
        if let Some(errand) = self.memory.warden.due(now) {
            let server = Rc::clone(self);
            later.run(async move { server.run(errand).await });
        }
        if let Some((board, news)) = self.memory.board.as_ref().and_then(|board| Some((board, board.due(now)?))) {
            let (server, board) = (Rc::clone(self), Rc::clone(board));
            later.run(async move {
                let Self { dispatcher, surroundings, .. } = &*server;
                exchange_health(&board, news, &surroundings.health, dispatcher.clock(), dispatcher.log()).await;
            });
        }
        if let Some(questions) = self.memory.gate.questions() {
            let server = Rc::clone(self);
            later.run(async move { questions.ask(&server.surroundings.limiter, server.dispatcher.clock()).await });
        }
        self.send_events();
    }

    /// Has somebody send this isolate's events, unless somebody is about to.
    fn send_events(self: &Rc<Self>) {
        let Some(outbox) = self.memory.outbox.as_ref().filter(|outbox| outbox.wants_sender(self.now())) else { return };
        let (server, outbox) = (Rc::clone(self), Rc::clone(outbox));
        self.surroundings.later.run(async move {
            let Self { dispatcher, surroundings, .. } = &*server;
            send_events(&outbox, &surroundings.events, dispatcher.clock(), dispatcher.log()).await;
        });
    }

    /// Sees to what the warden wants to tell or know.
    async fn run(&self, errand: Errand) {
        let Self { dispatcher, surroundings, memory } = self;
        let send = async |call| surroundings.quarantines.call(call).await;
        if let Err(error) = memory.warden.run(errand, dispatcher.clock(), send).await {
            dispatcher.log().trouble(&Trouble::QuarantineUnavailable(error));
        }
    }

    fn now(&self) -> UnixMillis {
        self.dispatcher.clock().now()
    }
}

/// Sends what waits, a pause from now. For after an answer: no payment waits for it. What cannot be sent stands in the log, and
/// is counted.
pub async fn send_events(outbox: &Outbox, queue: &impl EventQueue, clock: &impl Clock, log: &impl TroubleLog) {
    clock.sleep(PAUSE_MS).await;
    while let Some(parcel) = outbox.take() {
        if let Err(why) = queue.send(&parcel).await {
            outbox.failed(&parcel);
            log.trouble(&Trouble::TelemetryUnavailable(why));
            // Whoever comes next takes over from a sender that did not come back, and not before.
            return;
        }
    }
}

/// Tells the one object what a board saw, and has the board learn what all boards saw. For after an answer: no payment waits
/// for it.
pub async fn exchange_health(
    board: &Board,
    news: News,
    object: &impl HealthObject,
    clock: &impl Clock,
    log: &impl TroubleLog,
) {
    match object.exchange(news).await {
        Ok(snapshot) => board.merge(snapshot, clock.now()),
        Err(error) => {
            board.failed(clock.now());
            log.trouble(&Trouble::HealthUnavailable(error));
        }
    }
}
