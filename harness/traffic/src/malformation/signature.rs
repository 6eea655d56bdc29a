//! Good terms under a signature that is not the payer's, or is none.
//!
//! Of 65 bytes only a chain can tell whether they are a smart account's (EIP-1271), whatever they recover to: a facilitator
//! has to be asked. Bytes that no account could take are refused by whoever reads them.

use super::{JudgedBy, Malformation, NO_PAYMENT, Spoil, UNREADABLE, UNREADABLE_OR_NO_PAYMENT};
use crate::payer::Draft;
use fastrand::Rng;

/// Order of secp256k1: a signature with the other root of s has it at order minus s.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// Recovery bytes of an even and an odd point.
const RECOVERY: [u8; 2] = [27, 28];

/// The end of an ERC-6492 envelope.
const MAGIC: [u8; 2] = [0x64, 0x92];

pub static ALL: [&Malformation; 10] = [
    &unproven("forged", |_, chance| {
        let mut forged: Vec<u8> = (0..64).map(|_| chance.u8(..)).collect();
        forged.push(RECOVERY[0]);
        forged
    }),
    &unproven("one-bit-off", |draft, chance| {
        let mut signature = draft.signature().to_vec();
        signature[chance.usize(0..64)] ^= 1 << chance.u8(0..8);
        signature
    }),
    &unproven("for-another-draft", |draft, chance| {
        let mut other = draft.clone();
        other.authorization.nonce.0[chance.usize(0..32)] ^= 1;
        other.signature().to_vec()
    }),
    &unproven("with-high-s", |draft, _| {
        let mut signature = draft.signature();
        let low: [u8; 32] = std::array::from_fn(|n| signature[32 + n]);
        signature[32..64].copy_from_slice(&order_minus(&low));
        signature[64] = if signature[64] == RECOVERY[0] { RECOVERY[1] } else { RECOVERY[0] };
        signature.to_vec()
    }),
    &unproven("with-a-strange-recovery-byte", |draft, _| {
        let mut signature = draft.signature();
        signature[64] = 99;
        signature.to_vec()
    }),
    &unproven("of-zeros", |_, _| vec![0; 65]),
    &unreadable("too-short", |draft, chance| draft.signature()[..chance.usize(0..65)].to_vec()),
    &unreadable("far-too-long", |_, _| vec![0x5a; 5_000]),
    // A facilitator's library throws at it, so a server that asks one may say what a facilitator said.
    &Malformation {
        answers: UNREADABLE_OR_NO_PAYMENT,
        ..unreadable("of-a-broken-envelope", |_, chance| {
            let garbage = (0..chance.usize(34..300)).map(|_| 0x11);
            garbage.chain(MAGIC.into_iter().cycle().take(32)).collect()
        })
    },
    // A smart account's, by its length. There is none.
    &unproven("of-no-smart-account", |draft, chance| {
        let mut long = draft.signature().to_vec();
        long.extend((0..chance.usize(1..200)).map(|_| 0x5a));
        long
    }),
];

type Sign = fn(&Draft<'_>, &mut Rng) -> Vec<u8>;

const fn unproven(name: &'static str, spoil: Sign) -> Malformation {
    Malformation { name, answers: NO_PAYMENT, judged_by: JudgedBy::Facilitator, spoil: Spoil::Signature(spoil) }
}

const fn unreadable(name: &'static str, spoil: Sign) -> Malformation {
    Malformation { name, answers: UNREADABLE, judged_by: JudgedBy::Anyone, spoil: Spoil::Signature(spoil) }
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
