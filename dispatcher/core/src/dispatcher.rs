//! A request's story, top to bottom: resolve -> admit -> challenge -> claim -> verify -> execute -> settle -> hand over ->
//! record.
//!
//! Challenge to settle are one call, [`Paywall::sell`], which runs the tenant in the middle: so nothing here can run a
//! tenant unpaid or let a response leave unsettled.

mod former;

use crate::{
    admission::{Brings, Came, Gate, Source, Visit},
    answer::{Answer, Body},
    config::Config,
    cors,
    directory::Directory,
    egress::{Egress, PolicyOf},
    hygiene::{self, REQUEST_ID, TENANT_ID, may_not_enter},
    plan::{Limits, Plan},
    ports::{CollectError, Dispatch, Inbound, Namespace, Outbound, Randomness, RequestLog, Tenants},
    quarantine::Warden,
    refusal::Refusal,
    resolve::{Place, Resolution, ResolveError, Resolved, resolve},
    telemetry::RequestLine,
    tenant::Tenant,
    tenant_failure::{TIME_LIMIT_MS, TenantFailure},
    within::within,
};
use former::Former;
use std::rc::Rc;
use x402_paywall::{
    Denial, Fingerprint, Origin, PaidResponse, Paywall, Presented, Price, Purchase, Ran, Seller, Sold, Ticket,
    UnixMillis,
    paywall::{self, receipt},
    ports::{Clock, Ledger},
    response::{MAX_RESPONSE_BYTES, MAX_RESPONSE_HEADER_BYTES, ResponseHead},
    seeded::{self, Bug},
};
use x402_protocol::{PaymentFlow, Version};

/// Longest URL that a bill repeats. It travels as base64 in a header, of which intermediaries take some 8 kB; the offer and
/// the listing need the rest.
const MAX_RESOURCE_URL_BYTES: usize = 2_048;

/// Largest request body that is read for a payment. It is held until the tenant has it.
const MAX_PAID_REQUEST_BYTES: usize = 8 * 1024 * 1024;
/// How long such a body may take to arrive.
const BODY_WITHIN_MS: u64 = 30_000;
/// What makes an answer its caller's own, whoever the seller is.
const CREDENTIALS: [&str; 2] = ["authorization", "cookie"];

/// The dispatcher over a platform's ports.
pub struct Dispatcher<N, L, C, R, T, D = Rc<Directory>> {
    tenants: D,
    warden: Rc<Warden>,
    gate: Rc<Gate>,
    namespace: N,
    paywall: Paywall<L>,
    clock: C,
    randomness: R,
    log: T,
}

/// What a request came to.
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
    fn confined(self, place: &Place) -> Self {
        Self { answer: hygiene::confined(self.answer, place.mount.as_deref()), ..self }
    }
}

impl<N, L: Ledger, C, R, T> Dispatcher<N, L, C, R, T> {
    /// For the tenants that the configuration lists.
    pub fn new(config: Rc<Config>, namespace: N, ledger: L, clock: C, randomness: R, log: T) -> Self {
        let tenants = Rc::clone(&config.directory);
        let (warden, gate) = Default::default();
        Self { tenants, warden, gate, namespace, paywall: Paywall::new(ledger), clock, randomness, log }
    }

    /// For those that another directory has.
    pub fn with_tenants<D: Tenants>(self, tenants: D) -> Dispatcher<N, L, C, R, T, D> {
        let Self { warden, gate, namespace, paywall, clock, randomness, log, .. } = self;
        Dispatcher { tenants, warden, gate, namespace, paywall, clock, randomness, log }
    }
}

impl<N: Namespace, L: Ledger, C: Clock, R: Randomness, T: RequestLog, D: Tenants> Dispatcher<N, L, C, R, T, D> {
    /// With a view of who is in quarantine that outlives a request.
    #[must_use]
    pub fn with_warden(self, warden: Rc<Warden>) -> Self {
        Self { warden, ..self }
    }

    /// With a view of who comes that outlives a request.
    #[must_use]
    pub fn with_gate(self, gate: Rc<Gate>) -> Self {
        Self { gate, ..self }
    }

    /// The directory that it asks.
    pub fn tenants(&self) -> &D {
        &self.tenants
    }

    /// Answers one request and writes its one line.
    pub async fn handle(&self, request: &N::Inbound) -> Handled<N::Outbound> {
        let began = self.clock.now();
        let mut line = RequestLine { request_id: self.randomness.request_id(), ..RequestLine::default() };
        if let Some(id) = request.header(REQUEST_ID).filter(|_| seeded::has(Bug::CallerNamesRequest)) {
            line.request_id = id;
        }
        line.route = format!("{} {}", request.method(), request.path());
        let source = Source::of(request);
        let told = match resolve(&self.tenants, request).await {
            Err(error) => {
                // That the directory cannot be read is not the caller's flood.
                let lost = match error {
                    ResolveError::Unavailable => Ok(()),
                    ResolveError::InvalidKey => self.gate.lost(source.as_ref(), began),
                };
                let refusal = lost.map_or_else(Refusal::from, |()| error.into());
                Err(Refused::by_us(refusal, &line.request_id))
            }
            Ok(Resolution::Nobody(place)) => {
                let told = self.turn_away(request, &place, source.as_ref(), began, &mut line).await;
                told.map(|content| content.confined(&place))
            }
            Ok(Resolution::Tenant(resolved)) => {
                line.tenant_id = Some(resolved.tenant.id.clone());
                (_, line.limits) = self.warden.limits(&resolved.tenant, began);
                line.route = format!("{} {}", request.method(), resolved.place.path);
                if seeded::has(Bug::QueryLogged) {
                    line.route += request.query().unwrap_or_default();
                }
                let told = self.serve(request, &resolved, source.as_ref(), began, &mut line).await;
                told.map(|content| content.confined(&resolved.place))
            }
        };
        let content = told.unwrap_or_else(|Refused { code, answer }| {
            line.code = Some(code);
            Content { answer: cors::ours(answer), leaving: None }
        });
        let mut answer = content.answer.with(REQUEST_ID, &line.request_id);
        if let Some(tenant_id) = &line.tenant_id {
            answer = answer.with(TENANT_ID, tenant_id);
        }
        line.status = answer.status;
        line.ms = self.clock.now().since(began);
        for alert in self.gate.alerts() {
            self.log.alert(&alert);
        }
        if !(seeded::has(Bug::RequestLineMissing) && line.code.is_some()) {
            self.log.record(&line);
        }
        Handled { answer, leaving: content.leaving }
    }

    /// Says whether a paid response left for its caller. For after the answer, not on its path.
    pub async fn handed_over(&self, ticket: &Ticket, delivered: bool) -> Result<(), x402_paywall::ports::LedgerError> {
        self.paywall.handed_over(ticket, delivered).await
    }

    /// Admits the request, and sells what it asks for or gives it away.
    async fn serve(
        &self,
        request: &N::Inbound,
        to: &Resolved,
        source: Option<&Source>,
        began: UnixMillis,
        line: &mut RequestLine,
    ) -> Told<N::Outbound> {
        let tenant = &*to.tenant;
        // A HEAD has no content to sell: it always gets the 402 that a GET would.
        let unsold = request.method() == "HEAD" && !seeded::has(Bug::HeadSold);
        let payment = Some(request).filter(|_| !unsold).and_then(payment_of);
        let payment = payment.as_ref().map(|(version, header)| Presented { version: *version, header });
        let brings = match (&tenant.price, &payment) {
            (None, _) => Brings::Nothing,
            (Some(_), _) if is_preflight(request) => Brings::Preflight,
            (Some(_), None) => Brings::NoPayment,
            (Some(_), Some(presented)) => Brings::Payment(presented.header),
        };
        let rates = self.warden.rates(tenant, began);
        let visit = Visit { source, tenant_id: &tenant.id, rates, brings, at: began };
        match self.gate.enter(&visit) {
            // Refused, a browser would not even let the page pay, or collect what it has paid for.
            Err(_) if matches!(visit.brings, Brings::Preflight) => return Ok(permitted_by_us()),
            entered => entered.map_err(|away| Refused::by_us(away, &line.request_id))?,
        }
        match (&tenant.price, visit.brings) {
            // Where everything is free now, a page may still have something to collect.
            (None, _) if is_preflight(request) && cors::asks_to_pay(request) => {
                Ok(self.permit(request, to, &line.request_id).await)
            }
            (Some(_), Brings::Preflight) => Ok(self.permit(request, to, &line.request_id).await),
            (Some(price), _) => self.sell(request, to, price, payment, &visit, line).await,
            (None, _) => {
                if let Some(payment) = payment {
                    let seller = Seller::Gives { id: &tenant.id };
                    let former = Former { place: &to.place, seller, payment, source, began };
                    if let Ok(Some(told)) = self.collect(request, &former, Some(to), line).await {
                        return told;
                    }
                }
                self.give(request, to, line).await
            }
        }
    }

    async fn give(&self, request: &N::Inbound, to: &Resolved, line: &mut RequestLine) -> Told<N::Outbound> {
        match self.execute(request, to, &line.request_id).await {
            Ok(response) => {
                if seeded::has(Bug::TenantAnswerLogged) {
                    line.route += &format!("{:?}", response.headers());
                }
                Ok(pass_through(response, Vec::new()))
            }
            Err(failure) => Err(Refused::by_us(failure, &line.request_id)),
        }
    }

    /// Answers a browser that asks whether a page may send a payment. Which pages may use the tenant is the tenant's to
    /// say, unpaid; that they may pay is ours.
    async fn permit(&self, request: &N::Inbound, to: &Resolved, request_id: &str) -> Content<N::Outbound> {
        // Of how it ends nothing is made: a preflight costs its sender nothing, and must not have the tenant put away.
        let ran = within(TIME_LIMIT_MS, &self.clock, self.run(request, to, request_id)).await;
        if let Some(Ok(response)) = ran
            && let Some(set) = cors::added_to_preflight(response.status(), &response.headers())
        {
            return pass_through(response, set);
        }
        permitted_by_us()
    }

    /// Challenge, claim, verify, execute, settle, hand over.
    async fn sell(
        &self,
        request: &N::Inbound,
        to: &Resolved,
        price: &Price,
        payment: Option<Presented<'_>>,
        visit: &Visit<'_>,
        line: &mut RequestLine,
    ) -> Told<N::Outbound> {
        if payment.is_none() && seeded::has(Bug::UnpaidRunsTenant) {
            drop(self.execute(request, to, &line.request_id).await);
        }
        let (url, request_id) = (resource_url(request), line.request_id.clone());
        let origin = origin_of(request, visit.source);
        let seller = Seller::Asks { id: &to.tenant.id, price, facilitators: &to.tenant.facilitators };
        let purchase = purchase_of(request, &to.place, seller, payment, &origin, &request_id, visit.at);
        let purchase = Purchase { url: &url, ..purchase };
        let deny = |denial: Denial| Refused::by_the_paywall(&denial, &purchase);

        // What was bought before can be collected from whoever begins nothing new.
        let is_away = self.warden.has(&to.tenant, visit.at) && !seeded::has(Bug::SoldInQuarantine);
        let closed = if to.tenant.facilitators.is_empty() {
            // An offer that nobody could settle would only make callers sign for nothing.
            Some(Denial::FacilitatorsUnavailable)
        } else {
            // What is paid first is not begun where hardly anything may run.
            Some(Denial::NotSelling).filter(|_| price.offer().flow == PaymentFlow::Upfront && is_away)
        };
        if let Some(denial) = closed.clone().filter(|_| payment.is_none()) {
            return Err(deny(denial));
        }
        let plausible = match (self.paywall.plausible(&purchase), closed) {
            (Ok(plausible), Some(denial)) => plausible.only_to_collect(denial),
            (Ok(plausible), None) => plausible,
            (Err(denial), closed) => {
                self.gate.paid(visit, None, Came::Malformed);
                return Err(deny(closed.filter(|_| denial.carries_offer()).unwrap_or(denial)));
            }
        };
        let payer = plausible.signer().map(|address| address.to_string());
        let payer = payer.as_deref();
        let held = || self.gate.pay(visit, payer).map_err(|away| Refused::by_us(away, &request_id));
        let too_late = seeded::has(Bug::RateHeldTooLate);
        if !too_late {
            held()?;
        }
        let content = self.content_of(request).await;
        let plausible = plausible.with_content(content.map_err(|refusal| Refused::by_us(refusal, &request_id))?);
        let run = async || self.produce(request, to, &request_id).await;
        let told = self.paywall.sell_to(&purchase, plausible, run).await;
        if too_late {
            held()?;
        }
        self.gate.paid(visit, payer, came_of(&told.answer));
        content_of(told, &purchase, line)
    }

    /// The fingerprint of what comes with the request: a payment buys the answer to this body and to no other.
    async fn content_of(&self, request: &N::Inbound) -> Result<Fingerprint, Refusal> {
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

    /// What the tenant has to sell, if it has it in time.
    async fn produce(&self, request: &N::Inbound, to: &Resolved, request_id: &str) -> Ran<Unsold<N::Outbound>> {
        let limit = if seeded::has(Bug::TenantTakesForEver) { u64::MAX } else { TIME_LIMIT_MS };
        let ran = within(limit, &self.clock, self.for_sale(request, to, request_id)).await;
        let ran = ran.unwrap_or_else(|| Ran::Unsold(Err(TenantFailure::TimeLimit.into())));
        self.note(
            &to.tenant,
            match &ran {
                Ran::Unsold(Ok(response)) => Ok(response.status()),
                Ran::Unsold(Err(Refusal::Tenant(failure))) => Err(*failure),
                // Its own answer, be it too large to be sold.
                Ran::Content(_) | Ran::Unsold(Err(_)) => Ok(200),
            },
        );
        ran
    }

    /// Anything below 300 that is small enough to be held until it is paid for.
    async fn for_sale(&self, request: &N::Inbound, to: &Resolved, request_id: &str) -> Ran<Unsold<N::Outbound>> {
        match self.run(request, to, request_id).await {
            // A switch of protocols has no body to hold until it is paid for, and passing it on would be giving it away.
            Ok(response) if response.status() < 200 => Ran::Unsold(Err(TenantFailure::Threw.into())),
            Ok(response) if response.status() >= 300 && !is_sold_anyway(response.status()) => Ran::Unsold(Ok(response)),
            Ok(response) => match hold(response).await {
                Ok(held) => Ran::Content(held),
                Err(refusal) => Ran::Unsold(Err(refusal)),
            },
            Err(failure) => Ran::Unsold(Err(failure.into())),
        }
    }

    /// Runs the tenant's Worker for nothing. For as long as it likes: no payment and no memory of ours waits for it, what it
    /// streams goes on to its caller as it comes, and with the caller goes the run.
    async fn execute(
        &self,
        request: &N::Inbound,
        to: &Resolved,
        request_id: &str,
    ) -> Result<N::Outbound, TenantFailure> {
        let ran = self.run(request, to, request_id).await;
        self.note(&to.tenant, ran.as_ref().map(Outbound::status).map_err(|failure| *failure));
        ran
    }

    /// Takes note of how a run ended: the status of what it answered, or why it did not.
    fn note(&self, tenant: &Tenant, ended: Result<u16, TenantFailure>) {
        let now = self.clock.now();
        let failed = ended.map_or_else(TenantFailure::is_the_tenants, |status| status >= 500);
        self.gate.ran(tenant, failed, now);
        if let Some(alert) = self.warden.ran(tenant, ended.err(), now) {
            self.log.alert(&alert);
        }
    }

    async fn run(&self, request: &N::Inbound, to: &Resolved, request_id: &str) -> Result<N::Outbound, TenantFailure> {
        let tenant = &*to.tenant;
        let set = [(REQUEST_ID, request_id), (TENANT_ID, tenant.id.as_str())];
        let (limits, _) = self.warden.limits(tenant, self.clock.now());
        let limits = if seeded::has(Bug::LimitsOfAnotherPlan) { Plan::Enterprise.limits() } else { limits };
        let limits = if seeded::has(Bug::LimitsOfQuarantine) { Plan::Quarantine.limits() } else { limits };
        let swapped = Limits { cpu_ms: limits.sub_requests, sub_requests: limits.cpu_ms };
        let limits = if seeded::has(Bug::LimitsSwapped) { swapped } else { limits };
        let script = tenant.script.as_str();
        let lost = Egress::default();
        let egress = if seeded::has(Bug::EgressPolicyLost) { &lost } else { &tenant.egress };
        let egress = PolicyOf { tenant_id: &tenant.id, egress };
        let dispatch = Dispatch { script, limits, egress, path: &to.place.path, strip: may_not_enter, set: &set };
        self.namespace.run(dispatch, request).await
    }
}

/// A preflight's answer where the tenant has none.
fn permitted_by_us<O>() -> Content<O> {
    let answer = Answer { status: 204, body: Body::Bytes(Vec::new()), set: cors::preflight(), strip: Vec::new() };
    Content { answer, leaving: None }
}

/// What a sale came to, for admission.
fn came_of<U>(sold: &Sold<U>) -> Came {
    match sold {
        Sold::Content { .. } => Came::Bought,
        Sold::Owed { .. } => Came::Kept,
        Sold::Unsold(_) => Came::Nothing,
        Sold::Denied(denial) => match denial {
            Denial::SettlementPending { .. } | Denial::PaymentInProgress | Denial::LedgerUnavailable => Came::Kept,
            Denial::AlreadyUsed { .. } | Denial::IdentifierConflict { .. } => Came::Spent,
            Denial::FacilitatorsUnavailable | Denial::NotSelling => Came::Nothing,
            Denial::IdentifierRequired | Denial::InvalidIdentifier(_) => Came::Malformed,
            _ => Came::Worthless,
        },
    }
}

/// What a seeded bug takes for content.
fn is_sold_anyway(status: u16) -> bool {
    seeded::has(if status < 400 { Bug::RedirectSettled } else { Bug::TenantErrorSettled })
}

/// A tenant's response that is not for sale, or why there is none.
type Unsold<O> = Result<O, Refusal>;

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
        let answer = Answer::json_text(denial.status(), denial.body(bill.as_ref(), purchase.request_id));
        let headers = denial.headers(bill.as_ref(), purchase.version()).into_iter();
        let answer = headers.fold(answer, |answer, (name, value)| answer.with(name, value));
        Self { code: denial.code().to_owned(), answer }
    }
}

/// What is asked for by a request, of whoever is there. Its URL is for bills.
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

/// Who asks, for the ledger to tell the one who paid from one who read the payment off the chain.
fn origin_of(request: &impl Inbound, source: Option<&Source>) -> Origin {
    let credentials = CREDENTIALS.map(|name| (name, request.header(name)));
    let came = credentials.iter().filter_map(|(name, value)| Some([*name, value.as_deref()?])).flatten();
    Origin { caller: source.map(|source| Fingerprint::of([source.as_str()])), credentials: Fingerprint::of(came) }
}

/// What a sale came to, for its caller and for the log.
fn content_of<O: Outbound>(
    told: paywall::Told<Sold<Unsold<O>>>,
    purchase: &Purchase<'_>,
    line: &mut RequestLine,
) -> Told<O> {
    line.payment = told.payment;
    line.attempts = told.attempts;
    line.ledger_error = told.ledger_error.map(|error| error.to_string());
    match told.answer {
        Sold::Content { response, settlement, ticket } => {
            line.transaction = Some(settlement.transaction.clone());
            Ok(hand_over(response, receipt(&settlement, purchase.version()), ticket))
        }
        Sold::Unsold(Ok(response)) => {
            let set = cors::added_to(&response.headers());
            Ok(pass_through(response, set))
        }
        Sold::Unsold(Err(refusal)) => Err(Refused::by_us(refusal, purchase.request_id)),
        Sold::Owed { unsold, settlement } => {
            line.transaction = Some(settlement.transaction.clone());
            owed(unsold, receipt(&settlement, purchase.version()), purchase.request_id)
        }
        Sold::Denied(denial) => Err(Refused::by_the_paywall(&denial, purchase)),
    }
}

/// Holds the response back: it is what the payment buys.
async fn hold<O: Outbound>(response: O) -> Result<PaidResponse, Refusal> {
    let status = response.status();
    let headers = hygiene::paid_response_headers(response.headers());
    let header_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if header_bytes > MAX_RESPONSE_HEADER_BYTES {
        return Err(Refusal::ResponseTooLarge);
    }
    let limit = if seeded::has(Bug::BodyUnbounded) { 512 << 20 } else { MAX_RESPONSE_BYTES };
    match response.collect(limit).await {
        Ok(mut body) if seeded::has(Bug::BodyTruncated) => {
            body.truncate(100);
            Ok(PaidResponse { head: ResponseHead { status, headers }, body })
        }
        Ok(body) => Ok(PaidResponse { head: ResponseHead { status, headers }, body }),
        Err(CollectError::TooLarge) => Err(Refusal::ResponseTooLarge),
        Err(CollectError::Broken) => Err(Refusal::Tenant(TenantFailure::Threw)),
    }
}

fn hand_over<O>(response: PaidResponse, receipt: (&str, String), ticket: Ticket) -> Content<O> {
    let mut set = response.head.headers;
    for (name, value) in cors::added_to(&set) {
        if !seeded::has(Bug::CorsAppended) {
            set.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
        }
        set.push((name, value));
    }
    let (name, value) = receipt;
    if !seeded::has(Bug::ReceiptMissing) {
        set.push((name.to_owned(), value));
    }
    let status = if seeded::has(Bug::StatusFlattened) { 200 } else { response.head.status };
    let answer = Answer { status, body: Body::Bytes(response.body), set, strip: Vec::new() };
    Content { answer, leaving: Some(ticket) }
}

/// What the tenant said in place of what was paid for upfront, with the receipt.
fn owed<O: Outbound>(unsold: Unsold<O>, receipt: (&'static str, String), request_id: &str) -> Told<O> {
    let (name, value) = receipt;
    let set = vec![(name.to_owned(), value), ("cache-control".to_owned(), "private".to_owned())];
    match unsold {
        Ok(response) => {
            let cors = cors::added_to(&response.headers());
            Ok(pass_through(response, set.into_iter().chain(cors).collect()))
        }
        Err(refusal) => {
            let mut refused = Refused::by_us(Refusal::Owed(Box::new(refusal)), request_id);
            refused.answer.set.retain(|(name, _)| name != "cache-control");
            refused.answer.set.extend(set);
            Err(refused)
        }
    }
}

fn pass_through<O: Outbound>(response: O, set: Vec<(String, String)>) -> Content<O> {
    let status = response.status();
    Content { answer: Answer { status, body: Body::Tenant(response), set, strip: Vec::new() }, leaving: None }
}

/// The payment that a request carries. Who sends it in both generations means the newer.
fn payment_of(request: &impl Inbound) -> Option<(Version, String)> {
    [Version::V2, Version::V1]
        .into_iter()
        .find_map(|version| Some((version, request.header(version.payment_header())?)))
}

/// Browsers send these without a payment and read nothing but the permission in the answer.
fn is_preflight(request: &impl Inbound) -> bool {
    !seeded::has(Bug::PreflightBilled)
        && request.method() == "OPTIONS"
        && request.header("access-control-request-method").is_some()
}

/// Of what is asked for, for the payer to read: nothing of it is ever taken back, so one that is too long is cut.
fn resource_url(request: &impl Inbound) -> String {
    let fits = |url: &String| url.len() <= MAX_RESOURCE_URL_BYTES;
    let (origin, path) = (request.origin(), request.path());
    let query = request.query().map_or_else(String::new, |query| format!("?{query}"));
    Some(format!("{origin}{path}{query}"))
        .filter(fits)
        .or_else(|| Some(format!("{origin}{path}")).filter(fits))
        .unwrap_or_else(|| origin.to_owned())
}
