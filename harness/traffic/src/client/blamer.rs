//! A client that costs nothing to be, and would have a facilitator blamed: each of its payments passes for one here, and makes
//! the official facilitator library throw, or check for seconds. None of them can pay, and none of what happens is evidence
//! about the facilitator: who sent it is a stranger.

use super::{
    Visit,
    about::{AN_ATTACK, About, ClientRole},
};
use crate::{
    ask::Ask,
    caller::Sending,
    payer::{Draft, Payment, Wallet, plain},
};
use fastrand::Rng;
use grammar::Listed;
use reports::event::{ExchangeKind, Flaw};
use serde_json::Value;
use x402_protocol::{Address, Version, header};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Attacker,
    ..About::buyer(
        Listed::new(
            "blamer",
            "presents payments without money that a facilitator's library throws at, or takes long to check",
            "1",
        ),
        AN_ATTACK,
    )
};

/// Ends a signature that is wrapped for an account that is not there yet (ERC-6492).
const ERC_6492: [u8; 32] = {
    let mut magic = [0; 32];
    let mut n = 0;
    while n < 32 {
        magic[n] = if n % 2 == 0 { 0x64 } else { 0x92 };
        n += 1;
    }
    magic
};

/// One way to be refused only by who tries it.
#[derive(Clone, Copy, Debug)]
enum Ware {
    /// Really signed, of a wallet without money, with a null beside the authorization: absent to some readers only.
    NullBeside,
    /// Nobody's signature, in an envelope that nobody can open.
    Envelope(Version),
    /// Nobody's signature, and a null beside the authorization, in version 1.
    KeylessNullBeside,
    /// Nobody's signature, for a contract to be asked about.
    Keyless,
}

const WARES: [Ware; 5] = [
    Ware::NullBeside,
    Ware::Envelope(Version::V2),
    Ware::Envelope(Version::V1),
    Ware::KeylessNullBeside,
    Ware::Keyless,
];

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let number = visit.arrival.number;
    let wallet = Wallet::Poor(number);
    let draft = visit.payers.draft_from(wallet, &invoice, number, 0, visit.unix_now());
    let payment = WARES[number as usize % WARES.len()].payment(draft, &mut visit.payers.chance(number));
    // Whether it is refused here, or by who was asked, or nobody could say, it is no payment.
    let flaw = Flaw { name: "blames-a-facilitator".to_owned(), answers: vec![400, 402, 503], local: false };
    visit.send(Sending::new(&ask, ExchangeKind::Payment).with(&payment).flawed(flaw)).await;
    Vec::new()
}

/// A signature that nobody made, of the form that only a contract can judge.
pub(super) fn nobodys(chance: &mut Rng) -> Vec<u8> {
    (0..66).map(|_| chance.u8(..)).collect()
}

/// A payer that nobody is.
pub(super) fn nobody(chance: &mut Rng) -> Address {
    Address(std::array::from_fn(|_| chance.u8(..)))
}

impl Ware {
    fn payment(self, mut draft: Draft<'_>, chance: &mut Rng) -> Payment {
        let version = match self {
            Self::NullBeside | Self::Envelope(Version::V2) | Self::Keyless => Version::V2,
            Self::Envelope(Version::V1) | Self::KeylessNullBeside => Version::V1,
        };
        if !matches!(self, Self::NullBeside) {
            draft.authorization.from = nobody(chance);
        }
        let signature = match self {
            Self::NullBeside => draft.signature().to_vec(),
            Self::Envelope(_) => nobodys(chance).into_iter().chain(ERC_6492).collect(),
            Self::Keyless | Self::KeylessNullBeside => nobodys(chance),
        };
        let mut json = draft.json_in(version, &signature);
        if matches!(self, Self::NullBeside | Self::KeylessNullBeside) {
            json["payload"]["permit2Authorization"] = Value::Null;
        }
        Payment { key: Some(draft.key()), identifier: None, version, header: plain(header::encode(&json)) }
    }
}
