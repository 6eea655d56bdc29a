//! Ways to break a signed payment, each with the statuses that are right for it. Whatever is drawn, the payment must be
//! impossible to honour: a break that leaves a good payment behind would blame a dispatcher for serving it.

mod header_value;
mod json_text;
mod json_value;
mod signature;
mod terms;

use super::payer::{Draft, Payment, plain};
use fastrand::Rng;
use reports::event::Flaw;
use reqwest::header::HeaderValue;
use serde_json::Value;
use x402_protocol::{Version, header, v2};

/// One way to break a payment.
#[derive(Clone, Copy, Debug)]
pub struct Malformation {
    name: &'static str,
    /// Statuses that are right.
    answers: &'static [u16],
    judged_by: JudgedBy,
    spoil: Spoil,
}

/// The one who can tell that it is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JudgedBy {
    /// Whoever reads it.
    Anyone,
    /// Only who can ask a chain.
    Facilitator,
}

/// The step from the offer to the header at which it breaks. Later steps go on as they should.
#[derive(Clone, Copy, Debug)]
enum Spoil {
    /// Changes what is signed. The second argument is the time in Unix seconds.
    Terms(fn(&mut Draft<'_>, u64)),
    /// The same of a payment in version 1, which says nothing of its terms but what is signed.
    TermsOfV1(fn(&mut Draft<'_>, u64)),
    /// The signature, given the draft that it should be for.
    Signature(fn(&Draft<'_>, &mut Rng) -> Vec<u8>),
    /// Changes the message after it was signed.
    JsonValue(fn(&mut Value, &mut Rng)),
    JsonText(fn(&str) -> String),
    Header(fn(String, &mut Rng) -> HeaderValue),
}

/// It cannot be read as a payment.
const UNREADABLE: &[u16] = &[400];
/// It cannot be read as a payment, or a facilitator that was asked could not.
const UNREADABLE_OR_NO_PAYMENT: &[u16] = &[400, 402];
/// It can be read, and pays something else or nothing: a new bill.
const NO_PAYMENT: &[u16] = &[402];

impl Malformation {
    /// Those of payments in version 2.
    pub fn all() -> impl Iterator<Item = &'static Self> + Clone {
        let others = [terms::ALL, json_value::ALL, json_text::ALL, header_value::ALL].into_iter().flatten();
        others.chain(signature::ALL)
    }

    /// One that whoever reads the payment can tell.
    pub fn any(chance: &mut Rng) -> &'static Self {
        Self::any_judged_by(JudgedBy::Anyone, chance)
    }

    /// One that only a facilitator can tell: the signature may be a smart account's, by its length or by what it recovers to.
    pub fn of_nobody(chance: &mut Rng) -> &'static Self {
        Self::any_judged_by(JudgedBy::Facilitator, chance)
    }

    fn any_judged_by(judge: JudgedBy, chance: &mut Rng) -> &'static Self {
        let mut all = Self::all().filter(|malformation| malformation.judged_by == judge);
        let drawn = chance.usize(0..all.clone().count());
        all.nth(drawn).expect("drawn below their count")
    }

    /// The one that is a payment in version 1.
    pub fn of_v1() -> &'static Self {
        &terms::FOR_TOO_LITTLE_IN_V1
    }

    #[must_use]
    pub fn flaw(&self) -> Flaw {
        Flaw { name: self.name.to_owned(), answers: self.answers.to_vec(), local: self.judged_by == JudgedBy::Anyone }
    }

    /// Whether a reader that is not strict takes it for the payment that it was.
    pub fn is_one_to_the_lenient(&self) -> bool {
        matches!(self.spoil, Spoil::JsonText(_))
    }

    /// The draft, signed and broken. `now` in Unix seconds.
    #[must_use]
    pub fn payment(&self, mut draft: Draft<'_>, now: u64, chance: &mut Rng) -> Payment {
        if let Spoil::Terms(spoil) | Spoil::TermsOfV1(spoil) = self.spoil {
            spoil(&mut draft, now);
        }
        let signature = match self.spoil {
            Spoil::Signature(spoil) => spoil(&draft, chance),
            _ => draft.signature().to_vec(),
        };
        let version = if matches!(self.spoil, Spoil::TermsOfV1(_)) { Version::V1 } else { Version::V2 };
        let mut json = draft.json_in(version, &signature);
        if let Spoil::JsonValue(spoil) = self.spoil {
            spoil(&mut json, chance);
        }
        let text = json.to_string();
        let text = match self.spoil {
            Spoil::JsonText(spoil) => spoil(&text),
            _ => text,
        };
        // Only what is judged by a facilitator may be seen there, and is known by its key.
        let key = match self.judged_by {
            JudgedBy::Facilitator => {
                v2::PaymentPayload::parse(&text).ok().map(|sent| draft.key_of(&sent.exact.transfer))
            }
            JudgedBy::Anyone => None,
        };
        let header = header::encode_text(&text);
        let header = match self.spoil {
            Spoil::Header(spoil) => spoil(header, chance),
            _ => plain(header),
        };
        Payment { key, identifier: None, version, header }
    }
}

#[cfg(test)]
mod tests;
