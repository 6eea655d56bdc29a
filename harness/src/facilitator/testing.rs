//! A payer that signs, and what the doubles' tests share.

use reports::event::Event;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use x402_protocol::{Address, Authorization, Network, Nonce, Offer, Uint256, hex, signature::Signer};

/// Unix seconds at which the unit tests' payments are judged.
pub const NOW: u64 = 1_795_000_000;

pub struct Payer {
    signer: Signer,
}

impl Payer {
    pub fn new(secret: u8) -> Self {
        Self { signer: Signer::from_secret(&[secret; 32]).expect("not zero and below the curve's order") }
    }

    pub fn address(&self) -> Address {
        self.signer.address()
    }

    pub fn offer(&self) -> Offer {
        let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".parse().expect("an address");
        Offer::usdc(Network::BaseSepolia, Uint256::from(10_000), pay_to, 60)
    }

    /// Valid from the beginning of time to far beyond every test.
    pub fn authorization(&self, nonce: u8) -> Authorization {
        Authorization {
            from: self.address(),
            to: self.offer().pay_to,
            value: self.offer().amount,
            valid_after: Uint256::ZERO,
            valid_before: Uint256::from(NOW * 2),
            nonce: Nonce([nonce; 32]),
        }
    }

    /// The authorization signed for the offer, as a facilitator gets it.
    pub fn request(&self, offer: &Offer, authorization: &Authorization) -> Value {
        let signature = self.signer.sign(&authorization.digest(offer));
        json!({
            "x402Version": 2,
            "paymentPayload": {
                "x402Version": 2,
                "accepted": offer.to_requirements(),
                "payload": {"signature": hex::encode(&signature), "authorization": authorization},
            },
            "paymentRequirements": offer.to_requirements(),
        })
    }

    pub fn body(&self, nonce: u8) -> String {
        self.request(&self.offer(), &self.authorization(nonce)).to_string()
    }
}

pub fn drain(events: &mut mpsc::UnboundedReceiver<Event>) -> Vec<Event> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}
