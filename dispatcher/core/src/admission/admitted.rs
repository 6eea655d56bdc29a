//! The second step of a request's way in: what a payment counts for before anyone is asked about it.

use super::{
    Tenancy, TurnedAway,
    entered::{Entered, PLACES_RETRY_S, Standing},
    floods::{AGAIN, LOOKS, UNSIGNED, WORTHLESS},
    gate::{Count, Of, Touched, fits},
    key,
    meter::{Event, Rule},
    runs::Runs,
    under_way::Candidate,
};
use std::cell::RefCell;
use x402_paywall::UnixMillis;

/// Payments by newcomers to one tenant in ten seconds, less those that a facilitator has vouched for: a quarter of its rate,
/// so that no flood of strangers uses up what its customers need. Sources whose payments proved worthless lately have the
/// same once more among themselves, so that a few dozen of them do not keep out who comes for the first time.
const NEWCOMERS_SHARE: u32 = 4;
/// The time for which a worthless payment is remembered of its source.
const BLAMED_MS: u64 = 60_000;
const LEAST_NEWCOMERS: u32 = 100;

/// The wallet that a payment names.
#[derive(Clone, Copy, Debug)]
pub struct Payer<'a> {
    pub address: &'a str,
    /// The signature says so. If it does not, anyone may have named the wallet.
    pub is_signer: bool,
}

/// A payment that somebody may be asked about.
#[derive(Debug)]
#[must_use]
pub struct Admitted<'a> {
    pub(super) entered: Entered<'a>,
    payer: u64,
    /// Remembers that its payer has bought something here.
    pub(super) proof: u64,
    pub(super) is_proven: bool,
    /// Its own pauses, by header and by payment.
    pub(super) waits: [u64; 2],
    pub(super) held: RefCell<Held>,
}

/// Everything that a payment holds or has counted, to be given back.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub place: Option<u64>,
    /// Counted against its source until somebody vouches for the payment.
    pub until_vouched_for: Vec<Count>,
    /// Counted against its source in case nobody answers.
    pub unanswered: Vec<Count>,
    /// Counted against all newcomers of the tenant.
    pub of_newcomers: Vec<Count>,
    /// Counted against the tenant's rate until it is clear that nothing ran.
    pub until_run: Vec<Count>,
    pub of_payer: Vec<Count>,
    pub is_verified: bool,
    pub is_over: bool,
}

impl<'a> Admitted<'a> {
    /// The place where the runs of this request are told.
    #[must_use]
    pub fn runs(&self) -> Runs<'a> {
        self.entered.runs_of(self.payer)
    }

    pub(super) fn of(entered: Entered<'a>, payment: &str, payer: Payer<'_>) -> Self {
        let (gate, now, names) = (entered.gate, entered.visit.at, entered.names);
        let payer_key = gate.name(Of::PayerName, &[payer.address]);
        // Of an account that did not sign, only its own source says that it is the same.
        let from = if payer.is_signer { 0 } else { names.source };
        let proof = key::joined(Of::Proven as u8, &[names.tenant, payer_key, from]);
        let is_proven = gate.seen.borrow().goodwill.get(proof).is_some_and(|proven| proven.purchases(now) > 0);
        let same_payment = entered.wait_of(gate.name(Of::Payment, &[names.tenant_id, payment]));
        let waits = [entered.wait_of(names.header), same_payment];
        Self { entered, payer: payer_key, proof, is_proven, waits, held: RefCell::default() }
    }

    /// Counts everything that it counts for, as far as it is new here.
    pub(super) fn count(&mut self, payer: Payer<'_>, now: UnixMillis) -> Result<(), TurnedAway> {
        match self.entered.standing {
            Standing::New => self.count_new(payer, now),
            // It shares the other's place; but if the other comes to nothing, somebody is asked about this one.
            Standing::Twin => self.count_for_source(now),
            Standing::Kept => Ok(()),
        }
    }

    /// Counts a new payment, from the rules of its source to the tenant's rate.
    fn count_new(&mut self, payer: Payer<'_>, now: UnixMillis) -> Result<(), TurnedAway> {
        let (gate, names) = (self.entered.gate, self.entered.names);
        let Tenancy { id, rates } = self.entered.tenancy();
        let held = self.held.get_mut();
        gate.wait(self.waits[1], now)?;
        // However its header is spelt.
        let key = key::joined(Of::Again as u8, &[self.waits[1]]);
        fits(gate.step(Count { of: Of::Again, key, rule: AGAIN }, Event::Came, now))?;
        if self.entered.visit.tenancy.is_none() {
            // Callers without an address count as one.
            let key = key::joined(Of::Look as u8, &[names.source]);
            return fits(gate.step(Count { of: Of::Look, key, rule: LOOKS }, Event::Came, now));
        }
        if gate.seen.borrow().under_way.has_spelt_otherwise(self.waits[1]) {
            // It shares that one's place, as it would in the same spelling.
            self.entered.standing = Standing::Twin;
            return self.count_for_source(now);
        }
        gate.probe(names.tenant, names.path, now)?;
        let is_newcomer = !self.is_proven;
        let blamed = gate.seen.borrow().blamed.get(names.widest()).filter(|_| names.source != 0);
        let is_blamed = blamed.is_some_and(|Touched(at)| now.since(at) < BLAMED_MS);
        let candidate = Candidate {
            payment: names.header,
            however_spelt: self.waits[1],
            tenant: names.tenant,
            rate: rates.tenant,
            from: names.levels(),
            goodwill: names.goodwill,
            is_newcomer,
            is_blamed,
        };
        let place = gate.seen.borrow_mut().under_way.take(candidate, now);
        held.place = Some(place.ok_or(TurnedAway { retry_after_s: PLACES_RETRY_S })?);
        self.count_for_source(now)?;
        let held = self.held.get_mut();
        if !payer.is_signer && !self.is_proven && names.source != 0 {
            let key = key::joined(Of::Unsigned as u8, &[names.source]);
            fits(gate.step(Count { of: Of::Unsigned, key, rule: UNSIGNED }, Event::Came, now))?;
        }
        if payer.is_signer {
            held.of_payer.push(gate.rate(Of::Payer, rates.payer, id, payer.address, now)?);
        }
        if is_newcomer {
            let rule = Rule::rate((rates.tenant / NEWCOMERS_SHARE).max(LEAST_NEWCOMERS));
            let of = if is_blamed { Of::Newcomers } else { Of::FirstComers };
            let count = Count { of, key: key::joined(of as u8, &[names.tenant]), rule };
            fits(gate.step(count, Event::Came, now))?;
            held.of_newcomers.push(count);
        }
        held.until_run.push(gate.rate(Of::TenantPaid, rates.tenant, id, "", now)?);
        Ok(())
    }

    /// Counts it against its source and the networks around it, until somebody vouches for it.
    fn count_for_source(&mut self, now: UnixMillis) -> Result<(), TurnedAway> {
        let (gate, names, held) = (self.entered.gate, &self.entered.names, self.held.get_mut());
        gate.flood(&WORTHLESS, names, Event::Came, now, &mut held.until_vouched_for)?;
        gate.unanswered(names, now, &mut held.unanswered)
    }
}
