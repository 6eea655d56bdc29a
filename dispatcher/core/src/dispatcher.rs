//! A request's story, top to bottom: resolve -> admit -> challenge -> claim -> verify -> execute -> settle -> hand over ->
//! record.
//!
//! Challenge to settle are one call, [`Paywall::sell`], which runs the tenant in the middle: so nothing here can run a
//! tenant unpaid or let a response leave unsettled.

mod course;
mod former;

use crate::{
    admission::{ADDRESS, Admitted, Brings, Came, Entered, Payer, Runs, Source, Tenancy, TurnedAway, Visit},
    answer::{Answer, Body},
    confinement::confined,
    cors::{self, Readers},
    credential_headers,
    egress::PolicyOf,
    hygiene::{self, FORWARDED_FOR, PREFIX, REQUEST_ID, TENANT_ID, may_not_enter},
    message::{CollectError, Inbound, Outbound},
    mount::Mount,
    passed::{Gift, Passed, Trade},
    platform::{InboundOf, IsolateMemory, OutboundOf, Platform, Ports},
    ports::{Dispatch, Namespace, Randomness, RequestLog},
    refusal::Refusal,
    resolve::{Place, Resolution, ResolveError, Resolved, resolve},
    sign_in,
    telemetry::RequestLine,
    tenant::{SharedOrigin, Tenant},
    tenant_failure::{TIME_LIMIT_MS, TenantFailure},
    within::within,
};
use course::Course;
use former::Former;
use x402_paywall::{
    Denial, Fingerprint, Origin, PaidResponse, Paywall, Presented, Price, Purchase, Ran, Seller, Sold, Ticket,
    UnixMillis,
    health::CannotServe,
    ledger::Departed,
    paywall::{self, Plausible, receipt},
    ports::{Clock, LedgerError},
    response::{MAX_RESPONSE_BYTES, MAX_RESPONSE_HEADER_BYTES, ResponseHead},
    telemetry::Attempt,
    trace::TRACEPARENT,
};
use x402_protocol::{PaymentFlow, Version, header};

/// Longest URL that a bill repeats. It travels as base64 in a header, of which intermediaries take some 8 kB; the offer and
/// the listing need the rest.
const MAX_RESOURCE_URL_BYTES: usize = 2_048;

/// All that a caller sends about payments, in characters: two generations of one payment, and the proof of a wallet.
const MAX_PAYMENT_HEADER_CHARS: usize = header::MAX_HEADER_CHARS / 2 * 3;

/// Largest request body that is read for a payment. It is held until the tenant has it.
const MAX_PAID_REQUEST_BYTES: usize = 8 * 1024 * 1024;
/// How long such a body may take to arrive.
const BODY_WITHIN_MS: u64 = 30_000;

/// The dispatcher over a platform's ports.
pub struct Dispatcher<P: Platform> {
    tenants: P::Tenants,
    namespace: P::Namespace,
    paywall: Paywall<P::Ledger>,
    clock: P::Clock,
    randomness: P::Randomness,
    log: P::Log,
    memory: IsolateMemory,
}

/// The result of a request.
#[derive(Debug)]
pub struct Handled<O> {
    pub answer: Answer<O>,
    /// With paid content: to be confirmed by [`Dispatcher::handed_over`] once the answer has left.
    pub leaving: Option<Ticket>,
}

/// Content for a caller, with what is still owed for it.
struct Content<O> {
    answer: Answer<O>,
    leaving: Option<Ticket>,
}

impl<O: Outbound> Content<O> {
    fn confined(self, request: &impl Inbound, place: &Place, shared: SharedOrigin) -> Self {
        let mount = place.mount.as_deref().map(|path| Mount {
            path,
            origin: request.origin(),
            below: &place.path,
            is_bare: request.path() == path,
            is_trusted: shared == SharedOrigin::Trusted,
        });
        Self { answer: confined(self.answer, mount.as_ref()), ..self }
    }

    fn read_by(self, readers: &Readers) -> Self {
        Self { answer: readers.of_theirs(self.answer), ..self }
    }
}

impl<P: Platform> Dispatcher<P> {
    pub fn new(ports: Ports<P>, memory: IsolateMemory) -> Self {
        let Ports { namespace, ledger, clock, randomness, log, tenants } = ports;
        Self { tenants, namespace, paywall: Paywall::new(ledger), clock, randomness, log, memory }
    }

    pub(crate) fn tenants(&self) -> &P::Tenants {
        &self.tenants
    }

    pub(crate) fn ledger(&self) -> &P::Ledger {
        self.paywall.ledger()
    }

    pub(crate) fn clock(&self) -> &P::Clock {
        &self.clock
    }

    pub(crate) fn randomness(&self) -> &P::Randomness {
        &self.randomness
    }

    pub(crate) fn log(&self) -> &P::Log {
        &self.log
    }

    /// Answers one request and writes its one line.
    pub async fn handle(&self, request: &InboundOf<P>) -> Handled<OutboundOf<P>> {
        let began = self.clock.now();
        let course = Course::begin(self.randomness.request_id(), request.header(TRACEPARENT).as_deref());
        let mut line = RequestLine { request_id: course.request_id.clone(), ..RequestLine::default() };
        line.route = format!("{} {}", request.method(), request.path());
        let source = Source::of(request);
        let mut readers = Readers::default();
        let told = match self.resolve(request).await {
            Err(error) => {
                // That the directory cannot be read is not the caller's flood.
                let lost = match error {
                    ResolveError::Unavailable => Ok(()),
                    ResolveError::InvalidKey => self.lost(request, source.as_ref(), began),
                };
                let refusal = lost.map_or_else(Refusal::from, |()| error.into());
                Err(Refused::by_us(refusal, &line.request_id))
            }
            Ok(Resolution::Nobody(place)) => {
                let told = self.turn_away(request, &place, source.as_ref(), (began, &course), &mut line).await;
                told.map(|content| content.confined(request, &place, SharedOrigin::Sandboxed))
            }
            Ok(Resolution::Tenant(resolved)) => {
                if let Trade::Sells(_) = Trade::of(&resolved.tenant, &resolved.place.path) {
                    readers = Readers::of(resolved.tenant.cors.as_ref(), request);
                }
                line.tenant_id = Some(resolved.tenant.id.clone());
                line.limits = self.memory.warden.limits(&resolved.tenant, began).1.map(Into::into);
                line.route = format!("{} {}", request.method(), resolved.place.path);
                let told = self.serve(request, &resolved, source.as_ref(), (began, &course), &mut line).await;
                told.map(|content| content.confined(request, &resolved.place, resolved.tenant.shared_origin))
            }
        };
        let content = told.unwrap_or_else(|Refused { code, answer }| {
            line.code = Some(code);
            Content { answer: readers.of_ours(answer), leaving: None }
        });
        let mut answer = content.answer.with(REQUEST_ID, &line.request_id);
        if let Some(tenant_id) = &line.tenant_id {
            answer = answer.with(TENANT_ID, tenant_id);
        }
        line.status = answer.status;
        line.run = course.run();
        line.trace = Some(course.trace);
        line.ms = self.clock.now().since(began);
        for alert in self.memory.gate.alerts() {
            self.log.alert(&alert);
        }
        self.log.record(&line.bounded());
        Handled { answer, leaving: content.leaving }
    }

    /// Whoever is behind the names of a request. At the dashboard's host that is nobody: whatever is served there has the origin
    /// that an operator's session is good for.
    async fn resolve(&self, request: &InboundOf<P>) -> Result<Resolution, ResolveError> {
        if self.memory.is_dashboard(request.host()) {
            return Err(ResolveError::InvalidKey);
        }
        resolve(&self.tenants, request).await
    }

    /// Says whether a paid response left for its caller. For after the answer, not on its path.
    pub async fn handed_over(&self, ticket: &Ticket, delivered: bool) -> Result<(), LedgerError> {
        self.paywall.handed_over(ticket, delivered).await
    }

    /// The same of many at once. Gives those that could not be noted.
    pub async fn all_handed_over(&self, departed: Vec<Departed>) -> Vec<(String, LedgerError)> {
        self.paywall.all_handed_over(departed).await
    }

    /// Admits the request, and sells what it asks for or gives it away.
    async fn serve(
        &self,
        request: &InboundOf<P>,
        to: &Resolved,
        source: Option<&Source>,
        (began, course): (UnixMillis, &Course),
        line: &mut RequestLine,
    ) -> Told<OutboundOf<P>> {
        let tenant = &*to.tenant;
        let trade = Trade::of(tenant, &to.place.path);
        // A HEAD has no content to sell: it always gets the 402 that a GET would.
        let unsold = request.method() == "HEAD";
        let payment = Some(request).filter(|_| !unsold).and_then(payment_of);
        let payment = payment.as_ref().map(|(version, header)| Presented { version: *version, header });
        let brings = match (trade, &payment) {
            (Trade::Gives(_), _) => Brings::Nothing,
            (Trade::Sells(_), _) if is_preflight(request) => Brings::Preflight,
            (Trade::Sells(_), None) => Brings::NoPayment,
            (Trade::Sells(_), Some(presented)) => Brings::Payment(presented.header),
        };
        let tenancy = Some(Tenancy { id: &tenant.id, rates: self.memory.warden.rates(tenant, began) });
        let (method, path) = (request.method(), to.place.path.as_str());
        let entered = match self.memory.gate.enter(Visit { source, tenancy, method, path, brings, at: began }) {
            // Refused, a browser would not even let the page pay, or collect what it has paid for.
            Err(_) if matches!(brings, Brings::Preflight) => return Ok(permitted_by_us(tenant, request)),
            entered => entered.map_err(|away| Refused::by_us(away, &line.request_id))?,
        };
        match (trade, brings) {
            (Trade::Sells(_), Brings::Preflight) => Ok(permitted_by_us(tenant, request)),
            (Trade::Sells(price), _) => self.sell(request, to, price, payment, entered, (course, line)).await,
            // Where everything is free now, a page may still have something to collect.
            (Trade::Gives(gift), _) if is_preflight(request) && cors::asks_to_pay(request) => {
                Ok(self.permit(request, to, gift, course).await)
            }
            (Trade::Gives(gift), _) => {
                if let Some(payment) = payment {
                    let seller = Seller::Gives { id: &tenant.id };
                    let former = Former { place: &to.place, seller, payment, source, began, course };
                    if let Ok(Some(told)) = self.collect(request, &former, Some(to), line).await {
                        return told;
                    }
                }
                self.give(request, to, gift, entered.runs(), course).await
            }
        }
    }

    /// Admits a request for what we ourselves tell everybody, as one for nobody is.
    pub(crate) fn stranger(&self, request: &InboundOf<P>) -> Result<(), Refusal> {
        self.lost(request, Source::of(request).as_ref(), self.clock.now()).map_err(Refusal::from)
    }

    /// A request that is nobody's: its address is held to what it may send unpaid.
    pub(crate) fn lost(
        &self,
        request: &InboundOf<P>,
        source: Option<&Source>,
        at: UnixMillis,
    ) -> Result<(), TurnedAway> {
        let (method, path) = (request.method(), request.path());
        let visit = Visit { source, tenancy: None, method, path, brings: Brings::NoPayment, at };
        self.memory.gate.enter(visit).map(drop)
    }

    async fn give(
        &self,
        request: &InboundOf<P>,
        to: &Resolved,
        gift: Gift,
        runs: Runs<'_>,
        course: &Course,
    ) -> Told<OutboundOf<P>> {
        match self.execute(request, to, runs, course).await {
            Ok(response) => Ok(pass_through(Passed::given(response, gift), Vec::new())),
            Err(failure) => Err(Refused::by_us(failure, &course.request_id)),
        }
    }

    /// Answers a browser that asks whether a page may send a payment to a tenant that gives. Which pages may use the tenant
    /// is the tenant's to say; that they may pay is ours.
    async fn permit(
        &self,
        request: &InboundOf<P>,
        to: &Resolved,
        gift: Gift,
        course: &Course,
    ) -> Content<OutboundOf<P>> {
        // Nothing is made of how it ends: a preflight costs its sender nothing, and must not have the tenant put away.
        let ran = within(TIME_LIMIT_MS, &self.clock, self.run(request, to, course)).await;
        if let Some(Ok(response)) = ran
            && let Some(set) = cors::added_to_preflight(response.status(), &response.headers())
        {
            return pass_through(Passed::given(response, gift), set);
        }
        permitted_by_us(&to.tenant, request)
    }

    /// Challenge, claim, verify, execute, settle, hand over.
    async fn sell(
        &self,
        request: &InboundOf<P>,
        to: &Resolved,
        price: &Price,
        payment: Option<Presented<'_>>,
        entered: Entered<'_>,
        (course, line): (&Course, &mut RequestLine),
    ) -> Told<OutboundOf<P>> {
        let visit = *entered.visit();
        let (url, request_id) = (resource_url(request), line.request_id.clone());
        let readers = Readers::of(to.tenant.cors.as_ref(), request);
        let origin = origin_of(request, visit.source, &to.tenant.credential_headers);
        let seller = Seller::Asks { id: &to.tenant.id, price, facilitators: &to.tenant.facilitators };
        let purchase = purchase_of(request, &to.place, seller, payment, &origin, &request_id, visit.at);
        let purchase = Purchase { url: &url, ..purchase };
        let deny = |denial: Denial| Refused::by_the_paywall(&denial, &purchase);

        // What was bought before can be collected from whoever begins nothing new.
        let is_away = self.memory.warden.has(&to.tenant, visit.at);
        let closed = if !self.can_be_settled(to, price, payment.as_ref(), visit.at) {
            // An offer that nobody could settle would only make callers sign for nothing.
            Some(Denial::FacilitatorsUnavailable)
        } else {
            // What is paid first is not begun where hardly anything may run.
            Some(Denial::NotSelling).filter(|_| price.offer().flow == PaymentFlow::Upfront && is_away)
        };
        if let Some(denial) = closed.clone().filter(|_| payment.is_none()) {
            return Err(deny(denial));
        }
        if !payment_headers_fit(request) {
            entered.malformed();
            return Err(Refused::by_us(Refusal::PaymentTooLarge, &request_id));
        }
        let plausible = match (self.paywall.plausible(&purchase), closed) {
            (Ok(plausible), Some(denial)) => plausible.only_to_collect(denial),
            (Ok(plausible), None) => plausible,
            (Err(denial), closed) => {
                entered.malformed();
                return Err(deny(closed.filter(|_| denial.carries_offer()).unwrap_or(denial)));
            }
        };
        // Before it takes up anything that others wait for: how long a body takes is its sender's to say.
        let content = entered.reading(self.content_of(request)).await;
        let content = content.map_err(|away| Refused::by_us(away, &request_id))?;
        let content = content.map_err(|refusal| Refused::by_us(refusal, &request_id))?;
        let plausible = plausible.with_content(content);
        let admitted = admit(entered, &plausible).map_err(|away| Refused::by_us(away, &request_id))?;
        let proof = proof_of(request, &plausible, visit.at);
        let plausible = plausible.with_proof(proof).with_trace(course.trace.clone());
        let run = async || self.produce(request, to, &admitted, course).await;
        let told = self.paywall.sell_to(&purchase, plausible, run).await;
        admitted.outcome(came_of(&told), self.clock.now());
        content_of(told, &purchase, &readers, line)
    }

    /// Whether anybody could settle this tenant's offer, as far as this isolate knows.
    fn can_be_settled(&self, to: &Resolved, price: &Price, payment: Option<&Presented<'_>>, now: UnixMillis) -> bool {
        let facilitators = &to.tenant.facilitators;
        let Some(board) = &self.memory.board else { return !facilitators.is_empty() };
        let version = payment.map(|payment| payment.version);
        match board.can_serve(facilitators, price.offer().network, version, now) {
            Ok(()) => true,
            // Who has signed already comes as far as the ledger, which lets some try.
            Err(CannotServe::Quarantined) => payment.is_some(),
            Err(CannotServe::Unlisted) => false,
        }
    }

    /// The fingerprint of what comes with the request: a payment buys the answer to this body and to no other.
    async fn content_of(&self, request: &InboundOf<P>) -> Result<Fingerprint, Refusal> {
        let body = within(BODY_WITHIN_MS, &self.clock, request.body(MAX_PAID_REQUEST_BYTES)).await;
        let body = body.unwrap_or(Err(CollectError::Broken)).map_err(|error| match error {
            CollectError::TooLarge => Refusal::RequestTooLarge,
            CollectError::Broken => Refusal::RequestIncomplete,
        })?;
        if body.is_empty() {
            return Ok(Fingerprint::default());
        }
        let kind = request.header("content-type").unwrap_or_default();
        Ok(Fingerprint::of([kind.as_bytes(), &body]))
    }

    /// The goods of the tenant, if it has them in time.
    async fn produce(
        &self,
        request: &InboundOf<P>,
        to: &Resolved,
        admitted: &Admitted<'_>,
        course: &Course,
    ) -> Ran<Unsold<OutboundOf<P>>> {
        admitted.verified(self.clock.now());
        let ran = within(TIME_LIMIT_MS, &self.clock, self.for_sale(request, to, course)).await;
        let ran = ran.unwrap_or_else(|| Ran::Unsold(Err(TenantFailure::TimeLimit.into())));
        let ended = match &ran {
            Ran::Unsold(Ok(response)) => Ok(response.status()),
            Ran::Unsold(Err(Refusal::Tenant(failure))) => Err(*failure),
            // Its own answer, be it too large to be sold.
            Ran::Content(_) | Ran::Unsold(Err(_)) => Ok(200),
        };
        self.note(&to.tenant, admitted.runs(), ended);
        ran
    }

    /// Anything below 300 that is small enough to be held until it is paid for.
    async fn for_sale(&self, request: &InboundOf<P>, to: &Resolved, course: &Course) -> Ran<Unsold<OutboundOf<P>>> {
        match self.run(request, to, course).await {
            // A switch of protocols has no body to hold until it is paid for, and passing it on would be giving it away.
            Ok(response) if response.status() < 200 => Ran::Unsold(Err(TenantFailure::Threw.into())),
            Ok(response) => match Passed::unsold(response) {
                Ok(passed) => Ran::Unsold(Ok(passed)),
                Err(response) => match hold(response).await {
                    Ok(held) => Ran::Content(held),
                    Err(refusal) => Ran::Unsold(Err(refusal)),
                },
            },
            Err(failure) => Ran::Unsold(Err(failure.into())),
        }
    }

    /// Runs the tenant's Worker for nothing. For as long as it likes: no payment and no memory of ours waits for it, what it
    /// streams goes on to its caller as it comes, and with the caller goes the run.
    async fn execute(
        &self,
        request: &InboundOf<P>,
        to: &Resolved,
        runs: Runs<'_>,
        course: &Course,
    ) -> Result<OutboundOf<P>, TenantFailure> {
        let ran = self.run(request, to, course).await;
        self.note(&to.tenant, runs, ran.as_ref().map(Outbound::status).map_err(|failure| *failure));
        ran
    }

    /// Takes note of how a run ended: the status of what it answered, or why it did not.
    fn note(&self, tenant: &Tenant, runs: Runs<'_>, ended: Result<u16, TenantFailure>) {
        let now = self.clock.now();
        let failed = ended.map_or_else(TenantFailure::is_the_tenants, |status| status >= 500);
        runs.ended(&tenant.id, failed, now);
        if let Some(alert) = self.memory.warden.ran(tenant, (runs.origin(), runs.path()), ended.err(), now) {
            self.log.alert(&alert);
        }
    }

    async fn run(
        &self,
        request: &InboundOf<P>,
        to: &Resolved,
        course: &Course,
    ) -> Result<OutboundOf<P>, TenantFailure> {
        let tenant = &*to.tenant;
        let traceparent = course.runs(self.clock.now());
        let mut set = vec![
            (REQUEST_ID, course.request_id.as_str()),
            (TRACEPARENT, traceparent.as_str()),
            (TENANT_ID, tenant.id.as_str()),
        ];
        set.extend(to.place.mount.as_deref().map(|mount| (PREFIX, mount)));
        let address = request.header(ADDRESS);
        set.extend(address.as_deref().map(|address| (FORWARDED_FOR, address)));
        let (limits, _) = self.memory.warden.limits(tenant, self.clock.now());
        let script = tenant.script.as_str();
        let egress = PolicyOf { tenant_id: &tenant.id, egress: &tenant.egress };
        let dispatch = Dispatch { script, limits, egress, path: &to.place.path, strip: may_not_enter, set: &set };
        let ran = self.namespace.run(dispatch, request).await;
        course.ran(ran.as_ref().map(Outbound::status).map_err(|failure| *failure), self.clock.now());
        ran
    }
}

/// Our answer to a preflight, within what the tenant's record says while it sells.
fn permitted_by_us<O>(tenant: &Tenant, request: &impl Inbound) -> Content<O> {
    let sells = tenant.price.is_some();
    permitted(tenant.cors.as_ref().filter(|_| sells), request)
}

fn permitted<O>(policy: Option<&cors::Policy>, request: &impl Inbound) -> Content<O> {
    Content { answer: cors::preflight(policy, request), leaving: None }
}

/// The second step of admission, with what the payment says of itself.
fn admit<'a>(entered: Entered<'a>, plausible: &Plausible) -> Result<Admitted<'a>, TurnedAway> {
    let address = plausible.payer().to_string();
    let payer = Payer { address: &address, is_signer: plausible.signer().is_some() };
    entered.admit(plausible.key(), payer)
}

/// The outcome of a sale, for admission.
fn came_of<U>(told: &paywall::Told<Sold<U>>) -> Came {
    match &told.answer {
        Sold::Content { .. } => Came::Bought,
        // Paid for, and not had yet.
        Sold::Owed { .. } => Came::Kept,
        Sold::Unsold(_) => Came::Nothing,
        Sold::Denied(denial) => match denial {
            Denial::SettlementPending { .. } => Came::Kept,
            Denial::PaymentInProgress => Came::InUse,
            Denial::LedgerUnavailable => Came::Lost,
            Denial::AlreadyUsed { .. } | Denial::IdentifierConflict { .. } => Came::Spent,
            // Where every breaker is open, nobody was asked, and the payment is not why.
            Denial::FacilitatorsUnavailable if told.attempts.iter().any(Attempt::was_made) => Came::Unanswered,
            Denial::FacilitatorsUnavailable | Denial::NotSelling => Came::Nothing,
            Denial::IdentifierRequired | Denial::InvalidIdentifier(_) => Came::Malformed,
            _ => Came::Worthless,
        },
    }
}

/// A tenant's response that is not for sale, or why there is none.
type Unsold<O> = Result<Passed<O>, Refusal>;

type Told<O> = Result<Content<O>, Refused<O>>;

/// No content, and what is said in its place.
struct Refused<O> {
    code: String,
    answer: Answer<O>,
}

impl<O> Refused<O> {
    fn by_us(refusal: impl Into<Refusal>, request_id: &str) -> Self {
        let refusal = refusal.into();
        Self { code: refusal.code().to_owned(), answer: Answer::refusal(&refusal, request_id) }
    }

    fn by_the_paywall(denial: &Denial, purchase: &Purchase<'_>) -> Self {
        let bill = purchase.bill();
        let sign_in = denial.sign_in(purchase.url, purchase.request_id, purchase.now);
        let answer = Answer::json_text(denial.status(), denial.body(bill.as_ref(), purchase.request_id, sign_in));
        let headers = denial.headers(bill.as_ref(), purchase.version()).into_iter();
        let answer = headers.fold(answer, |answer, (name, value)| answer.with(name, value));
        Self { code: denial.code().to_owned(), answer }
    }
}

/// The wares that a request asks for, of whoever is there. Its URL is for bills.
fn purchase_of<'a>(
    request: &'a impl Inbound,
    place: &'a Place,
    seller: Seller<'a>,
    payment: Option<Presented<'a>>,
    origin: &'a Origin,
    request_id: &'a str,
    now: UnixMillis,
) -> Purchase<'a> {
    let (method, path, query) = (request.method(), place.path.as_str(), request.query());
    Purchase { request_id, seller, place: &place.name, method, path, query, url: "", payment, origin, now }
}

/// When the caller proved to hold the key of the payment's payer, if it did.
fn proof_of(request: &impl Inbound, plausible: &Plausible, now: UnixMillis) -> Option<UnixMillis> {
    let url = format!("{}{}", request.origin(), request.path());
    let (payer, network, payment) = (plausible.payer(), plausible.network(), plausible.key());
    sign_in::proof_of(request, &sign_in::Asked { payer, network, payment, url: &url, host: request.host() }, now)
}

/// The one who asks, for the ledger to tell the payer from a reader of the chain.
fn origin_of(request: &impl Inbound, source: Option<&Source>, listed: &[String]) -> Origin {
    let names = credential_headers::ALWAYS.into_iter().chain(listed.iter().map(String::as_str));
    let credentials: Vec<_> = names.map(|name| (name, request.header(name))).collect();
    let came = credentials.iter().filter_map(|(name, value)| Some([*name, value.as_deref()?])).flatten();
    let caller = source.map(|source| Fingerprint::of([source.as_str()]));
    let network = source.map(|source| Fingerprint::of([source.network()]));
    Origin { caller, network, credentials: Fingerprint::of(came) }
}

/// The result of a sale, for its caller and for the log.
fn content_of<O: Outbound>(
    told: paywall::Told<Sold<Unsold<O>>>,
    purchase: &Purchase<'_>,
    readers: &Readers,
    line: &mut RequestLine,
) -> Told<O> {
    line.payment = told.payment;
    line.attempts = told.attempts;
    line.ledger_error = told.ledger_error.map(|error| error.to_string());
    let content = match told.answer {
        Sold::Content { response, settlement, ticket } => {
            line.transaction = Some(settlement.transaction.clone());
            Ok(hand_over(response, receipt(&settlement, purchase.version()), ticket))
        }
        Sold::Unsold(Ok(passed)) => Ok(pass_through(passed, Vec::new())),
        Sold::Unsold(Err(refusal)) => Err(Refused::by_us(refusal, purchase.request_id)),
        Sold::Owed { unsold, settlement } => {
            line.transaction = Some(settlement.transaction.clone());
            owed(unsold, receipt(&settlement, purchase.version()), purchase.request_id)
        }
        Sold::Denied(denial) => Err(Refused::by_the_paywall(&denial, purchase)),
    };
    content.map(|content| content.read_by(readers))
}

/// Holds the response back: it is what the payment buys.
async fn hold<O: Outbound>(response: O) -> Result<PaidResponse, Refusal> {
    let status = response.status();
    let headers = hygiene::paid_response_headers(response.headers());
    let header_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if header_bytes > MAX_RESPONSE_HEADER_BYTES {
        return Err(Refusal::ResponseTooLarge);
    }
    match response.collect(MAX_RESPONSE_BYTES).await {
        Ok(body) => Ok(PaidResponse { head: ResponseHead { status, headers }, body }),
        Err(CollectError::TooLarge) => Err(Refusal::ResponseTooLarge),
        Err(CollectError::Broken) => Err(Refusal::Tenant(TenantFailure::Threw)),
    }
}

fn hand_over<O>(response: PaidResponse, receipt: (&str, String), ticket: Ticket) -> Content<O> {
    let body = Body::Bytes(response.body);
    let answer = Answer { status: response.head.status, body, set: response.head.headers, strip: Vec::new() };
    let (name, value) = receipt;
    Content { answer: answer.with(name, value), leaving: Some(ticket) }
}

/// The tenant's words in place of the goods that were paid for upfront, with the receipt.
fn owed<O: Outbound>(unsold: Unsold<O>, receipt: (&'static str, String), request_id: &str) -> Told<O> {
    let (name, value) = receipt;
    let set = vec![(name.to_owned(), value), ("cache-control".to_owned(), "private".to_owned())];
    match unsold {
        Ok(passed) => Ok(pass_through(passed, set)),
        Err(refusal) => {
            let mut refused = Refused::by_us(Refusal::Owed(Box::new(refusal)), request_id);
            refused.answer.set.retain(|(name, _)| name != "cache-control");
            refused.answer.set.extend(set);
            Err(refused)
        }
    }
}

fn pass_through<O: Outbound>(passed: Passed<O>, set: Vec<(String, String)>) -> Content<O> {
    let status = passed.status();
    Content { answer: Answer { status, body: Body::Tenant(passed), set, strip: Vec::new() }, leaving: None }
}

/// The payment that a request carries. Who sends it in both generations means the newer.
fn payment_of(request: &impl Inbound) -> Option<(Version, String)> {
    [Version::V2, Version::V1]
        .into_iter()
        .find_map(|version| Some((version, request.header(version.payment_header())?)))
}

/// Whether what came about payments is short enough to be read. Looked at by its length alone, before any of it is decoded.
fn payment_headers_fit(request: &impl Inbound) -> bool {
    let names = [Version::V2.payment_header(), Version::V1.payment_header(), hygiene::SIGN_IN];
    let chars: usize = names.iter().filter_map(|name| request.header(name)).map(|value| value.len()).sum();
    chars <= MAX_PAYMENT_HEADER_CHARS
}

/// Browsers send these without a payment and read nothing but the permission in the answer.
fn is_preflight(request: &impl Inbound) -> bool {
    request.method() == "OPTIONS" && request.header("access-control-request-method").is_some()
}

/// The URL of what is asked for, for the payer to read: nothing of it is ever taken back, so one that is too long is
/// cut.
fn resource_url(request: &impl Inbound) -> String {
    let fits = |url: &String| url.len() <= MAX_RESOURCE_URL_BYTES;
    let (origin, path) = (request.origin(), request.path());
    let query = request.query().map_or_else(String::new, |query| format!("?{query}"));
    Some(format!("{origin}{path}{query}"))
        .filter(fits)
        .or_else(|| Some(format!("{origin}{path}")).filter(fits))
        .unwrap_or_else(|| origin.to_owned())
}
