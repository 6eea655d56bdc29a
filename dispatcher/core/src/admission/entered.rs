//! The first step of a request's way in: what holds it before anything is done for it.

use super::{
    Brings, Payer, Tenancy, TurnedAway, Visit,
    admitted::Admitted,
    floods::{AGAIN, MALFORMED, UNPAID, WORTHLESS},
    gate::{Count, Gate, Of, fits},
    key,
    meter::{Event, Rule},
    names::Names,
    runs::Runs,
    sample::Origin,
};
use crate::plan::Plan;
use x402_paywall::UnixMillis;

/// The seconds after which a place may be free again.
pub(super) const PLACES_RETRY_S: u64 = 1;

/// A request that may go on to be answered, or to be paid for.
#[derive(Debug)]
#[must_use]
pub struct Entered<'a> {
    pub(super) gate: &'a Gate,
    pub(super) visit: Visit<'a>,
    pub(super) names: Names<'a>,
    pub(super) standing: Standing,
}

/// A payment, as far as this isolate knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    New,
    /// The ledger is being asked about it for another request.
    Twin,
    /// The ledger is known to have it.
    Kept,
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
            let has_room = self.seen.borrow().under_way.has_room_from(names.levels(), names.goodwill, now);
            if !has_room && visit.tenancy.is_some() {
                return Err(TurnedAway { retry_after_s: PLACES_RETRY_S });
            }
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
            self.rate(Of::Address, rates.address, id, source.as_str(), now)?;
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
            // A payment counts once it is known to be one, so that no junk keeps out who pays.
            Brings::NoPayment | Brings::Payment(_) => {}
        }
        Ok(entered)
    }

    /// Turns away a payment that must pause.
    pub(super) fn wait(&self, wait: u64, now: UnixMillis) -> Result<(), TurnedAway> {
        let left_ms = self.seen.borrow().waits.get(wait).map_or(0, |wait| wait.left_ms(now));
        if left_ms == 0 { Ok(()) } else { Err(TurnedAway::for_ms(left_ms)) }
    }
}

impl<'a> Entered<'a> {
    #[must_use]
    pub fn visit(&self) -> &Visit<'a> {
        &self.visit
    }

    /// The place where the runs of this request are told.
    #[must_use]
    pub fn runs(&self) -> Runs<'a> {
        self.runs_of(0)
    }

    /// Takes note that its payment could be refused by a look. A request without one only asks for the offer.
    pub fn malformed(self) {
        if matches!(self.visit.brings, Brings::Payment(_)) {
            // It holds for the next one.
            let _ = self.gate.flood(&MALFORMED, &self.names, Event::Came, self.visit.at, &mut Vec::new());
        }
    }

    /// Reads the request's body by `read`, within what its source may send at a time.
    pub async fn reading<T>(&self, read: impl Future<Output = T>) -> Result<T, TurnedAway> {
        let away = TurnedAway { retry_after_s: PLACES_RETRY_S };
        let id = self.gate.seen.borrow_mut().reading.begin(self.names.levels(), self.visit.at).ok_or(away)?;
        let read = read.await;
        if self.gate.seen.borrow_mut().reading.end(id) { Ok(read) } else { Err(away) }
    }

    /// The second step, before anyone is asked about a payment that is plausible. `payment` is its key, however it is written.
    pub fn admit(self, payment: &str, payer: Payer<'_>) -> Result<Admitted<'a>, TurnedAway> {
        let now = self.visit.at;
        let mut entered = self;
        if entered.standing == Standing::New {
            // Its body may have taken a while.
            entered.standing = entered.standing();
        }
        let mut admitted = Admitted::of(entered, payment, payer);
        match admitted.count(payer, now) {
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
            header if seen.kept.get(header).is_some() => Standing::Kept,
            header if seen.under_way.has(header) => Standing::Twin,
            _ => Standing::New,
        }
    }

    pub(super) fn tenancy(&self) -> Tenancy<'a> {
        self.visit.tenancy.unwrap_or(Tenancy { id: "", rates: Plan::Free.rates() })
    }

    pub(super) fn wait_of(&self, payment: u64) -> u64 {
        key::joined(Of::Wait as u8, &[payment, self.names.source])
    }

    pub(super) fn runs_of(&self, payer: u64) -> Runs<'a> {
        let path = self.names.path;
        // Whoever has a network of 48 bits has 65,536 sources.
        Runs { gate: self.gate, origin: Origin::of(self.names.widest(), payer), path }
    }
}
