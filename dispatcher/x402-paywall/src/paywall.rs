//! The request's side of a payment: admit, claim and verify, let the seller run, settle, hand over.
//!
//! [`Paywall::sell`] is the only way through, so that no seller can run before a payment is claimed, and no response can
//! leave before it is settled.

pub use crate::purchase::{Presented, Purchase, Seller};

use crate::{
    Denial, PaidResponse, UnixMillis,
    admission::{self, Admitted, Terms, Worth},
    binding::Binding,
    challenge::Bill,
    facilitator::verdict::Settlement,
    hooks::{Hooks, NoHooks, Sale},
    ledger::{Asked, Authorized, Claim, Collection, Departed, Reply},
    origin::Fingerprint,
    ports::{Ledger, LedgerError},
    telemetry::Attempt,
    trace::Trace,
    window::Window,
};
use x402_protocol::{Address, Authorization, Network, Proof, Transfer, Version, header, v2::SettleResponse};

/// The paywall in front of one ledger.
pub struct Paywall<L, H = NoHooks> {
    ledger: L,
    hooks: H,
}

/// Puts a [`Paywall`] together.
pub struct Builder<L, H> {
    ledger: L,
    hooks: H,
}

/// A claim on a payment whose response is on its way to the caller: see [`Paywall::handed_over`].
#[derive(Debug)]
#[must_use]
pub struct Ticket {
    pub payment: String,
    holder: String,
    payer: Address,
    network: Network,
}

impl Ticket {
    /// With whether the response left.
    #[must_use]
    pub fn departed(self, delivered: bool) -> Departed {
        Departed { payment: self.payment, holder: self.holder, delivered }
    }
}

/// A payment of which nothing bad can be said without asking anyone. See [`Paywall::plausible`].
#[derive(Debug)]
pub struct Plausible {
    presents: Presents,
    payer: Address,
    proof: Proof,
    network: Network,
}

/// The message to the ledger.
#[derive(Debug)]
enum Presents {
    Sale(Box<Claim>),
    /// With what is told where the payment has bought nothing.
    Collection(Box<Collection>, Denial),
}

/// The result of running the seller.
#[derive(Debug)]
pub enum Ran<U> {
    /// The content that the payment buys. It is settled first and leaves then.
    Content(PaidResponse),
    /// Nothing to pay for (an error, a redirect, something too large): it leaves as it is, and nobody is charged.
    Unsold(U),
}

/// How a request ended at the paywall.
#[derive(Debug)]
pub enum Sold<U> {
    /// Paid for, now or before: hand it over, then say so by [`Paywall::handed_over`].
    Content {
        response: PaidResponse,
        settlement: Settlement,
        ticket: Ticket,
    },
    Unsold(U),
    /// Paid for upfront, and the seller had nothing to sell: it leaves as it is, with the receipt. The same payment, sent
    /// again, gets what it paid for.
    Owed {
        unsold: U,
        settlement: Settlement,
    },
    Denied(Denial),
}

/// A verified claim, or what the request gets instead.
enum Opened {
    Run(Ticket),
    /// Settled upfront.
    RunPaid(Ticket, Settlement),
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

/// The time that a sale took so far.
#[derive(Default)]
struct Course {
    attempts: Vec<Attempt>,
    ledger_error: Option<LedgerError>,
}

impl<L: Ledger> Paywall<L> {
    /// Without hooks.
    pub fn new(ledger: L) -> Self {
        Self::builder(ledger).build()
    }

    pub fn builder(ledger: L) -> Builder<L, NoHooks> {
        Builder { ledger, hooks: NoHooks }
    }
}

impl<L: Ledger, H: Hooks> Builder<L, H> {
    /// Called at each stage of every sale.
    pub fn hooks<Other: Hooks>(self, hooks: Other) -> Builder<L, Other> {
        Builder { ledger: self.ledger, hooks }
    }

    pub fn build(self) -> Paywall<L, H> {
        Paywall { ledger: self.ledger, hooks: self.hooks }
    }
}

impl<L: Ledger, H: Hooks> Paywall<L, H> {
    /// Returns the ledger that it asks.
    #[must_use]
    pub fn ledger(&self) -> &L {
        &self.ledger
    }

    /// A whole sale: challenge, admit, claim, verify, `run` the seller, settle. Two ledger round trips, and none for a
    /// request without a plausible payment.
    ///
    /// `run` is called at most once, and only for a payment that nobody else holds: verified, or settled where the offer's
    /// flow is `upfront`.
    pub async fn sell<U>(&self, purchase: &Purchase<'_>, run: impl AsyncFnOnce() -> Ran<U>) -> Told<Sold<U>> {
        match self.plausible(purchase) {
            Ok(plausible) => self.sell_to(purchase, plausible, run).await,
            Err(denial) => {
                Told { answer: Sold::Denied(denial), attempts: Vec::new(), payment: None, ledger_error: None }
            }
        }
    }

    /// The first half of a sale, for a seller that has a word to say before anyone is asked: challenge and admit.
    pub fn plausible(&self, purchase: &Purchase<'_>) -> Result<Plausible, Denial> {
        let presented = purchase.payment.ok_or(Denial::PaymentRequired)?;
        let Admitted { version, exact, offer, proof, carried, worth } =
            admission::admit(&presented, purchase.bill().as_ref(), purchase.now)?;
        let (payer, network) = (exact.transfer.from(), offer.network);
        let payment = exact.transfer.key(&offer).to_string();
        let presents = match (worth, purchase.seller) {
            (Worth::Sale(Terms { request, identifier }), Seller::Asks { id, facilitators, .. }) => {
                Presents::Sale(Box::new(Claim {
                    payment,
                    tenant_id: id.to_owned(),
                    binding: purchase.binding_to(id),
                    binding_to_place: Some(purchase.binding_to(purchase.place)),
                    version,
                    flow: offer.flow,
                    request,
                    payer,
                    network,
                    amount: exact.transfer.amount(),
                    facilitators: facilitators.to_vec(),
                    window: Window::of(&exact.transfer),
                    authorized: match &exact.transfer {
                        Transfer::Eip3009(Authorization { to, nonce, .. }) => {
                            Some(Authorized { token: offer.asset, to: *to, nonce: *nonce })
                        }
                        Transfer::Permit2(_) => None,
                    },
                    signature: exact.signature.to_string(),
                    proven: proof == Proof::Recovered,
                    origin: Some(purchase.origin.clone()),
                    content: None,
                    proof_of_payer: None,
                    ignored_identifier: carried.filter(|_| identifier.is_none()),
                    identifier,
                    trace: None,
                    request_id: Some(purchase.request_id.to_owned()),
                }))
            }
            (worth, seller) => {
                let asked = match seller {
                    Seller::Asks { id, .. } | Seller::Gives { id } => Asked::Seller(purchase.binding_to(id)),
                    Seller::Nobody => Asked::Place(purchase.binding_to(purchase.place)),
                };
                let otherwise = match worth {
                    Worth::Collection(denial) => denial,
                    Worth::Sale(_) => Denial::NotSelling,
                };
                let collection = Collection {
                    payment,
                    asked,
                    signature: exact.signature.to_string(),
                    origin: Some(purchase.origin.clone()),
                    content: None,
                    proof_of_payer: None,
                    carried,
                };
                Presents::Collection(Box::new(collection), otherwise)
            }
        };
        Ok(Plausible { presents, payer, proof, network })
    }

    /// The second half: claim, verify, `run` the seller, settle.
    pub async fn sell_to<U>(
        &self,
        purchase: &Purchase<'_>,
        plausible: Plausible,
        run: impl AsyncFnOnce() -> Ran<U>,
    ) -> Told<Sold<U>> {
        let mut course = Course::default();
        let key = plausible.key().to_owned();
        let sale = Sale { purchase, payment: &key, payer: plausible.payer };
        let answer = self.sale_of(&sale, plausible, run, &mut course).await;
        if let Sold::Denied(denial) = &answer {
            self.hooks.on_failure(&sale, denial).await;
        }
        let Course { attempts, ledger_error } = course;
        Told { answer, attempts, payment: Some(key), ledger_error }
    }

    /// Says whether the response left for the caller. Not on the request's path.
    pub async fn handed_over(&self, ticket: &Ticket, delivered: bool) -> Result<(), LedgerError> {
        self.ledger.handed_over(&ticket.payment, &ticket.holder, delivered).await
    }

    /// The same for many at once. Gives those that could not be noted.
    pub async fn all_handed_over(&self, departed: Vec<Departed>) -> Vec<(String, LedgerError)> {
        self.ledger.all_handed_over(departed).await
    }

    /// The sale for a payment that is plausible.
    async fn sale_of<U>(
        &self,
        sale: &Sale<'_>,
        plausible: Plausible,
        run: impl AsyncFnOnce() -> Ran<U>,
        course: &mut Course,
    ) -> Sold<U> {
        if let Err(veto) = self.hooks.before_verify(sale).await {
            return Sold::Denied(veto.into());
        }
        let ticket = match self.open(sale, plausible, course).await {
            Opened::Run(ticket) => ticket,
            Opened::RunPaid(ticket, settlement) => {
                return self.sale_paid_upfront(sale, ticket, settlement, run, course).await;
            }
            Opened::Collect(ticket, response, settlement) => return Sold::Content { response, settlement, ticket },
            Opened::Deny(denial) => return Sold::Denied(denial),
        };
        self.hooks.after_verify(sale).await;
        if let Err(veto) = self.hooks.before_execute(sale).await {
            self.release(&ticket, course).await;
            return Sold::Denied(veto.into());
        }
        let response = match run().await {
            Ran::Content(response) => response,
            Ran::Unsold(unsold) => {
                self.release(&ticket, course).await;
                self.hooks.after_execute(sale, None).await;
                return Sold::Unsold(unsold);
            }
        };
        self.hooks.after_execute(sale, Some(&response)).await;
        if let Err(veto) = self.hooks.before_settle(sale, &response).await {
            self.release(&ticket, course).await;
            return Sold::Denied(veto.into());
        }
        match self.close(&ticket, &response, course).await {
            Ok(settlement) => {
                self.hooks.after_settle(sale, &settlement).await;
                Sold::Content { response, settlement, ticket }
            }
            Err(denial) => Sold::Denied(denial),
        }
    }

    /// The money moved: no hook can call this off any more, and what the seller has not given yet stays owed.
    async fn sale_paid_upfront<U>(
        &self,
        sale: &Sale<'_>,
        ticket: Ticket,
        settlement: Settlement,
        run: impl AsyncFnOnce() -> Ran<U>,
        course: &mut Course,
    ) -> Sold<U> {
        self.hooks.after_settle(sale, &settlement).await;
        match run().await {
            Ran::Content(response) => {
                self.hooks.after_execute(sale, Some(&response)).await;
                match self.close(&ticket, &response, course).await {
                    Ok(settlement) => Sold::Content { response, settlement, ticket },
                    Err(denial) => Sold::Denied(denial),
                }
            }
            Ran::Unsold(unsold) => {
                self.release(&ticket, course).await;
                self.hooks.after_execute(sale, None).await;
                Sold::Owed { unsold, settlement }
            }
        }
    }

    async fn open(&self, sale: &Sale<'_>, plausible: Plausible, course: &mut Course) -> Opened {
        let Plausible { presents, payer, network, .. } = plausible;
        let (payment, holder) = (sale.payment.to_owned(), sale.purchase.request_id.to_owned());
        let ticket = Ticket { payment, holder, payer, network };
        let (told, otherwise) = match presents {
            Presents::Sale(claim) => (self.ledger.claim(*claim, &ticket.holder).await, Denial::NotSelling),
            Presents::Collection(collection, otherwise) => {
                (self.ledger.collect(*collection, &ticket.holder).await, otherwise)
            }
        };
        let told = match told {
            Ok(told) => told,
            // The claim may have arrived: whoever comes again is not to wait for a request that never heard of it.
            Err(error) => {
                self.release(&ticket, course).await;
                course.ledger_error = Some(error);
                return Opened::Deny(Denial::LedgerUnavailable);
            }
        };
        course.attempts.extend(told.attempts);
        match (told.reply, told.response) {
            (Reply::NothingBought, _) => Opened::Deny(otherwise),
            (Reply::Run, _) => Opened::Run(ticket),
            (Reply::RunPaid(settlement), _) => Opened::RunPaid(ticket, settlement),
            (Reply::Settled(settlement), Some(response)) => Opened::Collect(ticket, response, settlement),
            (reply, _) => Opened::Deny(ticket.denial(reply)),
        }
    }

    /// Has the seller's response stored and paid for.
    async fn close(&self, ticket: &Ticket, response: &PaidResponse, course: &mut Course) -> Result<Settlement, Denial> {
        match self.ledger.settle(&ticket.payment, &ticket.holder, response).await {
            Ok(told) => {
                course.attempts.extend(told.attempts);
                match told.reply {
                    Reply::Settled(settlement) => Ok(settlement),
                    reply => Err(ticket.denial(reply)),
                }
            }
            // The ledger may have settled before its answer was lost: unknown, not failed.
            Err(error) => {
                self.release(ticket, course).await;
                course.ledger_error = Some(error);
                Err(ticket.denial(Reply::Pending { transaction: None, retry_after_ms: 0 }))
            }
        }
    }

    /// Gives the payment back: there is nothing to pay for. If the ledger cannot be told, its lease runs out by itself.
    async fn release(&self, ticket: &Ticket, course: &mut Course) {
        if let Err(error) = self.ledger.release(&ticket.payment, &ticket.holder).await {
            course.ledger_error = Some(error);
        }
    }
}

impl<'a> Purchase<'a> {
    /// `None`: nothing is sold.
    #[must_use]
    pub fn bill(&self) -> Option<Bill<'a>> {
        match self.seller {
            Seller::Asks { price, .. } => Some(Bill { price, url: self.url }),
            Seller::Gives { .. } | Seller::Nobody => None,
        }
    }

    /// The generation in which the caller is answered: the payment's.
    #[must_use]
    pub fn version(&self) -> Version {
        self.payment.map_or(Version::V2, |presented| presented.version)
    }

    fn binding_to(&self, whom: &str) -> Binding {
        Binding::of(whom, self.method, self.path, self.query)
    }
}

impl Plausible {
    /// `network:asset:from:nonce`.
    #[must_use]
    pub fn key(&self) -> &str {
        match &self.presents {
            Presents::Sale(claim) => &claim.payment,
            Presents::Collection(collection, _) => &collection.payment,
        }
    }

    /// For a seller that sells nothing now: what the payment bought before may be collected, and nothing is begun. Where it
    /// bought nothing, that is told by `otherwise`.
    #[must_use]
    pub fn only_to_collect(self, otherwise: Denial) -> Self {
        let presents = match self.presents {
            Presents::Sale(claim) => Presents::Collection(Box::new(claim.to_collect()), otherwise),
            Presents::Collection(collection, _) => Presents::Collection(collection, otherwise),
        };
        Self { presents, ..self }
    }

    /// Binds the payment to the request's body and content type as well. Without it any body will do: for a seller that
    /// looks at none.
    #[must_use]
    pub fn with_content(self, content: Fingerprint) -> Self {
        let content = Some(content);
        let presents = match self.presents {
            Presents::Sale(claim) => Presents::Sale(Box::new(Claim { content, ..*claim })),
            Presents::Collection(collection, otherwise) => {
                Presents::Collection(Box::new(Collection { content, ..*collection }), otherwise)
            }
        };
        Self { presents, ..self }
    }

    /// Has every call about the payment belong to this trace.
    #[must_use]
    pub fn with_trace(self, trace: Trace) -> Self {
        let presents = match self.presents {
            Presents::Sale(claim) => Presents::Sale(Box::new(Claim { trace: Some(trace), ..*claim })),
            collection @ Presents::Collection(..) => collection,
        };
        Self { presents, ..self }
    }

    /// Adds a proof of the payer's key that was made at `at`.
    #[must_use]
    pub fn with_proof(self, at: Option<UnixMillis>) -> Self {
        let presents = match self.presents {
            Presents::Sale(claim) => Presents::Sale(Box::new(Claim { proof_of_payer: at, ..*claim })),
            Presents::Collection(collection, otherwise) => {
                Presents::Collection(Box::new(Collection { proof_of_payer: at, ..*collection }), otherwise)
            }
        };
        Self { presents, ..self }
    }

    /// The account that the payment names as its payer.
    #[must_use]
    pub fn payer(&self) -> Address {
        self.payer
    }

    /// The network that the payment is signed for.
    #[must_use]
    pub fn network(&self) -> Network {
        self.network
    }

    /// How far it is known by itself who signed it. An unproven payment may be a smart account's, and may be anybody's: a
    /// facilitator has to be asked, so such payments are held to a rate of their own and are no evidence of anything.
    #[must_use]
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The payer, if its key is known to have signed. `None`: only a chain can check the signature, and anyone can name a
    /// payer.
    #[must_use]
    pub fn signer(&self) -> Option<Address> {
        (self.proof == Proof::Recovered).then_some(self.payer)
    }
}

impl Ticket {
    fn denial(&self, reply: Reply) -> Denial {
        let (payer, network) = (self.payer, self.network);
        match reply {
            Reply::Invalid(reason) => Denial::InvalidPayment(reason),
            Reply::Nobody => Denial::FacilitatorsUnavailable,
            Reply::InProgress => Denial::PaymentInProgress,
            Reply::IdentifierTaken { transaction } => Denial::IdentifierConflict { transaction, payer, network },
            Reply::AlreadyUsed { transaction } => {
                Denial::AlreadyUsed { transaction, payment: self.payment.clone(), payer, network }
            }
            Reply::Refused(reason) => Denial::SettlementRefused { reason, payer, network },
            Reply::Pending { transaction, retry_after_ms } => {
                Denial::SettlementPending { transaction, payer, network, retry_after_ms }
            }
            Reply::Settled(Settlement { transaction, .. }) | Reply::RunPaid(Settlement { transaction, .. }) => {
                Denial::SettlementPending { transaction: Some(transaction), payer, network, retry_after_ms: 0 }
            }
            // An answer that does not belong to the question: a ledger of another version. Never a new bill.
            Reply::Run | Reply::NothingBought | Reply::Noted => {
                Denial::SettlementPending { transaction: None, payer, network, retry_after_ms: 0 }
            }
        }
    }
}

/// The header beside the content that tells a caller of this generation what was settled.
#[must_use]
pub fn receipt(settlement: &Settlement, version: Version) -> (&'static str, String) {
    let response = SettleResponse {
        success: true,
        error_reason: None,
        payer: Some(settlement.payer.to_string()),
        transaction: settlement.transaction.clone(),
        network: settlement.network.name_in(version).to_owned(),
        amount: None,
    };
    (version.response_header(), header::encode(&response))
}

#[cfg(test)]
#[path = "paywall_tests.rs"]
mod tests;
