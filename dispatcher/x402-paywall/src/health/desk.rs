//! One facilitator as an isolate's board sees it: its health, and what this isolate has under way there.

use super::{
    debts::{Debts, Mood},
    news::Known,
    room::Room,
    specimens::Specimens,
    standing::{Hope, Limits, Purpose, Standing},
    trials::{Right, Trials},
    witness::{Grade, Witness},
};
use crate::{UnixMillis, claim::Claim, facilitator::Facilitator, telemetry::Call};
use x402_protocol::{Network, Version};

/// A call that was waited for has ended so long after its time-out, or whoever waited for it is gone.
const GRACE_MS: u64 = 500;
/// While nobody is well, first settlements go to one facilitator at this distance.
const HOPE_GAP_MS: u64 = 500;
/// A debt may be waited for this much longer than the time-out: see the ledger's patience.
const DEBT_PATIENCE: u64 = 2;

/// The purpose of a settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// A sale: to verify, or to settle for the first time.
    Sale,
    /// A settlement whose answer was lost.
    Debt,
}

pub(super) struct Desk {
    pub id: String,
    verify: Limits,
    settle: Limits,
    pub known: Known,
    pub specimens: Specimens,
    /// While its settle gets probes only: when the next first settlement may be one, by what this board let through already.
    settle_token: UnixMillis,
    /// The same for claims that hope for that token.
    hoping: UnixMillis,
    /// Until when a first settlement that is a probe is under way.
    settle_probe: UnixMillis,
    pub room: Room,
    pub trials: Trials,
    /// The same for callers who only ask for the price.
    pub offers: Trials,
    pub debts: Debts,
}

/// The purpose and the end of a call that begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub purpose: Purpose,
    /// When it is given up.
    pub until: UnixMillis,
}

/// The time after which a call is given up.
fn given_ms(timeout_ms: u64, errand: Errand) -> u64 {
    let patience = if errand == Errand::Debt { DEBT_PATIENCE } else { 1 };
    timeout_ms.saturating_mul(patience).saturating_add(GRACE_MS)
}

impl Desk {
    pub(super) fn new(facilitator: &Facilitator) -> Self {
        Self {
            id: facilitator.id.clone(),
            verify: Limits::of(facilitator, Call::Verify),
            settle: Limits::of(facilitator, Call::Settle),
            known: Known::default(),
            specimens: Specimens::default(),
            settle_token: UnixMillis(0),
            hoping: UnixMillis(0),
            settle_probe: UnixMillis(0),
            room: Room::default(),
            trials: Trials::default(),
            offers: Trials::default(),
            debts: Debts::default(),
        }
    }

    pub(super) fn limits(&self, call: Call) -> Limits {
        match call {
            Call::Verify => self.verify,
            Call::Settle => self.settle,
        }
    }

    /// Tells whether it may serve an offer. It cannot serve what it does not list; until it has answered, it may.
    pub(super) fn serves(&self, version: Option<Version>, network: Network) -> bool {
        let lists = |version| {
            let supported = self.known.supported.as_ref();
            supported.is_none_or(|supported| supported.serves(version, Claim::SCHEME.name(), network))
        };
        version.map_or_else(|| [Version::V1, Version::V2].into_iter().any(lists), lists)
    }

    pub(super) fn is_slow(&self) -> bool {
        [&self.known.verify, &self.known.settle].iter().any(|health| health.standing != Standing::Healthy)
    }

    /// A payment goes out, or finds no room. `witness` comes with whether its signature is known to be its payer's.
    pub(super) fn enter(
        &mut self,
        (witness, is_proven): (&Witness, bool),
        call: Call,
        errand: Errand,
        hope: Hope,
        now: UnixMillis,
    ) -> Option<Entry> {
        let standing = self.known.of(call).standing.clone();
        let until = now.plus(given_ms(self.limits(call).timeout_ms, errand));
        if !self.room.enter(witness, is_proven, until, now) {
            return None;
        }
        if errand == Errand::Debt {
            self.debts.began(until, now);
        }
        if standing.is_in_use() {
            if let (Call::Settle, Some(retry)) = (call, standing.retry()) {
                // One that is asked last had its turn.
                self.settle_token = now.plus(retry.interval_ms(hope));
            }
            return Some(Entry { purpose: Purpose::Use, until });
        }
        match (call, errand) {
            (Call::Verify, _) => self.trials.began(until),
            (Call::Settle, Errand::Debt) => {}
            (Call::Settle, Errand::Sale) => {
                let interval = standing.retry().map_or(0, |retry| retry.interval_ms(hope));
                let gap = if hope == Hope::None { HOPE_GAP_MS } else { interval };
                self.settle_token = now.plus(gap);
                self.settle_probe = until;
            }
        }
        Some(Entry { purpose: hope.purpose_of_a_probe(), until })
    }

    /// It came back, with an answer or without.
    pub(super) fn leave(
        &mut self,
        entry: Entry,
        witness: &Witness,
        call: Call,
        errand: Errand,
        answered: bool,
        now: UnixMillis,
    ) {
        // Half of its time is more than a sound check takes.
        let (timeout_ms, left) = (self.limits(call).timeout_ms, entry.until.since(now));
        let took = given_ms(timeout_ms, errand).saturating_sub(left);
        self.room.leave(witness, took > timeout_ms / 2, now);
        if errand == Errand::Debt {
            self.debts.ended(entry.until, answered, now);
        }
        match (call, errand) {
            _ if entry.purpose == Purpose::Use => {}
            (Call::Verify, _) => self.trials.ended(),
            (Call::Settle, Errand::Sale) => self.settle_probe = UnixMillis(0),
            (Call::Settle, Errand::Debt) => {}
        }
    }

    /// From when on the next debt may be asked about.
    pub(super) fn debt_at(&mut self, hope: Hope, now: UnixMillis) -> UnixMillis {
        let health = &self.known.settle;
        let mood = match health.standing.retry().filter(|_| !health.standing.is_in_use()) {
            Some(retry) if !self.debts.answered_since(health.turned_at) => {
                Mood::Silent { set_at: retry.set_at, retry_at: retry.due(hope, now) }
            }
            _ => Mood::Answers,
        };
        self.debts.next_at(mood, now)
    }

    /// Debts probe a quarantined settle. Where none of them waits, a first settlement may be the probe: nothing else would
    /// ever tell. One that is merely asked last is tried each back-off as well.
    pub(super) fn wants_first_settle(&self, witness: &Witness, hope: Hope, now: UnixMillis) -> bool {
        let standing = &self.known.settle.standing;
        let Some(retry) = standing.retry().filter(|_| self.known.verify.standing.is_in_use()) else { return false };
        let hangs = self.settle_probe > now && hope == Hope::Others;
        let interval_ms = retry.interval_ms(hope);
        let spare = if standing.is_in_use() || !self.debts.wait(now) { 0 } else { interval_ms };
        // Whoever it has failed for may be why, and lets others find out first.
        let spare = spare + if self.is_doubtful(Call::Settle, witness, now) { interval_ms } else { 0 };
        !hangs && now >= retry.due(hope, now).max(self.settle_token).plus(spare)
    }

    /// Whether this origin has seen it fail lately.
    fn is_doubtful(&self, call: Call, witness: &Witness, now: UnixMillis) -> bool {
        self.known.of(call).evidence.has_heard(witness, now)
    }

    /// Whether a claim may try it while nobody is well.
    pub(super) fn may_try(&mut self, witness: &Witness, stale: bool, now: UnixMillis) -> bool {
        let [verify, settle] = [Call::Verify, Call::Settle].map(|call| self.known.of(call).standing.is_in_use());
        // To be verified where settling is known to fail costs the tenant a run for nothing.
        if !settle && !self.may_hope_for_settle(stale, now) {
            return false;
        }
        verify || self.trials.take(self.claim_to_a_trial(witness, now), now)
    }

    fn may_hope_for_settle(&mut self, stale: bool, now: UnixMillis) -> bool {
        let retry = self.known.settle.standing.retry();
        let due = retry.is_none_or(|retry| now >= retry.due(Hope::None, now).max(self.settle_token));
        let may = (due || stale) && now >= self.hoping;
        if may {
            self.hoping = now.plus(HOPE_GAP_MS);
        }
        may
    }

    /// Whether an offer may go out although it is not in use: somebody has to find out that it is back.
    pub(super) fn may_be_offered(&mut self, now: UnixMillis) -> bool {
        self.known.is_in_use() || self.offers.take(Right::Known, now)
    }

    fn claim_to_a_trial(&self, witness: &Witness, now: UnixMillis) -> Right {
        match witness.grade {
            Grade::Regular | Grade::Sound => Right::Known,
            Grade::Stranger if self.is_doubtful(Call::Verify, witness, now) => Right::Doubtful,
            Grade::Stranger => Right::Stranger,
        }
    }

    /// The grade of a claim, as far as this facilitator's call tells.
    pub(super) fn grade_of(call: Call, claim: &Claim, is_regular: bool, is_proven: bool) -> Grade {
        // Nobody settles first but what was verified, unless it is paid upfront.
        let verified = call == Call::Settle && claim.flow == x402_protocol::PaymentFlow::Authorization;
        if verified || is_proven {
            Grade::Sound
        } else if is_regular {
            Grade::Regular
        } else {
            Grade::Stranger
        }
    }
}
