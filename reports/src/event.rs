//! What happened in a run, one JSON object a line. This is the only thing judges and reports read, so whatever a rule
//! needs must be an event; times are microseconds since the run began, so that two runs of one seed can be compared.

mod answer;
mod directory;
mod dispatcher;
mod exchange;
mod facilitator;
mod ledger;
mod run;
mod tenant;

pub use answer::{Answer, Fetched, PaymentResponse, TenantSaid};
pub use directory::{DirectoryChange, DirectoryNews, OperatorAct, OperatorDoes};
pub use dispatcher::{
    DirectoryLine, DispatcherAlert, DispatcherPayment, DispatcherRequest, EgressLine, FacilitatorAttempt,
    FacilitatorStanding, OperatorLine, TroubleLine,
};
pub use exchange::{Exchange, ExchangeKind, ExchangeOutcome, Flaw, Purchase, PurchaseOutcome};
pub use facilitator::{FacilitatorAnswer, FacilitatorCall, FacilitatorEndpoint, Transfer};
pub use ledger::{Books, LedgerState, StoredRecord};
pub use run::{EgressFacts, FaultRef, Flow, Killing, LimitFacts, MachineLoad, PriceFacts, RunStarted, TenantFacts};
pub use tenant::{TenantAnswer, TenantEnd, TenantOutcome, TenantRun};

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
