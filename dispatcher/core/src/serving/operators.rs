//! `/__platform/*` as it is answered. What there is to ask stands in [`crate::platform_api`].

use super::Server;
use crate::{
    admission::Source,
    answer::{Answer, Body},
    directory::{cache::Knows, stored::StoredTenants},
    hygiene::REQUEST_ID,
    message::{CollectError, Inbound},
    operations::question::{Asked, ChainLook, DeskError, Kept, LedgerBooks, Told},
    platform::{Hosting, InboundOf, OutboundOf},
    platform_api::{
        self, PlatformRequest, Scope,
        request::{Shown, place},
        session,
    },
    ports::{Desk, HealthObject, OperatorSecrets, PaymentRecords, Randomness, TroubleLog},
    quarantine::{QuarantineCall, QuarantineObject},
    quarantine_request::QuarantineRequest,
    refusal::Refusal,
    telemetry::{OperatorLine, Trouble},
    within::within,
};
use serde_json::{Value, json};
use x402_paywall::{
    UnixMillis,
    ledger::books::{Entry, OnChain, Span},
    ports::LedgerError,
};

/// The largest body of an operator's request. A reason, an author and a time fit many times.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// The time that it may take to arrive.
const BODY_WITHIN_MS: u64 = 10_000;
const DASHBOARD: &str = "/__platform/dashboard";
const SESSION: &str = "/__platform/session";
/// Settlements that are read from the ledger at once.
const PAGE: u32 = 1_000;
/// The most settlements that are held against what was kept in one request.
const MOST_COMPARED: usize = 20_000;
/// The most settlements that the chain is asked about at once: each takes a node several questions.
const MOST_ON_CHAIN: usize = 20;
/// The age from which a settlement must show on the chain: a node may be behind.
const ON_CHAIN_AFTER_MS: u64 = 600_000;

impl<P: Hosting> Server<P> {
    pub(super) async fn answer_operator(&self, request: &InboundOf<P>) -> Answer<OutboundOf<P>> {
        let request_id = self.dispatcher.randomness().request_id();
        let source = Source::of(request);
        if request.method() == "POST" && request.path() == SESSION && self.is_own_page(request) {
            return self.answer_session(request, source.as_ref()).await.with(REQUEST_ID, &request_id);
        }
        let (scope, described) = self.describe(request, source.as_ref()).await;
        let code = described.as_ref().err().map(|refusal| refusal.code().into());
        let answer = match described {
            Ok(Told { content_type, text }) => {
                let set = vec![("content-type".to_owned(), content_type)];
                let answer = Answer { status: 200, body: Body::Bytes(text.into_bytes()), set, strip: Vec::new() };
                answer.with("cache-control", "no-store")
            }
            Err(refusal) => Answer::refusal(&refusal, &request_id),
        };
        let answer = if request.path().starts_with(DASHBOARD) { confined(answer, request.origin()) } else { answer };
        let was_turned_away = matches!(answer.status, 401 | 403 | 429) && request.header("authorization").is_some();
        if was_turned_away || (scope == Some(Scope::Operate) && request.method() != "GET") {
            self.dispatcher.log().operator(&OperatorLine {
                request_id: request_id.clone(),
                route: crate::log_text::bounded(&format!("{} {}", request.method(), request.path())),
                status: answer.status,
                code,
                scope: scope.map(|scope| scope.name().into()),
                source: source.map(|source| source.as_str().to_owned()),
            });
        }
        answer.with(REQUEST_ID, &request_id)
    }

    /// Whether a request may bring or begin a session: it is for the one host where no tenant is, and no page of another origin sent
    /// it. A browser says the latter; what is no browser has no cookie that a page could use.
    fn is_own_page(&self, request: &InboundOf<P>) -> bool {
        let is_own = |origin: &str| origin == request.origin();
        self.memory.is_dashboard(request.host())
            && request.header("sec-fetch-site").is_none_or(|site| matches!(site.as_str(), "same-origin" | "none"))
            && request.header("origin").is_none_or(|origin| is_own(&origin))
    }

    /// Begins a browser's session, or ends it, and shows the dashboard again.
    async fn answer_session(&self, request: &InboundOf<P>, source: Option<&Source>) -> Answer<OutboundOf<P>> {
        // Whoever sends no form brings no token.
        let form = self.body_of(request).await.unwrap_or_default();
        let to = |place: &str| {
            let set =
                vec![("location".to_owned(), place.to_owned()), ("cache-control".to_owned(), "no-store".to_owned())];
            Answer { status: 303, body: Body::Bytes(Vec::new()), set, strip: Vec::new() }
        };
        if session::form_value(&form, "leave").is_some() {
            return to(DASHBOARD).with("set-cookie", session::end());
        }
        let token = session::form_value(&form, "token").unwrap_or_default();
        let tokens = self.surroundings.secrets.tokens();
        let begin = || session::begin(&tokens, &token, self.now()).ok_or(Refusal::PlatformDenied);
        let (cookie, refused) = match self.memory.token_guard.watch(source, true, self.now(), begin) {
            Ok(cookie) => return to(DASHBOARD).with("set-cookie", cookie),
            Err(refusal) => (session::end(), refusal),
        };
        self.dispatcher.log().operator(&OperatorLine {
            request_id: self.dispatcher.randomness().request_id(),
            route: format!("POST {SESSION}"),
            status: refused.status(),
            code: Some(refused.code().into()),
            scope: None,
            source: source.map(|source| source.as_str().to_owned()),
        });
        to(&format!("{DASHBOARD}?refused")).with("set-cookie", cookie)
    }

    async fn describe(
        &self,
        request: &InboundOf<P>,
        source: Option<&Source>,
    ) -> (Option<Scope>, Result<Told, Refusal>) {
        let authorization = request.header("authorization");
        let cookies = request.header("cookie").filter(|_| self.is_own_page(request));
        let tokens = self.surroundings.secrets.tokens();
        let (mut scope, is_a_guess) = (None, authorization.is_some());
        let read = || {
            let (method, path, query) = (request.method(), request.path(), request.query());
            let shown = Shown { authorization: authorization.as_deref(), cookies: cookies.as_deref(), at: self.now() };
            let read = platform_api::read(method, path, query, shown, &tokens);
            scope = read.scope;
            read.request
        };
        let asked = self.memory.token_guard.watch(source, is_a_guess, self.now(), read);
        let told = match asked {
            // A page that anybody may have is asked for elsewhere, so an address has few of them.
            Ok(PlatformRequest::Kept(kept)) if scope.is_none() => self.page(request, source, kept).await,
            Ok(asked) => self.told(request, asked).await,
            Err(refusal) => Err(refusal),
        };
        (scope, told)
    }

    /// A file of the dashboard, which shows nothing before a session has begun.
    async fn page(&self, request: &InboundOf<P>, source: Option<&Source>, kept: Kept) -> Result<Told, Refusal> {
        if !self.memory.is_dashboard(request.host()) {
            return Err(Refusal::PlatformDenied);
        }
        self.dispatcher.lost(request, source, self.now())?;
        self.asked_of_desk(&Asked::Kept(kept)).await
    }

    async fn told(&self, request: &InboundOf<P>, asked: PlatformRequest) -> Result<Told, Refusal> {
        Ok(json_told(&match asked {
            PlatformRequest::Health => json!({"status": "ok"}),
            PlatformRequest::Facilitators => {
                let unavailable = |error| self.refused(&Trouble::HealthUnavailable(error), Refusal::HealthUnavailable);
                self.surroundings.health.describe().await.map_err(unavailable)?
            }
            PlatformRequest::Quarantines => self.change_quarantines(QuarantineCall::List).await?,
            PlatformRequest::LiftQuarantine(id) => self.change_quarantines(QuarantineCall::Lift(id)).await?,
            PlatformRequest::Quarantine(id) => {
                let body = self.body_of(request).await?;
                let asked = QuarantineRequest::read(&id, &body, self.now());
                let asked = asked.map_err(|why| Refusal::PlatformBody { why })?;
                let quarantine = asked.for_tenant(self.dispatcher.tenants().knows(&id).await)?;
                self.change_quarantines(QuarantineCall::Put(quarantine)).await?
            }
            PlatformRequest::Payment(payment) => {
                let described = self.dispatcher.ledger().describe(&payment).await;
                described.map_err(|error| self.ledger_unavailable(&payment, error))?
            }
            PlatformRequest::Open { limit } => {
                let open = self.dispatcher.ledger().open(limit).await;
                described_open(&open.map_err(|error| self.ledger_unavailable("", error))?, self.now())
            }
            PlatformRequest::Ledger { span, limit } => {
                let settled = self.dispatcher.ledger().settled(&span, limit).await;
                let settled = settled.map_err(|error| self.ledger_unavailable("", error))?;
                json!({"next": next_of(&settled, limit), "settled": settled})
            }
            PlatformRequest::Reconcile { from, to } => {
                let books = self.books(from, to).await?;
                let chain = self.chain_on(&books.settled).await?;
                let books = LedgerBooks { chain, ..books };
                return self.asked_of_desk(&Asked::Reconcile(books)).await;
            }
            // It was answered with a cookie, where it may be.
            PlatformRequest::Session => return Err(Refusal::PlatformDenied),
            PlatformRequest::Kept(kept) => {
                if let Some(id) = kept.tenant()
                    && self.dispatcher.tenants().knows(id).await == Knows::No
                {
                    return Err(Refusal::UnknownTenant);
                }
                return self.asked_of_desk(&Asked::Kept(kept)).await;
            }
        }))
    }

    /// The ledger's books of a time: what it has settled, and what is open.
    pub(super) async fn books(&self, from: UnixMillis, to: UnixMillis) -> Result<LedgerBooks, Refusal> {
        let ledger = self.dispatcher.ledger();
        let (mut settled, mut span, mut is_cut) = (Vec::new(), Span { from, to, after: None }, false);
        loop {
            let page = ledger.settled(&span, PAGE).await.map_err(|error| self.ledger_unavailable("", error))?;
            let is_last = page.len() < PAGE as usize;
            settled.extend(page);
            if is_last {
                break;
            }
            is_cut = settled.len() >= MOST_COMPARED;
            if is_cut {
                break;
            }
            span.after = settled.last().and_then(|last: &Entry| Some((last.settled_at_ms?, last.payment.clone())));
        }
        let open = ledger.open(PAGE).await.map_err(|error| self.ledger_unavailable("", error))?;
        Ok(LedgerBooks { from, to, settled, open, is_cut, chain: None, is_scheduled: false })
    }

    /// The chain's word on the newest settlements. `None`: no node is configured.
    pub(super) async fn chain_on(&self, settled: &[Entry]) -> Result<Option<ChainLook>, Refusal> {
        let mut look = ChainLook::default();
        let now = self.now();
        let has_settled = |entry: &&Entry| entry.settled_at_ms.is_some_and(|at| now.since(at) >= ON_CHAIN_AFTER_MS);
        for entry in settled.iter().rev().filter(has_settled).take(MOST_ON_CHAIN) {
            let word = self.dispatcher.ledger().on_chain(&entry.payment).await;
            match word.map_err(|error| self.ledger_unavailable(&entry.payment, error))? {
                OnChain::NoNode => return Ok(None),
                OnChain::Found => look.found += 1,
                OnChain::NoWord => look.no_word += 1,
                OnChain::Missing | OnChain::Differs => look.missing.push(entry.payment.clone()),
            }
        }
        Ok(Some(look))
    }

    pub(super) async fn asked_of_desk(&self, asked: &Asked) -> Result<Told, Refusal> {
        self.surroundings.desk.ask(asked).await.map_err(|error| match error {
            DeskError::Refused(why) => Refusal::PlatformQuery { why },
            DeskError::Unavailable(why) => {
                self.refused(&Trouble::TelemetryUnavailable(why), Refusal::TelemetryUnavailable)
            }
        })
    }

    /// Changes the list or reads it, and has this isolate know it at once.
    async fn change_quarantines(&self, call: QuarantineCall) -> Result<Value, Refusal> {
        let send = async |call| self.surroundings.quarantines.call(call).await;
        let unavailable = |error| self.refused(&Trouble::QuarantineUnavailable(error), Refusal::QuarantineUnavailable);
        let list = self.memory.warden.tell(call, self.dispatcher.clock(), send).await.map_err(unavailable)?;
        Ok(json!({ "quarantines": list }))
    }

    async fn body_of(&self, request: &InboundOf<P>) -> Result<String, Refusal> {
        let refused = |why: String| Refusal::PlatformBody { why };
        let body = within(BODY_WITHIN_MS, self.dispatcher.clock(), request.body(MAX_BODY_BYTES)).await;
        let body = body.unwrap_or(Err(CollectError::Broken)).map_err(|error| match error {
            CollectError::TooLarge => refused(format!("the body has more than {MAX_BODY_BYTES} bytes")),
            CollectError::Broken => refused("the body broke off, or took too long".to_owned()),
        })?;
        String::from_utf8(body).map_err(|_| refused("the body is not UTF-8".to_owned()))
    }

    fn ledger_unavailable(&self, payment: &str, error: LedgerError) -> Refusal {
        self.refused(&Trouble::LedgerUnavailable { payment, error }, Refusal::LedgerUnavailable)
    }

    fn refused(&self, trouble: &Trouble<'_>, refusal: Refusal) -> Refusal {
        self.dispatcher.log().trouble(trouble);
        refusal
    }
}

/// The page may load its two files, ask this API, and nothing else.
fn confined<R>(answer: Answer<R>, origin: &str) -> Answer<R> {
    let policy = format!(
        "default-src 'none'; script-src {origin}{DASHBOARD}.js; style-src {origin}{DASHBOARD}.css; connect-src {origin}/__platform/; \
         form-action {origin}{SESSION} {origin}{DASHBOARD}; base-uri 'none'; frame-ancestors 'none'"
    );
    answer
        .with("content-security-policy", policy)
        .with("x-content-type-options", "nosniff")
        // Without it, a browser would not say that our own page sends the form.
        .with("referrer-policy", "same-origin")
        .with("cross-origin-opener-policy", "same-origin")
}

fn json_told(value: &Value) -> Told {
    Told { content_type: "application/json".to_owned(), text: value.to_string() }
}

/// The open payments with their ages.
fn described_open(open: &[Entry], now: UnixMillis) -> Value {
    let described = |entry: &Entry| {
        json!({
            "payment": entry.payment,
            "tenant_id": entry.tenant_id,
            "amount": entry.amount,
            "facilitator": entry.facilitator,
            "transaction": entry.transaction,
            "open_since_ms": entry.open_since_ms,
            "age_ms": entry.open_since_ms.map(|since| now.since(since)),
        })
    };
    json!({"at_ms": now, "open": open.iter().map(described).collect::<Vec<_>>()})
}

/// The place from which the next page goes on. `None`: there is no more.
fn next_of(page: &[Entry], limit: u32) -> Option<String> {
    let last = page.last().filter(|_| page.len() >= limit as usize)?;
    Some(place(last.settled_at_ms?, &last.payment))
}
