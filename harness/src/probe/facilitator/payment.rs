//! Payments to ask a facilitator about: signed as an official client does, by a wallet that was made for the check.

use fastrand::Rng;
use serde_json::Value;
use system::clock::{Clock, SystemClock};
use traffic::{Invoice, Malformation, Payers};
use x402_protocol::{
    Address, Network, Offer, Version, header,
    v2::{PaymentRequired, ResourceInfo},
};

/// One cent.
const AMOUNT: u64 = 10_000;
const MAX_TIMEOUT_S: u64 = 300;
/// An address of nobody: what went there would be lost, so nobody gains by a check.
const PAY_TO: Address = Address([0x40; 20]);

pub struct Wallet {
    payers: Payers,
    invoice: Invoice,
    clock: SystemClock,
    /// The kinds that the facilitator says it supports.
    supported: Value,
}

/// A request for `/verify` or `/settle`, and what is wrong with it.
pub struct Broken {
    pub name: String,
    pub body: String,
}

impl Wallet {
    pub fn on(network: Option<Network>, supported: Value) -> Option<Self> {
        let offer = Offer::usdc(network?, AMOUNT.into(), PAY_TO, MAX_TIMEOUT_S);
        let required = PaymentRequired {
            x402_version: Version::V2,
            error: None,
            resource: ResourceInfo { url: "https://conform.example/quote".to_owned(), ..ResourceInfo::default() },
            accepts: vec![offer.to_requirements()],
            extensions: None,
        };
        let invoice = Invoice::read_header(&header::encode(&required)).expect("an offer of ours can be read");
        // Nonces of a run are its own, or a second run would ask about spent ones.
        let payers = Payers::from_seed(fastrand::u64(..));
        Some(Self { payers, invoice, clock: SystemClock::new(), supported })
    }

    /// A sound payment; each number has a nonce of its own.
    pub fn sound(&self, number: u64) -> String {
        let payment = self.payers.pay(&self.invoice, number, 0, self.clock.unix_now());
        let text = payment.header.to_str().expect("base64 is text");
        self.body(&header::decode(text).expect("it was encoded just now"))
    }

    /// Every way in which a payment can be broken before it becomes a header.
    pub fn broken(&self) -> Vec<Broken> {
        let now = self.clock.unix_now();
        let break_it = |(n, malformation): (usize, &Malformation)| {
            let mut chance = Rng::with_seed(n as u64);
            let draft = self.payers.draft(&self.invoice, n as u64, 1, now);
            let payment = malformation.payment(draft, now, &mut chance);
            let text = payment.header.to_str().ok().and_then(|text| header::decode(text).ok())?;
            serde_json::from_str::<Value>(&text).ok()?;
            Some(Broken { name: malformation.flaw().name, body: self.body(&text) })
        };
        Malformation::all().enumerate().filter_map(break_it).collect()
    }

    /// Sound, but on a network that the facilitator does not list.
    pub fn elsewhere(&self) -> String {
        let listed = self.supported["kinds"].to_string();
        let other =
            ["eip155:1", "eip155:999999937"].into_iter().find(|other| !listed.contains(&format!("\"{other}\"")));
        self.sound(u64::from(u32::MAX)).replace(self.network(), other.unwrap_or("eip155:999999961"))
    }

    pub fn network(&self) -> &'static str {
        self.invoice.offer.network.caip2()
    }

    /// Text, and not a value: that would lose a key that stands twice.
    fn body(&self, payment: &str) -> String {
        let requirements = serde_json::to_string(&self.invoice.offer.to_requirements()).expect("an offer is JSON");
        format!(r#"{{"x402Version":2,"paymentPayload":{payment},"paymentRequirements":{requirements}}}"#)
    }
}
