//! Rules against what an address sends for nothing, and against what only costs. Each holds one source. A network of version
//! 6 whose parts misbehave one after the other is held to the same figures as if it were one more source, which its members
//! share.

use super::{
    TurnedAway,
    gate::{Count, Gate, Of, fits},
    key,
    meter::{Event, Rule, Verdict},
    names::Names,
};
use crate::telemetry::Alert;
use x402_paywall::UnixMillis;

/// Requests without a payment from one address, to whatever tenants have a price, less the purchases that came of them. A
/// person with a browser or an agent that buys stays far below.
pub(super) const UNPAID: Flood = Flood { of: Of::Unpaid, alert: "unpaid_flood", rule: Rule::flood(100, 300) };
/// Payments from one address that cannot be read, lack what is asked of them or are not signed by their payer: a client's
/// mistake is made a few times. Each costs the CPU of a look at it, or a call to the ledger where it may have bought something.
pub(super) const MALFORMED: Flood = Flood { of: Of::Malformed, alert: "malformed_flood", rule: Rule::flood(20, 120) };
/// Payments from one address that nobody has vouched for: those under way, and those that only a facilitator could refuse,
/// that pay something else, or that were spent. Each costs calls.
pub(super) const WORTHLESS: Flood = Flood { of: Of::Worthless, alert: "worthless_payments", rule: Rule::flood(10, 30) };
/// Payments from one address, or one network of it, that nobody could judge: the facilitators or the ledger failed. It may be
/// the payment's doing, or not, so that whoever goes on asking is not kept out for it once somebody answers again.
pub(super) const UNANSWERED: Rule = Rule::allowance(10, 30);
/// Payments from one address whose signature only a chain can check, of accounts that have bought nothing from there lately.
/// Anyone can write one for nothing.
pub(super) const UNSIGNED: Rule = Rule::allowance(20, 30);
/// One payment that the ledger has, from one source: ten at once are a client's own race.
pub(super) const AGAIN: Rule = Rule::rate(20);
/// Payments from one address to where nothing is sold, which the ledger is asked about all the same: somebody may have bought
/// something there before. Anyone can sign one for nothing, so few of them are worth a call.
pub(super) const LOOKS: Rule = Rule::rate(20);

pub(super) struct Flood {
    pub of: Of,
    alert: &'static str,
    pub rule: Rule,
}

impl Gate {
    /// Takes one more event of a flood's kind for a source and for each network that is held with it. What was counted is
    /// added to `counted`, so that it can be given back; a refusal stays.
    pub(super) fn flood(
        &self,
        flood: &Flood,
        names: &Names<'_>,
        event: Event,
        now: UnixMillis,
        counted: &mut Vec<Count>,
    ) -> Result<(), TurnedAway> {
        let Some(source) = names.from else { return Ok(()) };
        let rule = if flood.of == Of::Worthless { flood.rule.with_more(names.goodwill) } else { flood.rule };
        let own = Count { of: flood.of, key: key::joined(flood.of as u8, &[names.source]), rule };
        let verdict = self.step(own, event, now);
        if let Verdict::TooMuch { begins, .. } = verdict {
            self.misbehaved(source, now);
            if begins {
                self.seen.borrow_mut().alerts.push(Alert {
                    alert: flood.alert.into(),
                    tenant_id: Some(names.tenant_id.to_owned()).filter(|tenant| !tenant.is_empty()),
                    source: Some(source.as_str().to_owned()),
                    ..Alert::default()
                });
            }
        }
        fits(verdict)?;
        let counts = event == Event::Came;
        counted.extend(Some(own).filter(|_| counts));
        for network in self.held_with(names, now) {
            let shared =
                Count { of: flood.of, key: key::joined(flood.of as u8, &[network]), rule: flood.rule.shared() };
            fits(self.step(shared, event, now))?;
            counted.extend(Some(shared).filter(|_| counts));
        }
        Ok(())
    }

    /// The networks that answer for a source. One that bought something lately stands for itself.
    fn held_with(&self, names: &Names<'_>, now: UnixMillis) -> impl Iterator<Item = u64> {
        let may_be_held = names.goodwill == 0;
        let held = names.networks.map(|network| network != 0 && may_be_held && self.is_one(network, now));
        names.networks.into_iter().zip(held).filter_map(|(network, held)| held.then_some(network))
    }

    /// Counts a payment that somebody must be asked about: for its source and, always, for the networks around it.
    pub(super) fn unanswered(
        &self,
        names: &Names<'_>,
        now: UnixMillis,
        counted: &mut Vec<Count>,
    ) -> Result<(), TurnedAway> {
        for level in [names.source, names.networks[0], names.networks[1]].into_iter().filter(|level| *level != 0) {
            let rule = UNANSWERED.with_more(names.goodwill);
            let count = Count { of: Of::Unanswered, key: key::joined(Of::Unanswered as u8, &[level]), rule };
            fits(self.step(count, Event::Came, now))?;
            counted.push(count);
        }
        Ok(())
    }
}
