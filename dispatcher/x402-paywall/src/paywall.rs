//! The request's side of a payment: open (challenge, admit, claim, verify), let the tenant run, close (settle).

use crate::{
    Denial, PaidResponse, admission,
    binding::Binding,
    facilitator::verdict::Settlement,
    ledger::{Claim, Reply},
    ports::{Ledger, LedgerError},
    telemetry::Attempt,
};
use x402_protocol::{Address, Network, Offer, header, v2::SettleResponse};

/// The paywall in front of one ledger.
pub struct Paywall<L> {
    ledger: L,
}

/// One request for something that costs.
#[derive(Clone, Copy, Debug)]
pub struct Purchase<'a> {
    /// Unique per request: it holds the claim.
    pub request_id: &'a str,
    pub tenant_id: &'a str,
    pub method: &'a str,
    /// As the tenant sees them.
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub offer: &'a Offer,
    /// Value of `PAYMENT-SIGNATURE`.
    pub payment: Option<&'a str>,
}

/// A claim on a verified payment. Must be closed or released; if it is lost, the ledger's lease gives the payment back.
#[derive(Debug)]
#[must_use]
pub struct Ticket {
    pub payment: String,
    holder: String,
    payer: Address,
    network: Network,
}

/// How a request stands at the paywall.
#[derive(Debug)]
pub enum Opened {
    /// Paid up to settling: run the tenant, then close.
    Run(Ticket),
    /// Settled before: this response is what was paid for.
    Collect(Ticket, PaidResponse, Settlement),
    Deny(Denial),
}

/// An answer together with what it took, for the request's log line.
#[derive(Debug)]
pub struct Told<T> {
    pub answer: T,
    pub attempts: Vec<Attempt>,
    /// Key of the payment that the ledger was asked about.
    pub payment: Option<String>,
    /// Why the ledger could not be asked, where that decided the answer.
    pub ledger_error: Option<LedgerError>,
}

impl<T> Told<T> {
    fn without_ledger(answer: T) -> Self {
        Self { answer, attempts: Vec::new(), payment: None, ledger_error: None }
    }

    fn by_ledger(answer: T, payment: String, attempts: Vec<Attempt>) -> Self {
        Self { answer, attempts, payment: Some(payment), ledger_error: None }
    }

    fn ledger_failed(answer: T, payment: String, error: LedgerError) -> Self {
        Self { answer, attempts: Vec::new(), payment: Some(payment), ledger_error: Some(error) }
    }
}

impl<L: Ledger> Paywall<L> {
    pub fn new(ledger: L) -> Self {
        Self { ledger }
    }

    /// Challenge, admit, claim, verify. One ledger round trip, and none for a request without a plausible payment.
    pub async fn open(&self, purchase: &Purchase<'_>) -> Told<Opened> {
        let deny = |denial| Told::without_ledger(Opened::Deny(denial));
        let Some(header) = purchase.payment else { return deny(Denial::PaymentRequired) };
        let payment = match admission::admit(header, purchase.offer) {
            Ok(payment) => payment,
            Err(denial) => return deny(denial),
        };
        let authorization = &payment.exact.authorization;
        let ticket = Ticket {
            payment: purchase.offer.payment_key(authorization).to_string(),
            holder: purchase.request_id.to_owned(),
            payer: authorization.from,
            network: purchase.offer.network,
        };
        let claim = Claim {
            payment: ticket.payment.clone(),
            tenant_id: purchase.tenant_id.to_owned(),
            binding: Binding::of(purchase.tenant_id, purchase.method, purchase.path, purchase.query),
            requirements: purchase.offer.to_requirements(),
            payer: authorization.from,
            network: purchase.offer.network,
            amount: purchase.offer.amount,
            valid_after: authorization.valid_after.saturating_u64(),
            valid_before: authorization.valid_before.saturating_u64(),
            signature: payment.exact.signature.clone(),
            identifier: payment.payment_identifier().map(str::to_owned),
            payload: payment.text,
        };
        let told = match self.ledger.claim(claim, &ticket.holder).await {
            Ok(told) => told,
            Err(error) => return Told::ledger_failed(Opened::Deny(Denial::LedgerUnavailable), ticket.payment, error),
        };
        let payment = ticket.payment.clone();
        let answer = match (told.reply, told.response) {
            (Reply::Run, _) => Opened::Run(ticket),
            (Reply::Settled(settlement), Some(response)) => Opened::Collect(ticket, response, settlement),
            (reply, _) => Opened::Deny(ticket.denial(reply)),
        };
        Told::by_ledger(answer, payment, told.attempts)
    }

    /// Has the tenant's response stored and paid for. One ledger round trip.
    pub async fn close(&self, ticket: &Ticket, response: &PaidResponse) -> Told<Result<Settlement, Denial>> {
        match self.ledger.settle(&ticket.payment, &ticket.holder, response).await {
            Ok(told) => {
                let answer = match told.reply {
                    Reply::Settled(settlement) => Ok(settlement),
                    reply => Err(ticket.denial(reply)),
                };
                Told::by_ledger(answer, ticket.payment.clone(), told.attempts)
            }
            // The ledger may have settled before its answer was lost: unknown, not failed.
            Err(error) => {
                let pending = Err(ticket.denial(Reply::Pending { transaction: None }));
                Told::ledger_failed(pending, ticket.payment.clone(), error)
            }
        }
    }

    /// Gives the payment back: the tenant failed, and nobody pays for nothing. If the ledger cannot be told, its lease
    /// runs out by itself.
    pub async fn release(&self, ticket: &Ticket) -> Result<(), LedgerError> {
        self.ledger.release(&ticket.payment, &ticket.holder).await
    }

    /// Says whether the response left for the caller. Not on the request's path.
    pub async fn handed_over(&self, ticket: &Ticket, delivered: bool) -> Result<(), LedgerError> {
        self.ledger.handed_over(&ticket.payment, &ticket.holder, delivered).await
    }
}

impl Ticket {
    fn denial(&self, reply: Reply) -> Denial {
        let (payer, network) = (self.payer, self.network);
        match reply {
            Reply::Invalid(reason) => Denial::InvalidPayment(reason),
            Reply::Nobody => Denial::FacilitatorsUnavailable,
            Reply::InProgress => Denial::PaymentInProgress,
            Reply::AlreadyUsed { transaction } => Denial::AlreadyUsed { transaction, payer, network },
            Reply::Refused(reason) => Denial::SettlementRefused { reason, payer, network },
            Reply::Pending { transaction } => Denial::SettlementPending { transaction, payer, network },
            Reply::Settled(Settlement { transaction, .. }) => {
                Denial::SettlementPending { transaction: Some(transaction), payer, network }
            }
            // An answer that does not belong to the question: a ledger of another version. Never a new bill.
            Reply::Run | Reply::Noted => Denial::SettlementPending { transaction: None, payer, network },
        }
    }
}

/// Value of `PAYMENT-RESPONSE` beside the content.
#[must_use]
pub fn payment_response_header(settlement: &Settlement) -> String {
    header::encode(&SettleResponse {
        success: true,
        error_reason: None,
        payer: Some(settlement.payer.to_string()),
        transaction: settlement.transaction.clone(),
        network: settlement.network.to_string(),
        amount: None,
    })
}
