//! What happened in a run, one JSON object a line. This is the only thing judges and reports read, so whatever a rule
//! needs must be an event; times are microseconds since the run began, so that two runs of one seed can be compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the event lines. Raised when a field changes its meaning or goes away; new fields do not raise it.
pub const EVENT_SCHEMA: u32 = 1;

/// One line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Microseconds since the run began, on the harness's monotonic clock: when the harness learned of the event.
    pub at_us: u64,
    #[serde(flatten)]
    pub event: Event,
}

impl Recorded {
    /// The line with its end, which no other newline comes before.
    pub fn line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "most events are the large ones; a box would only add an allocation to each"
)]
pub enum Event {
    RunStarted(RunStarted),
    PhaseStarted {
        phase: String,
    },
    FaultStarted {
        fault: FaultRef,
    },
    FaultEnded {
        fault: FaultRef,
    },
    /// A client's HTTP exchange with the dispatcher ended, in an answer or not.
    ExchangeEnded(Exchange),
    /// A client is through with a purchase: served, refused, or given up.
    PurchaseEnded(Purchase),
    /// A facilitator double was called. Written when the call is over for the double.
    FacilitatorCalled(FacilitatorCall),
    /// Money moved on the doubles' chain. The truth that every MONEY rule is judged against.
    TransferMoved(Transfer),
    /// The namespace was asked to run a tenant's Worker.
    TenantRan(TenantRun),
    /// An invocation of a tenant's Worker is over, background work included: what the namespace measured.
    TenantEnded(TenantEnd),
    /// The dispatcher's own request line, as logged.
    DispatcherRequest(DispatcherRequest),
    /// The dispatcher's own payment-stage line, as logged.
    DispatcherPayment(DispatcherPayment),
    /// The dispatcher's own line for operators, as logged.
    DispatcherAlert(DispatcherAlert),
    /// The dispatcher's own line about what keeps a payment from its end, as logged.
    DispatcherTrouble(TroubleLine),
    /// The dispatcher's own line about an operator who changed something or was turned away, as logged.
    DispatcherOperator(OperatorLine),
    /// The dispatcher's own line about a facilitator whose standing changed, as logged.
    FacilitatorStanding(FacilitatorStanding),
    /// The stored tenant directory was written to, or what was there when the run began.
    DirectoryChanged(DirectoryChange),
    /// An operator asked the dispatcher for something, and it answered or not.
    OperatorActed(OperatorAct),
    /// The dispatcher's own line about the stored tenant directory, as logged.
    DispatcherDirectory(DirectoryLine),
    /// The outbound Worker's own line about a request of a tenant's, as logged.
    EgressDecided(EgressLine),
    /// A request of a tenant's reached the outside. Written by the double of the outside; `script` is the tenant's own word.
    OutsideReached {
        url: String,
        script: Option<String>,
    },
    /// A line of the dispatcher's log carries a token that only this tenant's answers and exceptions have.
    TenantBytesLogged {
        tenant: String,
        line: String,
    },
    /// A line of the dispatcher's log has in it what only its caller should know.
    SecretLogged {
        what: String,
    },
    /// A double was asked at a place where it serves nothing, as a redirect of its own leads to.
    FacilitatorAskedElsewhere {
        facilitator: String,
        /// Method and path.
        path: String,
    },
    /// The node of the doubles' chain was asked.
    NodeAsked {
        method: String,
        /// It answered with an error.
        refused: bool,
    },
    /// How busy the machine was in the second before.
    MachineLoad(MachineLoad),
    /// The dispatcher's processes are about to be killed, without a chance to tidy up.
    DispatcherKilled(Killing),
    /// The dispatcher answers again after a kill, on the storage that was left.
    DispatcherStarted,
    /// The settlement ledger's word on the payment that a kill hit, as soon as it can be asked again.
    LedgerAfterKill(LedgerState),
    /// The settlement ledger's word on a payment after the run.
    LedgerState(LedgerState),
    /// The settlement ledger was disturbed in what it did for this payment.
    LedgerDisturbed {
        fault: FaultRef,
        payment: String,
    },
    /// A batch of the dispatcher's events was disturbed on its way.
    TelemetryDisturbed {
        fault: FaultRef,
        batch: String,
    },
    /// The books after the run, with what was kept of events.
    BooksRead(Books),
    /// The storage that a payment still takes up after the run.
    StorageLeft(StoredRecord),
    /// Something the harness could not make sense of; never dropped, because a rule may depend on it.
    Unreadable {
        source: String,
        text: String,
    },
    RunEnded,
}

/// In cores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineLoad {
    /// How many there are.
    pub cores: u32,
    pub busy: f64,
    /// The share of the run's own processes: the harness, the dispatcher and its tenants.
    pub ours: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    pub schema: u32,
    pub scenario: String,
    pub tier: String,
    pub seed: u64,
    /// Unix time in milliseconds.
    pub started_at_ms: u64,
    /// The world, so that a history can be judged without the scenario it came from.
    pub tenants: Vec<TenantFacts>,
    /// The limits of a tenant in quarantine; absent in histories from before anyone could be put there.
    #[serde(default)]
    pub quarantine: Option<LimitFacts>,
    /// Requests that were to arrive, paid and unpaid.
    pub arrivals: u64,
    /// Whether the dispatcher may ask a node of the doubles' chain.
    #[serde(default)]
    pub node: bool,
}

/// The limits of one invocation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitFacts {
    pub cpu_ms: f64,
    pub sub_requests: f64,
}

/// The facts of a tenant that judges need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantFacts {
    pub id: String,
    /// Name of its script in the namespace.
    pub script: String,
    /// Limits of its plan.
    pub cpu_ms: f64,
    pub sub_requests: f64,
    /// `None`: its API is free.
    pub price: Option<PriceFacts>,
    /// Those that may serve its payments.
    #[serde(default)]
    pub facilitators: Vec<String>,
    #[serde(default)]
    pub egress: EgressFacts,
}

/// The offer of the tenant. Addresses lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceFacts {
    pub network: String,
    pub asset: String,
    pub pay_to: String,
    /// Atomic units.
    pub amount: String,
    #[serde(default)]
    pub flow: Flow,
}

/// In which order a payment and what it buys come, as x402 names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Verify, run, settle.
    #[default]
    Authorization,
    /// Settle, run.
    Upfront,
}

/// Which of the scenario's faults or kills, by its position in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FaultRef {
    /// 0-based index in the scenario's `[[fault]]` list, or in its `[[kill]]`, `[[directory]]`, `[[operator]]` or `[[ledger]]` list.
    pub index: usize,
    /// The facilitator it is on, `dispatcher` for a kill, `directory`, `operator` or `ledger`.
    pub on: String,
    /// Name of the injected fault, e.g. `settle-then-hang`, or what decides a kill's moment.
    pub inject: String,
}

/// Why a client sent an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeKind {
    /// A caller that never pays.
    Unpaid,
    /// The first, unpaid request of a purchase, which fetches the offer.
    Challenge,
    /// A freshly signed payment.
    Payment,
    /// The same signed payment again: after an answer that said to, or after its content.
    Resend,
    /// The same signed payment for the same request, while another exchange carries it.
    Duplicate,
    /// A payment for another request than the one it was signed for.
    Elsewhere,
    /// A browser asks whether a page may send a payment.
    Preflight,
    /// Another caller's payment, for what that caller bought.
    Stolen,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    pub exchange: u64,
    /// Number of the arrival that it belongs to.
    #[serde(default)]
    pub arrival: u64,
    /// Kind of its client, as a scenario's mix names it.
    #[serde(default)]
    pub client: String,
    /// The traffic block's name.
    #[serde(default)]
    pub traffic: String,
    /// The address that the client called from.
    #[serde(default)]
    pub address: String,
    pub purchase: Option<u64>,
    pub kind: ExchangeKind,
    pub phase: String,
    /// Id of the tenant the request was meant for.
    pub tenant: String,
    /// Which of the world's dispatchers it was sent to, counted from 1.
    #[serde(default = "first")]
    pub dispatcher: usize,
    pub method: String,
    /// Path and query at the dispatcher, as they were sent.
    pub target: String,
    /// Key of the payment it carried: `network:asset:from:nonce`, lower case.
    pub payment: Option<String>,
    /// Id of the payment's `payment-identifier` extension.
    #[serde(default)]
    pub identifier: Option<String>,
    /// Whose `Authorization` and cookie came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// Its body, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The fault of the payment, where its client broke it on purpose.
    #[serde(default)]
    pub flaw: Option<Flaw>,
    pub due_us: u64,
    pub sent_us: u64,
    /// When the whole body had arrived, or the exchange had failed.
    pub ended_us: u64,
    pub outcome: ExchangeOutcome,
}

/// The dispatcher of runs from before there could be two.
fn first() -> usize {
    1
}

/// A payment that must be refused, and how. Its client knows, because it made it so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaw {
    pub name: String,
    /// Statuses that say it rightly.
    pub answers: Vec<u16>,
    /// Whether it can be refused without asking a facilitator or running the tenant.
    pub local: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "most events are the large ones; a box would only add an allocation to each"
)]
pub enum ExchangeOutcome {
    Answered(Answer),
    /// The client closed the connection before the answer came.
    HungUp,
    /// No whole answer: what the client's HTTP stack said.
    Failed {
        what: String,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub status: u16,
    /// `error.code` of the body, or a version 1 body's `error`, where there is one.
    pub code: Option<String>,
    pub request_id: Option<String>,
    /// `x-tenant-id` of the answer.
    pub tenant: Option<String>,
    pub retry_after_s: Option<u64>,
    pub cache_control: Option<String>,
    /// Whether a `PAYMENT-REQUIRED` header came that decodes.
    pub offered: bool,
    /// Atomic units that the offer's entries ask for, where it decodes.
    #[serde(default)]
    pub asked: Vec<String>,
    pub payment_response: Option<PaymentResponse>,
    /// Tenants whose unforgeable canary stands anywhere in the answer's body or headers.
    pub canaries: Vec<String>,
    /// Those of them whose canary stands in the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body_canaries: Vec<String>,
    pub body_bytes: u64,
    #[serde(default)]
    pub location: Option<String>,
    #[serde(default)]
    pub content_location: Option<String>,
    /// Names of the headers that would let a shared cache keep it, `cache-control` aside.
    #[serde(default)]
    pub shared_cache: Vec<String>,
    /// `Set-Cookie`, as it came.
    #[serde(default)]
    pub cookies: Vec<String>,
    /// Names of headers that must have one value and had more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeated_headers: Vec<String>,
    /// `Access-Control-Allow-Origin`.
    #[serde(default)]
    pub allowed_origin: Option<String>,
    /// `Access-Control-Allow-Headers`, lower case.
    #[serde(default)]
    pub allowed_headers: Option<String>,
    /// `Access-Control-Allow-Methods`, lower case.
    #[serde(default)]
    pub allowed_methods: Option<String>,
    /// `Access-Control-Expose-Headers`, lower case.
    #[serde(default)]
    pub exposed_headers: Option<String>,
    /// Whether a browser gives it an origin of its own. `None`: it is no page.
    #[serde(default)]
    pub contained: Option<bool>,
    /// The tenant's word on what it sent, where the answer is its own.
    #[serde(default)]
    pub tenant_said: Option<TenantSaid>,
    /// Internal headers that came through: `response <name>` as a tenant forged it, `request <name>` as one reached a
    /// tenant.
    #[serde(default)]
    pub leaked_headers: Vec<String>,
}

/// The answer of a tenant double, in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSaid {
    pub status: u16,
    #[serde(default)]
    pub location: Option<String>,
    #[serde(default)]
    pub content_location: Option<String>,
    /// Names of the internal headers that it forged.
    #[serde(default)]
    pub forged: Vec<String>,
    /// Its requests to the outside for this answer.
    #[serde(default)]
    pub fetched: Option<Fetched>,
    /// How long its body is, where it knew before it sent it.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Path and query as they reached it.
    #[serde(default)]
    pub target: Option<String>,
    /// How many cookies it set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookies: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    pub url: String,
    /// The status in the end, redirects followed.
    pub status: u16,
}

/// The decoded `PAYMENT-RESPONSE` header, or the `X-PAYMENT-RESPONSE` that a client of version 1 reads; networks as CAIP-2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PaymentResponse {
    pub success: bool,
    pub error_reason: Option<String>,
    pub payer: Option<String>,
    pub transaction: String,
    pub network: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseOutcome {
    Served,
    Refused,
    /// Still without a final answer when the client stopped asking.
    Unresolved,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Purchase {
    pub purchase: u64,
    /// Kind of its client, as a scenario's mix names it.
    #[serde(default)]
    pub client: String,
    /// The traffic block's name.
    #[serde(default)]
    pub traffic: String,
    pub tenant: String,
    /// Phase in which it was due.
    pub phase: String,
    pub payer: String,
    pub outcome: PurchaseOutcome,
    /// Every payment the client signed for it. More than one means that it was told to pay again.
    pub payments: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacilitatorEndpoint {
    Verify,
    Settle,
    Supported,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FacilitatorCall {
    pub facilitator: String,
    pub endpoint: FacilitatorEndpoint,
    /// 1-based, per facilitator and endpoint.
    pub nth: u64,
    pub payment: Option<String>,
    /// Keccak-256 of the request body's `paymentPayload`, hex: whether a retry was identical.
    pub payload_hash: Option<String>,
    pub received_us: u64,
    pub ended_us: u64,
    /// The fault that was applied to this call.
    pub fault: Option<FaultRef>,
    /// It came with an API key that is not this facilitator's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stray_key: bool,
    pub answer: FacilitatorAnswer,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacilitatorAnswer {
    /// An answer left the double whole. `ok` is `isValid` or `success`, absent where the body has neither.
    Sent {
        status: u16,
        ok: Option<bool>,
        reason: Option<String>,
        transaction: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payer: Option<String>,
    },
    /// The caller got no whole answer: `refused`, `reset`, `hung`, `truncated`, `caller-gone`.
    None { how: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    pub facilitator: String,
    pub payment: String,
    pub network: String,
    pub asset: String,
    pub from: String,
    pub to: String,
    pub value: String,
    pub transaction: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantRun {
    /// Name of the script in the namespace.
    pub script: String,
    /// The limits the dispatcher passed, as the namespace saw them; absent keys are the finding.
    pub cpu_ms: Option<f64>,
    pub sub_requests: Option<f64>,
    pub request_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantEnd {
    /// Name of the script in the namespace.
    pub script: String,
    pub request_id: Option<String>,
    pub outcome: TenantOutcome,
    /// How much of its answer had left by then.
    pub answer: TenantAnswer,
    /// CPU time, up to the cut-off where there was one; absent where its process ended before it could be read.
    pub cpu_used_ms: Option<f64>,
    /// The limits that were enforced: those that were passed, or the platform's own in place of one that was not.
    pub cpu_limit_ms: f64,
    /// The most that its isolate was seen to hold; absent in histories from before there was a limit.
    #[serde(default)]
    pub memory_mb: Option<f64>,
    /// The namespace's own, which nothing that is dispatched changes.
    #[serde(default)]
    pub memory_limit_mb: Option<f64>,
    /// Those that went out, each redirect hop among them.
    pub subrequests: u32,
    pub subrequest_limit: u32,
    /// Those that were refused, being over the limit, whatever the tenant made of that.
    pub subrequests_refused: u32,
}

/// In the platform's words, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TenantOutcome {
    Ok,
    Exception,
    ExceededCpu,
    ExceededMemory,
    /// Its process ended by itself.
    Crashed,
    /// Whoever had asked went away.
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TenantAnswer {
    None,
    /// Its status and headers, and perhaps some of its body.
    Begun,
    Whole,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DispatcherRequest {
    pub request_id: String,
    pub tenant_id: Option<String>,
    /// Method and path at the tenant, without the query.
    pub route: String,
    pub status: u16,
    pub code: Option<String>,
    pub payment: Option<String>,
    pub transaction: Option<String>,
    pub attempts: Vec<FacilitatorAttempt>,
    pub ms: u64,
}

/// One call the dispatcher made to a facilitator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FacilitatorAttempt {
    pub facilitator: String,
    pub call: FacilitatorEndpoint,
    /// `ok`, or the reason code: `unreachable`, `timeout`, `http_<status>`, `invalid_json`, `contradiction`, ...
    pub result: String,
    pub ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DispatcherPayment {
    pub request_id: Option<String>,
    pub tenant_id: String,
    pub payment: String,
    /// `claimed`, `verified`, `released`, `executed`, `settling`, `settled`, `refused`, `unknown` or `handed_over`.
    pub stage: String,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub facilitator: Option<String>,
    #[serde(default)]
    pub transaction: Option<String>,
}

/// The new content of the stored tenant directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectoryChange {
    /// Which of the scenario's `[[directory]]` list, with `on` the directory. `None`: what was there when the run began.
    pub change: Option<FaultRef>,
    /// The tenants that are to be in force from then on; `None`: those that were.
    pub tenants: Option<Vec<TenantFacts>>,
    pub to_be_logged: DirectoryNews,
}

/// One request of a tenant's, or one hop of a redirect, at the outbound Worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressLine {
    /// Empty where no policy came with it.
    pub tenant_id: String,
    /// The destination.
    #[serde(default)]
    pub host: Option<String>,
    /// Why it went nowhere.
    #[serde(default)]
    pub refused: Option<String>,
}

/// The hosts that a tenant may ask, where its record says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressFacts {
    pub allow: Option<Vec<String>>,
    pub deny: Vec<String>,
}

/// The line that the dispatcher is to log about a change of its directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryNews {
    Adopted,
    /// It goes on with what it had.
    Kept,
    /// The record of this tenant, alone.
    LeftOut(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryLine {
    /// `adopted`, `kept`, `left_out` or `unavailable`. In a history the line's own kind is called `event`.
    #[serde(rename = "happened", alias = "event")]
    pub event: String,
    /// The snapshot that is in use.
    #[serde(default)]
    pub version: Option<u64>,
    #[serde(default)]
    pub why: String,
}

/// Something begins that an operator should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatcherAlert {
    pub alert: String,
    #[serde(default)]
    pub tenant_id: Option<String>,
    /// The address that it is about.
    #[serde(default)]
    pub source: Option<String>,
    /// Unix time in milliseconds until which policy has put the tenant away.
    #[serde(default)]
    pub quarantined_until_ms: Option<u64>,
}

/// Something that keeps a payment from its end, or that went wrong beside requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleLine {
    /// The dispatcher's word for it, such as `health_unavailable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// `network:asset:from:nonce`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    pub why: String,
}

/// An operator changed something, or was turned away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorLine {
    pub request_id: String,
    pub route: String,
    pub status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The scope of the token that came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// An operator's request to the platform API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorAct {
    /// Which of the scenario's `[[operator]]` list, with `on` the operator.
    pub act: FaultRef,
    pub tenant: String,
    pub does: OperatorDoes,
    pub asked_us: u64,
    /// The answer's status; `None`: there was none.
    pub status: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorDoes {
    /// Until it is lifted, where it does not say when it ends.
    Quarantine {
        until_us: Option<u64>,
    },
    LiftQuarantine,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Killing {
    /// Which of the scenario's `[[kill]]` list, with `on` the dispatcher.
    pub kill: FaultRef,
    /// The payment that the kill waited for.
    pub payment: Option<String>,
}

/// The dispatcher's opinion of a facilitator at one kind of call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacilitatorStanding {
    pub facilitator: String,
    pub call: FacilitatorEndpoint,
    /// `healthy`, `degraded`, `quarantined` or `probing`.
    pub from: String,
    pub to: String,
    /// `answered`, or the reason code of the call that made the difference.
    pub reason: String,
}

/// What was kept, held against the ledger, once everything had arrived.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Books {
    pub matched: u64,
    pub missing_in_telemetry: Vec<String>,
    pub missing_in_ledger: Vec<String>,
    pub differing: Vec<String>,
    /// Events that are stored.
    pub kept: u64,
    /// Events that the counts of all time have.
    pub counted: u64,
    /// Events that were counted as never sent.
    pub lost: u64,
    /// Events that lie with the dead letters.
    pub put_aside: u64,
    /// Events that waited in the memory of processes that were killed.
    pub unsent: u64,
}

/// A payment's record that is left in storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRecord {
    pub payment: String,
    /// The name as in [`LedgerState`].
    pub state: String,
    /// When it was written last.
    pub since_us: u64,
    pub bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerState {
    pub payment: String,
    /// `vacant`, `claimed`, `verified`, `executed`, `settling`, `settled`, `refused` or `unknown`.
    pub state: String,
    pub transaction: Option<String>,
}
