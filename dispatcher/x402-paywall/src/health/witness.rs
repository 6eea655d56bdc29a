//! Who saw a call fail, and what that is worth.
//!
//! A stranger is no witness: keys and addresses cost little, so whoever sends what makes a facilitator stumble would
//! otherwise decide for everybody. A failure counts once per origin, and only several independent origins, or payments
//! that another call has answered soundly, weigh enough to open a breaker.

use crate::{UnixMillis, claim::Claim, origin::Fingerprint};
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};

/// Failures with less weight than this open nothing: three independent origins, or three sound payments while nobody else
/// is answered.
const OPENS_AT: u32 = 6;
/// Witnesses that are remembered of one facilitator and call.
pub const WITNESSES_KEPT: usize = 8;
/// The most of these of one origin.
const OF_ONE_ORIGIN: usize = 3;
/// Origins that are remembered because they were answered, of one facilitator and call.
const SERVED_KEPT: usize = 12;
/// How long a failure weighs.
const WEIGHS_MS: u64 = 120_000;
/// A stranger's origin is not heard again for so long.
const STRANGER_QUIET_MS: u64 = 30_000;
/// The same for one whose payment was settled lately.
const REGULAR_QUIET_MS: u64 = 2_000;
/// After strangers were found wrong by our own probe, their word weighs half for so long.
const DOUBTED_MS: u64 = 60_000;

/// The time after a sound answer in which nothing but sound payments opens a breaker: one who answers some payments is
/// there, and those that it fails on may be to blame themselves, however many addresses they come from.
const SOUND_FOR_MS: u64 = 5_000;

/// The knowledge of a payment, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Nothing.
    Stranger,
    /// Its payer had another payment settled lately.
    Regular,
    /// This very payment was answered soundly, by this facilitator or another.
    Sound,
}

/// The origin of a call, as far as its independence of others goes. Numbers are hashes: they are compared and never
/// shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    pub payment: u64,
    pub payer: u64,
    /// All callers that do not say where they are have the same.
    pub network: u64,
    pub grade: Grade,
}

/// A failure that a witness saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Testimony {
    pub witness: Witness,
    pub at: UnixMillis,
    /// Whether no sound answer came since.
    pub weighs: bool,
}

/// The failures of one facilitator at one kind of call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    testimonies: Vec<Testimony>,
    /// When strangers were last found wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acquitted_at: Option<UnixMillis>,
    /// When the last sound answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sound_at: Option<UnixMillis>,
    /// Origins that were answered lately, each once, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    served: Vec<Served>,
}

/// An origin whose call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Served {
    payer: u64,
    network: u64,
    at: UnixMillis,
}

/// The fate of a testimony.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// It is from an origin that was not heard lately.
    New,
    /// The same failure was known, and its witness is better by now.
    Better,
    /// Its origin was heard already.
    Repeated,
}

impl Witness {
    #[must_use]
    pub fn of(claim: &Claim, grade: Grade) -> Self {
        let origin = claim.origin.as_ref();
        let network = origin.and_then(|origin| origin.network.as_ref().or(origin.caller.as_ref()));
        Self {
            payment: hash(claim.payment.as_bytes()),
            payer: hash(&claim.payer.0),
            network: network.map_or(0, |network| hash(Fingerprint::as_str(network).as_bytes())),
            grade,
        }
    }

    /// The witness of a call of which nothing is known, as a former version tells it.
    #[must_use]
    pub fn unknown() -> Self {
        Self { payment: 0, payer: 0, network: 0, grade: Grade::Stranger }
    }

    /// The witness of a probe with a payment that was answered soundly before. Each probe is another one.
    #[must_use]
    pub fn ourselves(now: UnixMillis) -> Self {
        Self { payment: now.0, payer: 1, network: 1, grade: Grade::Sound }
    }

    /// Whether the two have neither payer nor network in common.
    #[must_use]
    pub fn is_independent_of(&self, other: &Self) -> bool {
        self.payer != other.payer && self.network != other.network
    }
}

impl Evidence {
    /// Takes a failure in.
    pub fn hear(&mut self, witness: Witness, now: UnixMillis) -> Hearing {
        if let Some(known) = self.testimonies.iter_mut().find(|known| known.witness.payment == witness.payment) {
            let better = witness.grade > known.witness.grade;
            if better {
                known.witness.grade = witness.grade;
            }
            return if better { Hearing::Better } else { Hearing::Repeated };
        }
        let quiet_ms = match witness.grade {
            Grade::Stranger => STRANGER_QUIET_MS,
            Grade::Regular => REGULAR_QUIET_MS,
            Grade::Sound if self.serves_others(&witness, now) => REGULAR_QUIET_MS,
            Grade::Sound => 0,
        };
        let same = |known: &&Testimony| !witness.is_independent_of(&known.witness) && now.since(known.at) < quiet_ms;
        if self.testimonies.iter().any(|known| same(&known)) {
            return Hearing::Repeated;
        }
        let own = |known: &Testimony| !witness.is_independent_of(&known.witness);
        if self.testimonies.iter().filter(|known| own(known)).count() >= OF_ONE_ORIGIN
            && let Some(oldest) = self.testimonies.iter().position(own)
        {
            // So that one origin pushes out no other's word.
            self.testimonies.remove(oldest);
        }
        self.testimonies.push(Testimony { witness, at: now, weighs: true });
        if self.testimonies.len() > WITNESSES_KEPT {
            // The oldest of the least worth: no number of strangers pushes a better witness out.
            let least = self.testimonies.iter().enumerate().min_by_key(|(_, known)| (known.witness.grade, known.at));
            if let Some((position, _)) = least {
                self.testimonies.remove(position);
            }
        }
        Hearing::New
    }

    /// Takes note of a sound answer at that time: what failed before it was not the facilitator's state. `witness` is who
    /// got it, if it was a payment's.
    pub fn clear(&mut self, witness: Option<&Witness>, at: UnixMillis) {
        self.sound_at = self.sound_at.max(Some(at));
        self.testimonies.iter_mut().for_each(|known| known.weighs = false);
        let Some(Witness { payer, network, .. }) = witness.copied() else { return };
        self.served.retain(|other| other.payer != payer && (other.network != network || network == 0));
        self.served.push(Served { payer, network, at });
        let extra = self.served.len().saturating_sub(SERVED_KEPT);
        self.served.drain(..extra);
    }

    /// Whether this origin has seen a failure lately.
    #[must_use]
    pub fn has_heard(&self, witness: &Witness, now: UnixMillis) -> bool {
        self.recent(now).any(|known| !witness.is_independent_of(&known.witness))
    }

    /// Whether it is enough to open the breaker.
    #[must_use]
    pub fn convicts(&self, now: UnixMillis) -> bool {
        self.is_enough(self.weighing(now), now)
    }

    /// Whether it would be enough if no sound answer had come in between: so that a low score opens the breaker by many
    /// origins' failures and never by one's.
    #[must_use]
    pub fn has_seen_enough(&self, now: UnixMillis) -> bool {
        self.is_enough(self.recent(now), now)
    }

    /// Weight, and not only of a few among many who are served: what fails for them may be their own doing. Accounts with
    /// money that is never spent cost as little as accounts without.
    fn is_enough<'a>(&self, witnesses: impl Iterator<Item = &'a Testimony>, now: UnixMillis) -> bool {
        let (weight, origins) = self.weight(witnesses, now);
        weight >= OPENS_AT && 2 * origins >= self.lately_served(now).count()
    }

    fn lately_served(&self, now: UnixMillis) -> impl Iterator<Item = &Served> {
        self.served.iter().filter(move |served| now.since(served.at) < SOUND_FOR_MS)
    }

    /// Whether somebody independent of this witness was answered lately.
    fn serves_others(&self, witness: &Witness, now: UnixMillis) -> bool {
        // Callers who do not say where they are are told apart by their payers, or nobody would be another there.
        let elsewhere = |served: &Served| served.network != witness.network || witness.network == 0;
        let is_other = |served: &Served| served.payer != witness.payer && elsewhere(served);
        self.lately_served(now).any(is_other)
    }

    /// The weight of these, and from how many independent origins it is.
    fn weight<'a>(&self, witnesses: impl Iterator<Item = &'a Testimony>, now: UnixMillis) -> (u32, usize) {
        let is_there = self.sound_at.is_some_and(|at| now.since(at) < SOUND_FOR_MS);
        let doubted = self.acquitted_at.is_some_and(|at| now.since(at) < DOUBTED_MS);
        let mut independent: Vec<Witness> = Vec::new();
        let mut weight = 0;
        let witnesses: Vec<_> = witnesses.map(|known| known.witness).collect();
        // The best ones first, so that a stranger never stands in the way of one. Not sorted: a sort is 3 kB of wasm.
        let of_grade = |grade| witnesses.iter().filter(move |witness| witness.grade == grade);
        for witness in [Grade::Sound, Grade::Regular, Grade::Stranger].into_iter().flat_map(of_grade) {
            let stands_alone = independent.iter().all(|other| witness.is_independent_of(other));
            if stands_alone {
                independent.push(*witness);
            }
            weight += match witness.grade {
                Grade::Sound if !stands_alone && self.serves_others(witness, now) => 0,
                Grade::Sound => 2,
                _ if is_there => 0,
                Grade::Stranger if stands_alone && doubted => 1,
                _ if stands_alone => 2,
                _ => 0,
            };
        }
        (weight, independent.len())
    }

    /// Whether nobody has seen a failure but payers whose payments may be why. To have been a payer costs little: a seller
    /// can be its own customer.
    #[must_use]
    pub fn is_hearsay(&self, now: UnixMillis) -> bool {
        self.recent(now).all(|known| known.witness.grade != Grade::Sound)
    }

    /// Our own probe has found strangers wrong.
    pub fn acquit(&mut self, now: UnixMillis) {
        self.acquitted_at = Some(now);
    }

    fn weighing(&self, now: UnixMillis) -> impl Iterator<Item = &Testimony> {
        self.recent(now).filter(|known| known.weighs)
    }

    fn recent(&self, now: UnixMillis) -> impl Iterator<Item = &Testimony> {
        // What strangers said before they were found wrong is worth nothing.
        let since = self.acquitted_at.unwrap_or_default();
        self.testimonies.iter().filter(move |known| known.at >= since && now.since(known.at) < WEIGHS_MS)
    }
}

/// Eight bytes are enough to tell a handful of witnesses apart.
fn hash(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Keccak256::digest(bytes)[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
#[path = "witness_tests.rs"]
mod tests;
