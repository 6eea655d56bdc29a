//! Good terms under a signature that is not the payer's, or is none.

use super::{JudgedBy, Malformation, NO_PAYMENT, Spoil, UNREADABLE};
use crate::traffic::payer::Draft;
use fastrand::Rng;

/// Order of secp256k1: a signature with the other root of s has it at order minus s.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// Recovery bytes of an even and an odd point.
const RECOVERY: [u8; 2] = [27, 28];

pub const ALL: &[Malformation] = &[
    signature("forged", NO_PAYMENT, |_, chance| {
        let mut forged: Vec<u8> = (0..64).map(|_| chance.u8(..)).collect();
        forged.push(RECOVERY[0]);
        forged
    }),
    signature("one-bit-off", NO_PAYMENT, |draft, chance| {
        let mut signature = draft.signature().to_vec();
        signature[chance.usize(0..64)] ^= 1 << chance.u8(0..8);
        signature
    }),
    signature("for-another-draft", NO_PAYMENT, |draft, chance| {
        let mut other = draft.clone();
        other.authorization.nonce.0[chance.usize(0..32)] ^= 1;
        other.signature().to_vec()
    }),
    signature("with-high-s", NO_PAYMENT, |draft, _| {
        let mut signature = draft.signature();
        let low: [u8; 32] = std::array::from_fn(|n| signature[32 + n]);
        signature[32..64].copy_from_slice(&order_minus(&low));
        signature[64] = if signature[64] == RECOVERY[0] { RECOVERY[1] } else { RECOVERY[0] };
        signature.to_vec()
    }),
    signature("with-a-strange-recovery-byte", NO_PAYMENT, |draft, _| {
        let mut signature = draft.signature();
        signature[64] = 99;
        signature.to_vec()
    }),
    signature("of-zeros", NO_PAYMENT, |_, _| vec![0; 65]),
    signature("too-short", UNREADABLE, |draft, chance| draft.signature()[..chance.usize(0..65)].to_vec()),
    signature("far-too-long", UNREADABLE, |_, _| vec![0x5a; 5_000]),
    // Might be a smart account's, which only a chain can check.
    Malformation {
        judged_by: JudgedBy::Facilitator,
        ..signature("of-no-smart-account", NO_PAYMENT, |draft, chance| {
            let mut long = draft.signature().to_vec();
            long.extend((0..chance.usize(1..200)).map(|_| 0x5a));
            long
        })
    },
];

const fn signature(
    name: &'static str,
    answers: &'static [u16],
    spoil: fn(&Draft<'_>, &mut Rng) -> Vec<u8>,
) -> Malformation {
    Malformation { name, answers, judged_by: JudgedBy::Anyone, spoil: Spoil::Signature(spoil) }
}

fn order_minus(s: &[u8; 32]) -> [u8; 32] {
    let (mut out, mut borrow) = ([0; 32], false);
    for n in (0..32).rev() {
        let (once, under) = ORDER[n].overflowing_sub(s[n]);
        let (twice, under_again) = once.overflowing_sub(u8::from(borrow));
        (out[n], borrow) = (twice, under || under_again);
    }
    out
}
