//! A client that presents what the official facilitator library throws at, and what a smart account takes long to judge.
//! None of it costs its sender anything but a signature, and most not even that.

use super::{
    Visit,
    about::{About, Swarm},
};
use crate::{
    ask::Ask,
    caller::Sending,
    payer::{Draft, Payment, plain},
};
use facts::official::SLOW_ACCOUNT;
use fastrand::Rng;
use grammar::Listed;
use reports::event::{ExchangeKind, Flaw};
use serde_json::Value;
use x402_protocol::{TransferMethod, Version, header, hex};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    wants_official: true,
    ..About::buyer(
        Listed::new(
            "hostile",
            "presents what the official facilitator library throws at, or takes long over, without ever owning a thing",
            "1",
        ),
        Swarm::Never { because: "it needs the official library's facilitators" },
    )
};

/// One way to trouble a facilitator.
struct Trouble {
    name: &'static str,
    version: Version,
    method: TransferMethod,
    /// Statuses that are right.
    answers: &'static [u16],
    /// Whether the dispatcher can see it without asking.
    local: bool,
    /// Makes it of a good payment.
    make: fn(&mut Value, &mut Rng),
}

/// It can be seen at once: not a payment, or one that pays nothing.
const REFUSED: &[u16] = &[400, 402];
/// Only a facilitator can tell, and it may take too long.
const ASKED_FOR: &[u16] = &[402, 503];

/// A signature ends so where it carries the deployment of its account (ERC-6492).
const ERC_6492_MAGIC: &str = "6492649264926492649264926492649264926492649264926492649264926492";
const MAGIC_BYTES: usize = 32;

const TROUBLES: &[Trouble] = &[
    local("null-beside-an-authorization", Version::V2, TransferMethod::Eip3009, |payment, _| {
        payment["payload"]["permit2Authorization"] = Value::Null;
    }),
    local("garbage-before-the-magic", Version::V2, TransferMethod::Eip3009, wrap_garbage),
    local("garbage-before-the-magic-v1", Version::V1, TransferMethod::Eip3009, wrap_garbage),
    local("garbage-before-the-magic-permit2", Version::V2, TransferMethod::Permit2, wrap_garbage),
    local("offset-beyond-the-signature", Version::V2, TransferMethod::Eip3009, |payment, _| {
        payment["payload"]["signature"] = enveloped(&[0, 1 << 20, 96, 0]);
    }),
    local("offset-beyond-the-signature-v1", Version::V1, TransferMethod::Eip3009, |payment, _| {
        payment["payload"]["signature"] = enveloped(&[0, 96, 1 << 20, 0]);
    }),
    local("permit-in-version-1", Version::V1, TransferMethod::Permit2, keyless),
    Trouble {
        answers: ASKED_FOR,
        local: false,
        ..local("slow-smart-account", Version::V2, TransferMethod::Eip3009, |payment, chance| {
            payment["payload"]["authorization"]["from"] = SLOW_ACCOUNT.into();
            keyless(payment, chance);
        })
    },
];

const fn local(
    name: &'static str,
    version: Version,
    method: TransferMethod,
    make: fn(&mut Value, &mut Rng),
) -> Trouble {
    Trouble { name, version, method, answers: REFUSED, local: true, make }
}

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let mut chance = visit.payers.chance(visit.arrival.number);
    let trouble = &TROUBLES[chance.usize(0..TROUBLES.len())];
    let payment = trouble.payment(visit.draft(&invoice, 0), &mut chance);
    let flaw = Flaw { name: trouble.name.to_owned(), answers: trouble.answers.to_vec(), local: trouble.local };
    visit.send(Sending::new(&ask, ExchangeKind::Payment).with(&payment).flawed(flaw)).await;
    Vec::new()
}

impl Trouble {
    fn payment(&self, mut draft: Draft<'_>, chance: &mut Rng) -> Payment {
        draft.method = self.method;
        if !self.local {
            draft.authorization.from = SLOW_ACCOUNT.parse().expect("the slow account is an address");
        }
        let mut json = draft.json_in(self.version, &draft.signature());
        (self.make)(&mut json, chance);
        // Only what is judged by a facilitator may be seen there, and is known by its key.
        let key = (!self.local).then(|| draft.key());
        Payment { key, identifier: None, version: self.version, header: plain(header::encode(&json)) }
    }
}

/// A byte longer than an account's signature, so that no key is needed for it.
fn keyless(payment: &mut Value, chance: &mut Rng) {
    payment["payload"]["signature"] = hex::encode(&bytes(66, chance)).into();
}

fn wrap_garbage(payment: &mut Value, chance: &mut Rng) {
    let length = chance.usize(66 - MAGIC_BYTES..300);
    // Never small enough to be an offset.
    let mut garbage = bytes(length, chance);
    garbage.iter_mut().for_each(|byte| *byte |= 1);
    payment["payload"]["signature"] = format!("{}{ERC_6492_MAGIC}", hex::encode(&garbage)).into();
}

/// Whole words and the magic after them.
fn enveloped(words: &[u64]) -> Value {
    let words: String = words.iter().map(|word| format!("{word:064x}")).collect();
    format!("0x{words}{ERC_6492_MAGIC}").into()
}

fn bytes(length: usize, chance: &mut Rng) -> Vec<u8> {
    (0..length).map(|_| chance.u8(..)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Invoice, Payers};
    use std::collections::BTreeSet;
    use x402_protocol::{
        Network, Offer,
        v2::{PaymentRequired, ResourceInfo},
    };

    #[test]
    fn each_trouble_has_a_name_and_a_payment_of_its_own_and_what_is_seen_at_once_has_no_key() {
        let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".parse().unwrap();
        let offer = Offer::usdc(Network::BaseSepolia, 10_000.into(), pay_to, 60);
        let required = PaymentRequired {
            x402_version: Version::V2,
            error: None,
            resource: ResourceInfo { url: "https://acme.example/".to_owned(), ..ResourceInfo::default() },
            accepts: vec![offer.to_requirements()],
            extensions: None,
        };
        let (payers, invoice) = (Payers::from_seed(1), Invoice::read_header(&header::encode(&required)).unwrap());
        let (mut names, mut payments) = (BTreeSet::new(), BTreeSet::new());
        for trouble in TROUBLES {
            let payment = trouble.payment(payers.draft(&invoice, 0, 0, 1_795_227_000), &mut Rng::with_seed(1));
            assert_eq!((payment.key.is_none(), payment.version), (trouble.local, trouble.version), "{}", trouble.name);
            names.insert(trouble.name);
            payments.insert(payment.header.to_str().unwrap().to_owned());
        }
        assert_eq!((names.len(), payments.len()), (TROUBLES.len(), TROUBLES.len()));
    }
}
