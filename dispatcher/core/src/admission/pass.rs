//! A request's way in: what it may do next, and what it holds meanwhile. Dropped halfway, it gives back what it holds.

use super::{
    Brings, Came, Tenancy, TurnedAway, Visit,
    floods::{AGAIN, LOOKS, MALFORMED, UNPAID, UNSIGNED, WORTHLESS},
    gate::{Count, Gate, Of, Touched, fits},
    key,
    meter::{Event, Rule},
    runs::Runs,
    sample::Origin,
    source::Source,
    under_way::Candidate,
};
use crate::plan::Plan;
use std::cell::RefCell;
use x402_paywall::{
    UnixMillis,
    seeded::{self, Bug},
};

/// When to come back where all places are taken.
const PLACES_RETRY_S: u64 = 1;
/// Payments by newcomers to one tenant in ten seconds, less those that a facilitator has vouched for: a quarter of its rate,
/// so that no flood of strangers uses up what its customers need. Far above what one source, or one wide network, can have
/// refused in that time.
const NEWCOMERS_SHARE: u32 = 4;
const LEAST_NEWCOMERS: u32 = 100;

/// A request that may go on to be answered, or to be paid for.
#[derive(Debug)]
#[must_use]
pub struct Entered<'a> {
    gate: &'a Gate,
    visit: Visit<'a>,
    names: Names<'a>,
    standing: Standing,
}

/// A payment, as far as this isolate knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    New,
    /// The ledger is being asked about it for another request.
    Twin,
    /// The ledger is known to have it.
    Kept,
}

/// A request as keys. Zero: it has no such thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    pub from: Option<&'a Source>,
    /// Empty: nobody's.
    pub tenant_id: &'a str,
    tenant: u64,
    pub source: u64,
    pub networks: [u64; 2],
    /// Its payment header at this tenant.
    header: u64,
    path: u32,
    /// Purchases from its source that went well lately.
    pub goodwill: u32,
}

/// The wallet that a payment names.
#[derive(Clone, Copy, Debug)]
pub struct Payer<'a> {
    pub address: &'a str,
    /// Whether its signature says so. If not, anyone may have named it.
    pub is_signer: bool,
}

/// A payment that somebody may be asked about.
#[derive(Debug)]
#[must_use]
pub struct Admitted<'a> {
    entered: Entered<'a>,
    payer: u64,
    /// Remembers that its payer has bought something here.
    proof: u64,
    is_proven: bool,
    /// Its own pauses, by header and by payment.
    waits: [u64; 2],
    held: RefCell<Held>,
}

#[derive(Debug, Default)]
struct Held {
    place: Option<u64>,
    /// Counted against its source, and given back once somebody vouches for the payment.
    until_vouched_for: Vec<Count>,
    /// Counted against its source in case nobody answers.
    unanswered: Vec<Count>,
    /// Counted against all newcomers of the tenant.
    of_newcomers: Vec<Count>,
    /// Given back if nothing ran.
    until_run: Vec<Count>,
    of_payer: Vec<Count>,
    is_verified: bool,
    is_over: bool,
}

impl Gate {
    /// The first step, before anything is done for a request but to see whose it is.
    pub fn enter<'a>(&'a self, visit: Visit<'a>) -> Result<Entered<'a>, TurnedAway> {
        let now = visit.at;
        let names = self.names(&visit);
        let mut entered = Entered { gate: self, visit, names, standing: Standing::New };
        let Tenancy { id, rates } = entered.tenancy();
        if matches!(visit.brings, Brings::Payment(_)) {
            entered.standing = entered.standing();
            if entered.standing != Standing::New {
                // By source: anyone can send it who reads the chain.
                let key = key::joined(Of::Again as u8, &[names.header, names.source]);
                return fits(self.step(Count { of: Of::Again, key, rule: AGAIN }, Event::Came, now)).map(|()| entered);
            }
            self.wait(entered.wait_of(names.header), now)?;
        }
        let floods: &[_] = match visit.brings {
            Brings::Nothing | Brings::Preflight => &[],
            Brings::NoPayment => &[(&UNPAID, Event::Came)],
            // That an address sends nothing otherwise does not keep its payments out.
            Brings::Payment(_) => &[(&MALFORMED, Event::Knocked), (&WORTHLESS, Event::Knocked)],
        };
        for (flood, event) in floods {
            self.flood(flood, &names, *event, now, &mut Vec::new())?;
        }
        if visit.tenancy.is_none() && matches!(visit.brings, Brings::NoPayment) {
            return Ok(entered);
        }
        if let Some(source) = visit.source {
            let whose = if seeded::has(Bug::AddressesCountedAsOne) { "" } else { source.as_str() };
            self.rate(Of::Address, rates.address, id, whose, now)?;
            // Of a wide network, never more than half of what the tenant may get.
            if names.networks[1] != 0 {
                let key = key::joined(Of::WideNetwork as u8, &[names.tenant, names.networks[1]]);
                let rule = Rule::rate(rates.address.max(rates.tenant / 2));
                fits(self.step(Count { of: Of::WideNetwork, key, rule }, Event::Came, now))?;
            }
        }
        match visit.brings {
            Brings::Nothing => {
                self.probe(names.tenant, names.path, now)?;
                self.rate(Of::TenantFree, rates.tenant, id, "", now)?;
            }
            Brings::Preflight => drop(self.rate(Of::TenantFree, rates.tenant, id, "", now)?),
            // An offer runs nothing: were it counted, whoever asks from a thousand addresses would keep out who pays.
            Brings::NoPayment if seeded::has(Bug::OffersCounted) => {
                self.rate(Of::TenantFree, rates.tenant, id, "", now)?;
            }
            // A payment counts once it is known to be one, so that no junk keeps out who pays.
            Brings::NoPayment | Brings::Payment(_) => {}
        }
        Ok(entered)
    }

    fn names<'a>(&self, visit: &Visit<'a>) -> Names<'a> {
        let now = visit.at;
        let tenant_id = visit.tenancy.map_or("", |tenancy| tenancy.id);
        let source = visit.source.map_or(0, |source| self.name(Of::Source, &[source.as_str()]));
        let networks = visit.source.and_then(Source::networks);
        let header = match visit.brings {
            Brings::Payment(header) => self.name(Of::Header, &[tenant_id, header]),
            _ => 0,
        };
        let goodwill = self.seen.borrow().goodwill.get(source).filter(|_| source != 0);
        Names {
            from: visit.source,
            tenant_id,
            tenant: self.name(Of::Tenant, &[tenant_id]),
            source,
            networks: networks.map_or([0; 2], |networks| networks.map(|network| self.network(network))),
            header,
            path: (self.name(Of::Path, &[visit.method, visit.path]) as u32).max(1),
            goodwill: goodwill.map_or(0, |goodwill| goodwill.purchases(now)),
        }
    }

    fn wait(&self, wait: u64, now: UnixMillis) -> Result<(), TurnedAway> {
        let left_ms = self.seen.borrow().waits.get(wait).map_or(0, |wait| wait.left_ms(now));
        if left_ms == 0 || seeded::has(Bug::NothingNeverWaits) { Ok(()) } else { Err(TurnedAway::for_ms(left_ms)) }
    }

    fn give_back(&self, counts: &mut Vec<Count>, now: UnixMillis) {
        for count in counts.drain(..) {
            self.step(count, Event::WasGood, now);
        }
    }
}

impl<'a> Entered<'a> {
    #[must_use]
    pub fn visit(&self) -> &Visit<'a> {
        &self.visit
    }

    /// Where the runs of this request are told.
    #[must_use]
    pub fn runs(&self) -> Runs<'a> {
        self.runs_of(0)
    }

    /// The payment could be refused by looking at it.
    pub fn malformed(self) {
        if !seeded::has(Bug::MalformedNotCounted) {
            // It holds for the next one.
            let _ = self.gate.flood(&MALFORMED, &self.names, Event::Came, self.visit.at, &mut Vec::new());
        }
    }

    /// The second step, before anyone is asked about a payment that is plausible. `payment` is its key, however it is written.
    pub fn admit(self, payment: &str, payer: Payer<'_>) -> Result<Admitted<'a>, TurnedAway> {
        let (gate, now, names) = (self.gate, self.visit.at, self.names);
        let payer_key = gate.name(Of::PayerName, &[payer.address]);
        // Of an account that did not sign, only its own source says that it is the same.
        let from = if payer.is_signer { 0 } else { names.source };
        let proof = key::joined(Of::Proven as u8, &[names.tenant, payer_key, from]);
        let is_proven = gate.seen.borrow().goodwill.get(proof).is_some_and(|proven| proven.purchases(now) > 0);
        let same_payment = self.wait_of(gate.name(Of::Payment, &[names.tenant_id, payment]));
        let waits = [self.wait_of(names.header), same_payment];
        let held = RefCell::default();
        let mut admitted = Admitted { entered: self, payer: payer_key, proof, is_proven, waits, held };
        let counted = match admitted.entered.standing {
            Standing::New => admitted.count(payer, now),
            // It shares the other's place; but if the other comes to nothing, somebody is asked about this one.
            Standing::Twin => admitted.count_for_source(now),
            Standing::Kept => Ok(()),
        };
        match counted {
            Ok(()) => Ok(admitted),
            Err(away) => {
                admitted.turn_away(now);
                Err(away)
            }
        }
    }

    fn standing(&self) -> Standing {
        let seen = self.gate.seen.borrow();
        match self.names.header {
            _ if seeded::has(Bug::KeptPaymentsHeldToRates) => Standing::New,
            header if seen.kept.get(header).is_some() => Standing::Kept,
            header if seen.under_way.has(header) => Standing::Twin,
            _ => Standing::New,
        }
    }

    fn tenancy(&self) -> Tenancy<'a> {
        self.visit.tenancy.unwrap_or(Tenancy { id: "", rates: Plan::Free.rates() })
    }

    fn wait_of(&self, payment: u64) -> u64 {
        key::joined(Of::Wait as u8, &[payment, self.names.source])
    }

    fn runs_of(&self, payer: u64) -> Runs<'a> {
        let Names { source, networks, path, .. } = self.names;
        // Whoever has a network of 48 bits has 65,536 sources.
        let address = if networks[1] == 0 { source } else { networks[1] };
        let origin = if seeded::has(Bug::RunsCountedForCallers) {
            Origin::of(key::joined(Of::Source as u8, &[self.visit.at.0, self.names.header]), 0)
        } else {
            Origin::of(address, payer)
        };
        Runs { gate: self.gate, origin, path }
    }
}

impl<'a> Admitted<'a> {
    /// Where the runs of this request are told.
    #[must_use]
    pub fn runs(&self) -> Runs<'a> {
        self.entered.runs_of(self.payer)
    }

    /// A facilitator has vouched for the payment, and the tenant is about to run for it.
    pub fn verified(&self, now: UnixMillis) {
        let held = &mut *self.held.borrow_mut();
        held.is_verified = true;
        held.until_run.clear();
        let gate = self.entered.gate;
        gate.give_back(&mut held.until_vouched_for, now);
        gate.give_back(&mut held.unanswered, now);
        gate.give_back(&mut held.of_newcomers, now);
        self.leave(held);
        self.remember(now);
    }

    /// The last step: what came of the payment.
    pub fn outcome(self, came: Came, now: UnixMillis) {
        self.conclude(came, now);
    }

    /// Counts everything that a new payment counts for, from the rules of its source to the tenant's rate.
    fn count(&mut self, payer: Payer<'_>, now: UnixMillis) -> Result<(), TurnedAway> {
        let (gate, names) = (self.entered.gate, self.entered.names);
        let Tenancy { id, rates } = self.entered.tenancy();
        let held = self.held.get_mut();
        gate.wait(self.waits[1], now)?;
        if self.entered.visit.tenancy.is_none() {
            // Callers without an address count as one.
            let key = key::joined(Of::Look as u8, &[names.source]);
            return fits(gate.step(Count { of: Of::Look, key, rule: LOOKS }, Event::Came, now));
        }
        gate.probe(names.tenant, names.path, now)?;
        let is_newcomer = !self.is_proven && !seeded::has(Bug::StrangersNotBounded);
        if !seeded::has(Bug::CountedAfterTheAnswer) {
            let candidate = Candidate {
                payment: names.header,
                tenant: names.tenant,
                rate: rates.tenant,
                from: [names.source, names.networks[0], names.networks[1]],
                goodwill: names.goodwill,
                is_newcomer,
            };
            let place = gate.seen.borrow_mut().under_way.take(candidate, now);
            held.place = Some(place.ok_or(TurnedAway { retry_after_s: PLACES_RETRY_S })?);
        }
        self.count_for_source(now)?;
        let held = self.held.get_mut();
        if !payer.is_signer && !self.is_proven && names.source != 0 {
            let key = key::joined(Of::Unsigned as u8, &[names.source]);
            fits(gate.step(Count { of: Of::Unsigned, key, rule: UNSIGNED }, Event::Came, now))?;
        }
        if payer.is_signer && !seeded::has(Bug::PayerRateNotHeld) {
            let whose = if seeded::has(Bug::PayersCountedAsOne) { "" } else { payer.address };
            held.of_payer.push(gate.rate(Of::Payer, rates.payer, id, whose, now)?);
        }
        if is_newcomer {
            let rule = Rule::rate((rates.tenant / NEWCOMERS_SHARE).max(LEAST_NEWCOMERS));
            let key = key::joined(Of::Newcomers as u8, &[names.tenant]);
            let count = Count { of: Of::Newcomers, key, rule };
            fits(gate.step(count, Event::Came, now))?;
            held.of_newcomers.push(count);
        }
        held.until_run.push(gate.rate(Of::TenantPaid, rates.tenant, id, "", now)?);
        Ok(())
    }

    /// Counts it against its source and the networks around it, until somebody vouches for it.
    fn count_for_source(&mut self, now: UnixMillis) -> Result<(), TurnedAway> {
        if seeded::has(Bug::CountedAfterTheAnswer) || seeded::has(Bug::WorthlessNotCounted) {
            return Ok(());
        }
        let (gate, names, held) = (self.entered.gate, &self.entered.names, self.held.get_mut());
        gate.flood(&WORTHLESS, names, Event::Came, now, &mut held.until_vouched_for)?;
        gate.unanswered(names, now, &mut held.unanswered)
    }

    /// It was refused for some other reason: nothing was asked, so nothing counts.
    fn turn_away(self, now: UnixMillis) {
        let held = &mut *self.held.borrow_mut();
        let Held { until_vouched_for, unanswered, of_newcomers, until_run, of_payer, .. } = held;
        for counts in [until_vouched_for, unanswered, of_newcomers, until_run, of_payer] {
            self.entered.gate.give_back(counts, now);
        }
        self.leave(held);
        held.is_over = true;
    }

    fn leave(&self, held: &mut Held) {
        if let Some(place) = held.place.take() {
            self.entered.gate.seen.borrow_mut().under_way.leave(place);
        }
    }

    /// The ledger has the payment, or may have it.
    fn remember(&self, now: UnixMillis) {
        *self.entered.gate.seen.borrow_mut().kept.state(self.entered.names.header) = Touched(now);
    }

    fn forget(&self) {
        self.entered.gate.seen.borrow_mut().kept.forget(self.entered.names.header);
    }

    fn conclude(&self, came: Came, now: UnixMillis) {
        let is_mistaken = came == Came::Bought && seeded::has(Bug::GoodTakenForWorthless);
        let came = if is_mistaken { Came::Worthless } else { came };
        let held = &mut *self.held.borrow_mut();
        if std::mem::replace(&mut held.is_over, true) {
            return;
        }
        let (gate, names) = (self.entered.gate, &self.entered.names);
        self.leave(held);
        // The tenant's other callers need not answer for what ran nothing.
        gate.give_back(&mut held.until_run, now);
        match came {
            Came::Bought | Came::Kept => {
                gate.give_back(&mut held.until_vouched_for, now);
                gate.give_back(&mut held.unanswered, now);
                gate.give_back(&mut held.of_newcomers, now);
                // Of the offer that came before it.
                let offer =
                    Count { of: Of::Unpaid, key: key::joined(Of::Unpaid as u8, &[names.source]), rule: UNPAID.rule };
                gate.step(offer, Event::WasGood, now);
                self.remember(now);
                if came == Came::Bought {
                    self.prove(now);
                }
            }
            Came::Worthless | Came::Spent => {
                gate.give_back(&mut held.unanswered, now);
                // Not the payer's doing, who may have signed it for somebody else or long ago. The address answers for it.
                gate.give_back(&mut held.of_payer, now);
                self.blame(held, now);
                if came == Came::Worthless {
                    self.forget();
                }
            }
            Came::Malformed => {
                gate.give_back(&mut held.until_vouched_for, now);
                gate.give_back(&mut held.unanswered, now);
                if !seeded::has(Bug::MalformedNotCounted) {
                    // It holds for the next one.
                    let _ = gate.flood(&MALFORMED, names, Event::Came, now, &mut Vec::new());
                }
                self.forget();
            }
            Came::Lost => {
                gate.give_back(&mut held.until_vouched_for, now);
                self.remember(now);
            }
            Came::InUse => {
                gate.give_back(&mut held.until_vouched_for, now);
                // The other request answers for it.
                if self.entered.standing == Standing::Twin {
                    gate.give_back(&mut held.unanswered, now);
                }
            }
            Came::Unanswered => {
                gate.give_back(&mut held.until_vouched_for, now);
                if self.is_proven {
                    gate.give_back(&mut held.unanswered, now);
                }
                self.pause(!self.is_proven, now);
            }
            Came::Nothing => {
                gate.give_back(&mut held.until_vouched_for, now);
                self.pause(false, now);
                self.forget();
            }
        }
    }

    /// Its payer and its source are known for a purchase.
    fn prove(&self, now: UnixMillis) {
        let seen = &mut *self.entered.gate.seen.borrow_mut();
        for key in [self.proof, self.entered.names.source].into_iter().filter(|key| *key != 0) {
            let goodwill = seen.goodwill.state(key);
            *goodwill = goodwill.more(now);
        }
        for wait in self.waits {
            seen.waits.forget(wait);
        }
    }

    /// Its source answers for what was worthless, and so may its neighbours.
    fn blame(&self, held: &mut Held, now: UnixMillis) {
        let (gate, names) = (self.entered.gate, &self.entered.names);
        if seeded::has(Bug::WorthlessNotCounted) {
            return;
        }
        if held.until_vouched_for.is_empty() {
            // It entered by another rule, or somebody had vouched for it. It holds for the next one.
            let _ = gate.flood(&WORTHLESS, names, Event::Came, now, &mut Vec::new());
        }
        held.until_vouched_for.clear();
        if let Some(source) = names.from {
            gate.misbehaved(source, now);
            let seen = &mut *gate.seen.borrow_mut();
            if seen.goodwill.get(names.source).is_some() {
                let goodwill = seen.goodwill.state(names.source);
                *goodwill = goodwill.less(now);
            }
        }
    }

    fn pause(&self, at_once: bool, now: UnixMillis) {
        let seen = &mut *self.entered.gate.seen.borrow_mut();
        for wait in self.waits {
            let state = seen.waits.state(wait);
            *state = state.longer(at_once, now);
        }
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.conclude(Came::Nothing, self.entered.visit.at);
    }
}
