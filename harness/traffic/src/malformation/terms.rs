//! Signed as a payment should be, for terms that nobody offered or at a time when it does not hold.

use super::{JudgedBy, Malformation, NO_PAYMENT, Spoil};
use crate::payer::Draft;
use x402_protocol::Uint256;

const HOUR_S: u64 = 3_600;

pub const ALL: &[Malformation] = &[
    terms("to-another-recipient", |draft, _| draft.authorization.to = draft.authorization.from),
    terms("for-too-little", |draft, _| draft.authorization.value = Uint256::from(1)),
    terms("for-nothing", |draft, _| draft.authorization.value = Uint256::ZERO),
    terms("expired", |draft, now| draft.authorization.valid_before = Uint256::from(now - HOUR_S)),
    terms("about-to-expire", |draft, now| draft.authorization.valid_before = Uint256::from(now + 1)),
    terms("not-yet-valid", |draft, now| {
        draft.authorization.valid_after = Uint256::from(now + HOUR_S);
        draft.authorization.valid_before = Uint256::from(now + 2 * HOUR_S);
    }),
];

pub static FOR_TOO_LITTLE_IN_V1: Malformation = Malformation {
    name: "for-too-little-in-v1",
    answers: NO_PAYMENT,
    judged_by: JudgedBy::Anyone,
    spoil: Spoil::TermsOfV1(|draft, _| draft.authorization.value = Uint256::from(1)),
};

const fn terms(name: &'static str, spoil: fn(&mut Draft<'_>, u64)) -> Malformation {
    Malformation { name, answers: NO_PAYMENT, judged_by: JudgedBy::Anyone, spoil: Spoil::Terms(spoil) }
}
