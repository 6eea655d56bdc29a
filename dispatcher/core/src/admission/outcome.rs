//! The last step of a request's way in: what a payment came to. What it held is given back, or stays counted.

use super::{
    Came,
    admitted::{Admitted, Held},
    entered::Standing,
    floods::{MALFORMED, UNPAID, WORTHLESS},
    gate::{Count, Gate, Of, Touched},
    key,
    meter::Event,
};
use x402_paywall::UnixMillis;

impl Gate {
    fn give_back(&self, counts: &mut Vec<Count>, now: UnixMillis) {
        for count in counts.drain(..) {
            self.step(count, Event::WasGood, now);
        }
    }
}

impl Admitted<'_> {
    /// A facilitator has vouched for the payment, and the tenant is about to run for it.
    pub fn verified(&self, now: UnixMillis) {
        let held = &mut *self.held.borrow_mut();
        held.is_verified = true;
        held.until_run.clear();
        self.vouched_for(held, now);
        self.leave(held);
        self.remember(now);
    }

    /// The last step: what came of the payment.
    pub fn outcome(self, came: Came, now: UnixMillis) {
        self.conclude(came, now);
    }

    /// It was refused for some other reason: nothing was asked, so nothing counts.
    pub(super) fn turn_away(self, now: UnixMillis) {
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

    /// Nothing of it counts against its source, or against its tenant's newcomers, any more.
    fn vouched_for(&self, held: &mut Held, now: UnixMillis) {
        let gate = self.entered.gate;
        for counts in [&mut held.until_vouched_for, &mut held.unanswered, &mut held.of_newcomers] {
            gate.give_back(counts, now);
        }
    }

    fn conclude(&self, came: Came, now: UnixMillis) {
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
                self.vouched_for(held, now);
                // Of the offer that came before it.
                let offer =
                    Count { of: Of::Unpaid, key: key::joined(Of::Unpaid as u8, &[names.source]), rule: UNPAID.rule };
                gate.step(offer, Event::WasGood, now);
                self.remember(now);
                // To collect it once more is not to buy it once more, in whatever spelling.
                if came == Came::Bought && held.is_verified {
                    self.prove(now);
                }
            }
            Came::Worthless | Came::Spent => {
                gate.give_back(&mut held.unanswered, now);
                // Not the payer's doing, who may have signed it for somebody else or long ago. The address answers for it.
                gate.give_back(&mut held.of_payer, now);
                self.blame(held, came, now);
                if came == Came::Worthless {
                    self.forget();
                }
            }
            Came::Malformed => {
                gate.give_back(&mut held.until_vouched_for, now);
                gate.give_back(&mut held.unanswered, now);
                // It holds for the next one.
                let _ = gate.flood(&MALFORMED, names, Event::Came, now, &mut Vec::new());
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
                // A request that broke off says nothing of what the ledger has.
                if held.is_verified {
                    self.forget();
                }
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
    fn blame(&self, held: &mut Held, came: Came, now: UnixMillis) {
        let (gate, names) = (self.entered.gate, &self.entered.names);
        if held.until_vouched_for.is_empty() {
            // It entered by another rule, or somebody had vouched for it. It holds for the next one.
            let _ = gate.flood(&WORTHLESS, names, Event::Came, now, &mut Vec::new());
        }
        held.until_vouched_for.clear();
        // To send again what one bought oneself is a client's mistake.
        let is_hostile = came == Came::Worthless || self.entered.standing == Standing::New;
        if let Some(source) = names.from.filter(|_| is_hostile) {
            gate.misbehaved(source, now);
        }
        let seen = &mut *gate.seen.borrow_mut();
        if names.source != 0 && is_hostile {
            *seen.blamed.state(names.widest()) = Touched(now);
        }
        if came == Came::Worthless && seen.goodwill.get(names.source).is_some() {
            let goodwill = seen.goodwill.state(names.source);
            *goodwill = goodwill.less(now);
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
