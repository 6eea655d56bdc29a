//! Who is let in: rates by plan for a tenant, its payers and its callers' addresses, and rules against what only costs.
//!
//! An isolate decides by what it saw itself, at once and without asking anyone, so that a refusal costs nothing but CPU. Only
//! of what is busy here it asks, beside the answer, what the whole location counts ([`RateLimiter`]), and goes by that for the
//! next request. Surprising constraint: no rule but its own keeps out a payment that the ledger is known here to have, because
//! who has paid comes back for the response; an isolate that has not seen it holds it to every rule, before any effect.

#[cfg(test)]
mod tests;

mod error_rate;
mod meter;
mod source;
mod table;

pub use source::Source;

use crate::{
    fnv::{self, fnv1a},
    plan::Rates,
    ports::{RateLimiter, Rung},
    telemetry::Alert,
    tenant::Tenant,
};
use error_rate::ErrorRate;
use meter::{Event, Rule, Verdict};
use std::cell::RefCell;
use table::Table;
use x402_paywall::{
    UnixMillis,
    ports::Clock,
    seeded::{self, Bug},
};

/// Requests without a payment from one address, to whatever tenants have a price, less the purchases that came of them. A
/// person with a browser or an agent that buys stays far below.
const UNPAID: Flood = Flood { of: Of::Unpaid, alert: "unpaid_flood", rule: Rule::flood(100, 300) };
/// Payments from one address that cannot be read, lack what is asked of them or are not signed by their payer: a client's
/// mistake is made a few times. Each costs the CPU of a look at it, or a call to the ledger where it may have bought something.
const MALFORMED: Flood = Flood { of: Of::Malformed, alert: "malformed_flood", rule: Rule::flood(20, 120) };
/// Payments from one address that only a facilitator could refuse, that pay something else, or that were spent: each costs
/// calls.
const WORTHLESS: Flood = Flood { of: Of::Worthless, alert: "worthless_payments", rule: Rule::flood(10, 30) };
/// One payment that the ledger has, from one source: ten at once are a client's own race.
const AGAIN: Rule = Rule::rate(20);
/// Payments from one address to where nothing is sold, which the ledger is asked about all the same: somebody may have bought
/// something there before. Anyone can sign one for nothing, so few of them are worth a call.
const LOOKS: Rule = Rule::rate(20);
/// Of a tenant whose Worker suddenly fails: enough to see that it is well again.
const PROBES: Rule = Rule::rate(10);

/// Its callers would only come back for nothing.
const FAILING_RETRY_S: u64 = 5;

/// Of addresses, two or three keys each: half a megabyte of an isolate's 128.
const ADDRESSES: usize = 16_384;
/// Payers, and payments that the ledger has.
const PAYMENTS: usize = 8_192;
/// Of tenants, three keys each; no caller can add to them.
const TENANTS: usize = 2_048;
/// Workers whose runs are watched at once; of one more, the longest unused is forgotten.
const WATCHED: usize = 256;
/// What is to be asked of the location at once; more is not worth the calls.
const MAX_QUESTIONS: usize = 32;

struct Flood {
    of: Of,
    alert: &'static str,
    rule: Rule,
}

/// One isolate's view of who comes.
#[derive(Debug)]
pub struct Gate {
    seed: u64,
    seen: RefCell<Seen>,
}

#[derive(Debug)]
struct Seen {
    addresses: Table,
    payments: Table,
    tenants: Table,
    /// The latest last.
    workers: Vec<(u64, ErrorRate)>,
    questions: Vec<Question>,
    alerts: Vec<Alert>,
}

/// A request, as far as admission is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    pub source: Option<&'a Source>,
    /// Empty: nobody's.
    pub tenant_id: &'a str,
    pub rates: Rates,
    pub brings: Brings<'a>,
    pub at: UnixMillis,
}

/// What it has to offer.
#[derive(Clone, Copy, Debug)]
pub enum Brings<'a> {
    /// Nothing is asked of it: the tenant is free.
    Nothing,
    /// It asks whether a page may pay.
    Preflight,
    /// No payment, where there is a price.
    NoPayment,
    /// Value of its payment header.
    Payment(&'a str),
}

/// What came of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It could be refused by looking at it.
    Malformed,
    /// A facilitator had to be asked to refuse it.
    Worthless,
    /// It had bought something before. Anyone can send it who reads the chain.
    Spent,
    /// The ledger has it, or may have it: its payer will come back with it.
    Kept,
    /// It was paid for and handed over.
    Bought,
    /// Nobody could say.
    Nothing,
}

/// Nobody was asked about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    pub retry_after_s: u64,
}

/// What the location is to be asked: counts one more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    rung: Rung,
    /// The same in every isolate.
    key: String,
    rule: Rule,
    of: Of,
}

/// What is counted, and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    TenantFree,
    TenantPaid,
    Payer,
    Address,
    Unpaid,
    Malformed,
    Worthless,
    Payment,
    Again,
    Look,
    Probe,
    Worker,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Gate {
    /// The seed keeps callers from choosing whom they push out.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let [addresses, payments, tenants] = [ADDRESSES, PAYMENTS, TENANTS].map(Table::new);
        let (workers, questions, alerts) = Default::default();
        Self { seed, seen: RefCell::new(Seen { addresses, payments, tenants, workers, questions, alerts }) }
    }

    /// Before anything is done for a request, but to see whose it is.
    pub fn enter(&self, visit: &Visit<'_>) -> Result<(), TurnedAway> {
        let (id, now) = (visit.tenant_id, visit.at);
        if let Some(header) = self.known(visit) {
            // By source: anyone can send it who reads the chain.
            let from = visit.source.map_or("", Source::as_str);
            return fits(self.step(Of::Again, &[id, header, from], Event::Came, AGAIN, now));
        }
        if let Some(source) = visit.source {
            let floods: &[(&Flood, Event)] = match visit.brings {
                Brings::Nothing | Brings::Preflight => &[],
                Brings::NoPayment => &[(&UNPAID, Event::Came)],
                // That an address sends nothing otherwise does not keep its payments out.
                Brings::Payment(_) => &[(&MALFORMED, Event::Knocked), (&WORTHLESS, Event::Knocked)],
            };
            for (flood, event) in floods {
                self.flood(flood, source, id, *event, now)?;
            }
            let whose = if seeded::has(Bug::AddressesCountedAsOne) { "" } else { source.as_str() };
            self.rate(Of::Address, visit.rates.address, id, whose, now)?;
        }
        match visit.brings {
            Brings::Nothing => {
                self.probe(id, now)?;
                self.rate(Of::TenantFree, visit.rates.tenant, id, "", now)
            }
            Brings::Preflight => self.rate(Of::TenantFree, visit.rates.tenant, id, "", now),
            // An offer runs nothing: were it counted, whoever asks from a thousand addresses would keep out who pays.
            Brings::NoPayment if seeded::has(Bug::OffersCounted) => {
                self.rate(Of::TenantFree, visit.rates.tenant, id, "", now)
            }
            // A payment counts once it is known to be one, so that no junk keeps out who pays.
            Brings::NoPayment | Brings::Payment(_) => Ok(()),
        }
    }

    /// Before anyone is asked about a payment that is plausible. `payer`: where its signature says who that is.
    pub fn pay(&self, visit: &Visit<'_>, payer: Option<&str>) -> Result<(), TurnedAway> {
        if self.known(visit).is_some() {
            return Ok(());
        }
        let (id, now) = (visit.tenant_id, visit.at);
        self.probe(id, now)?;
        let payer = payer.filter(|_| !seeded::has(Bug::PayerRateNotHeld));
        let payer = if seeded::has(Bug::PayersCountedAsOne) { payer.map(|_| "") } else { payer };
        if let Some(payer) = payer {
            self.rate(Of::Payer, visit.rates.payer, id, payer, now)?;
        }
        self.rate(Of::TenantPaid, visit.rates.tenant, id, "", now)
    }

    /// Before the ledger is asked about a payment where nothing is sold. Callers without an address count as one.
    pub fn look(&self, visit: &Visit<'_>) -> Result<(), TurnedAway> {
        if self.known(visit).is_some() {
            return Ok(());
        }
        let from = visit.source.map_or("", Source::as_str);
        fits(self.step(Of::Look, &[from], Event::Came, LOOKS, visit.at))
    }

    /// Takes what came of a payment that was let in.
    pub fn paid(&self, visit: &Visit<'_>, payer: Option<&str>, came: Came) {
        let Brings::Payment(header) = visit.brings else { return };
        let (id, now) = (visit.tenant_id, visit.at);
        let (flood, event) = match came {
            Came::Malformed if seeded::has(Bug::MalformedNotCounted) => return,
            Came::Malformed => (&MALFORMED, Event::Came),
            Came::Worthless | Came::Spent if seeded::has(Bug::WorthlessNotCounted) => return,
            Came::Bought if seeded::has(Bug::GoodTakenForWorthless) => (&WORTHLESS, Event::Came),
            Came::Worthless | Came::Spent => (&WORTHLESS, Event::Came),
            Came::Kept | Came::Bought => (&UNPAID, Event::WasGood),
            Came::Nothing => return,
        };
        if event == Event::WasGood {
            self.step(Of::Payment, &[id, header], Event::Knocked, AGAIN, now);
        }
        // Not the payer's doing, who signed it for somebody else or long ago, and not the tenant's other callers'. The
        // address answers for it.
        if matches!(came, Came::Worthless | Came::Spent) {
            let give_back = |of, figure, whose| {
                self.step(of, &[&text(of, id, whose)], Event::WasGood, Rule::rate(figure), now);
            };
            give_back(Of::TenantPaid, visit.rates.tenant, "");
            if let Some(payer) = payer {
                give_back(Of::Payer, visit.rates.payer, payer);
            }
        }
        if let Some(source) = visit.source {
            // Of the next one.
            let _ = self.flood(flood, source, id, event, now);
        }
    }

    /// A request that is nobody's: the address is held to what it may send unpaid.
    pub fn lost(&self, source: Option<&Source>, now: UnixMillis) -> Result<(), TurnedAway> {
        source.map_or(Ok(()), |source| self.flood(&UNPAID, source, "", Event::Came, now))
    }

    /// Takes how a run of the tenant's Worker ended.
    pub fn ran(&self, tenant: &Tenant, failed: bool, now: UnixMillis) {
        let key = self.key(Of::Worker, &[&tenant.id]);
        let Seen { workers, alerts, .. } = &mut *self.seen.borrow_mut();
        let at = workers.iter().position(|(other, _)| *other == key);
        let rate = at.map_or_else(ErrorRate::default, |at| workers.remove(at).1);
        if workers.len() == WATCHED {
            workers.remove(0);
        }
        let (rate, begins) = rate.step(failed, now);
        workers.push((key, rate));
        if begins {
            alerts.push(Alert { alert: "tenant_error_rate", tenant_id: Some(tenant.id.clone()), ..Alert::default() });
        }
    }

    /// What began and is not told yet.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        std::mem::take(&mut self.seen.borrow_mut().alerts)
    }

    /// Whether the location is to be asked anything.
    #[must_use]
    pub fn has_questions(&self) -> bool {
        !self.seen.borrow().questions.is_empty()
    }

    /// Asks it. For after an answer, not on its path.
    pub async fn ask(&self, limiter: &impl RateLimiter, clock: &impl Clock) {
        let questions = std::mem::take(&mut self.seen.borrow_mut().questions);
        for Question { rung, key, rule, of } in questions {
            if !limiter.count(rung, &key).await && !seeded::has(Bug::LocationNotHeard) {
                self.step(of, &[&key], Event::FullElsewhere, rule, clock.now());
            }
        }
    }

    /// Its payment, if the ledger is known to have it. What was bought at one tenant says nothing at another.
    fn known<'a>(&self, visit: &Visit<'a>) -> Option<&'a str> {
        let Brings::Payment(header) = visit.brings else { return None };
        if seeded::has(Bug::KeptPaymentsHeldToRates) {
            return None;
        }
        let key = self.key(Of::Payment, &[visit.tenant_id, header]);
        self.seen.borrow().payments.knows(key).then_some(header)
    }

    fn rate(&self, of: Of, figure: u32, tenant: &str, whose: &str, now: UnixMillis) -> Result<(), TurnedAway> {
        let tenant = if seeded::has(Bug::TenantsCountedAsOne) { "" } else { tenant };
        let (rule, key) = (Rule::rate(figure), text(of, tenant, whose));
        let verdict = self.step(of, &[&key], Event::Came, rule, now);
        let questions = &mut self.seen.borrow_mut().questions;
        if let (Verdict::Fits { is_busy: true }, Some(rung)) = (verdict, Rung::at_least(figure))
            && questions.len() < MAX_QUESTIONS
        {
            questions.push(Question { rung, key, rule, of });
        }
        if seeded::has(Bug::RatesNotHeld) {
            return Ok(());
        }
        fits(verdict)
    }

    /// Lets few in where the tenant's Worker suddenly fails.
    fn probe(&self, tenant: &str, now: UnixMillis) -> Result<(), TurnedAway> {
        let key = self.key(Of::Worker, &[tenant]);
        if !self.seen.borrow().workers.iter().any(|(other, rate)| *other == key && rate.is_sudden()) {
            return Ok(());
        }
        let probes = fits(self.step(Of::Probe, &[tenant], Event::Came, PROBES, now));
        probes.map_err(|_| TurnedAway { retry_after_s: FAILING_RETRY_S })
    }

    fn flood(
        &self,
        flood: &Flood,
        source: &Source,
        tenant: &str,
        event: Event,
        now: UnixMillis,
    ) -> Result<(), TurnedAway> {
        let verdict = self.step(flood.of, &[source.as_str()], event, flood.rule, now);
        if seeded::has(Bug::FloodsNotCut) {
            return Ok(());
        }
        if matches!(verdict, Verdict::TooMuch { begins, .. } if begins || seeded::has(Bug::AlertEachTime)) {
            self.seen.borrow_mut().alerts.push(Alert {
                alert: flood.alert,
                tenant_id: Some(tenant.to_owned()).filter(|tenant| !tenant.is_empty()),
                source: Some(source.as_str().to_owned()),
                ..Alert::default()
            });
        }
        fits(verdict)
    }

    fn step(&self, of: Of, whose: &[&str], event: Event, rule: Rule, now: UnixMillis) -> Verdict {
        let key = self.key(of, whose);
        let seen = &mut *self.seen.borrow_mut();
        let table = match of {
            Of::Address | Of::Unpaid | Of::Malformed | Of::Worthless | Of::Look => &mut seen.addresses,
            Of::Payer | Of::Payment | Of::Again => &mut seen.payments,
            Of::TenantFree | Of::TenantPaid | Of::Probe | Of::Worker => &mut seen.tenants,
        };
        table.step(key, event, rule, now)
    }

    /// From a start that nobody outside knows.
    fn key(&self, of: Of, whose: &[&str]) -> u64 {
        // No text has this byte in it, so that no two lists of parts are one.
        const END: u8 = 0xff;
        let bytes = whose.iter().flat_map(|part| part.bytes().chain([END])).chain([of as u8]);
        let hash = fnv1a(self.seed ^ fnv::BASIS, bytes);
        // The low bits choose the slots, and zero is nobody's.
        (hash ^ (hash >> 32)).max(1)
    }
}

fn fits(verdict: Verdict) -> Result<(), TurnedAway> {
    match verdict {
        Verdict::Fits { .. } => Ok(()),
        Verdict::TooMuch { retry_after_ms, .. } => Err(TurnedAway { retry_after_s: retry_after_ms / 1_000 + 1 }),
    }
}

/// As the platform counts it.
fn text(of: Of, tenant: &str, whose: &str) -> String {
    let what = match of {
        Of::TenantFree => "free",
        Of::TenantPaid => "paid",
        Of::Payer => "payer",
        _ => "address",
    };
    [what, ":", tenant, ":", whose].concat()
}
