//! Callers with a wallet: real keys, real EIP-712 signatures, made from the offer that the dispatcher sent.

use fastrand::Rng;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use x402_protocol::{
    Authorization, Nonce, Offer, Uint256, Version, header, hex, offer::OfferError, signature::Signer,
    v2::PaymentRequired,
};

/// Enough that no two concurrent purchases usually share a payer, few enough to read in a report.
const PAYERS: usize = 16;

/// The wallets of a run, made from its seed.
pub struct Payers {
    signers: Vec<Signer>,
    seed: u64,
}

/// An offer as a `PAYMENT-REQUIRED` header brought it.
pub struct Invoice {
    raw: Value,
    pub offer: Offer,
}

/// A payment before it is signed: as an official client makes it, until its terms are changed.
#[derive(Clone)]
pub struct Draft<'a> {
    invoice: &'a Invoice,
    signer: &'a Signer,
    pub authorization: Authorization,
    /// For the `payment-identifier` extension.
    pub identifier: Option<String>,
}

/// What a client presents as a payment.
pub struct Payment {
    /// `network:asset:from:nonce`; `None` where the client broke it beyond having one.
    pub key: Option<String>,
    pub identifier: Option<String>,
    /// Value of `PAYMENT-SIGNATURE`.
    pub header: HeaderValue,
}

#[derive(Debug, thiserror::Error)]
pub enum PayError {
    #[error("the offer cannot be read: {0}")]
    Unreadable(String),
    #[error("the offer has no way to pay")]
    NothingAccepted,
    #[error(transparent)]
    Offer(#[from] OfferError),
}

impl Payers {
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let signer = |n: usize| {
            // A secret beyond the curve's order has a chance of 2^-128; the next salt would not have it as well.
            (0_u8..=u8::MAX)
                .find_map(|salt| {
                    Signer::from_secret(&draw(&[b"payer", &seed.to_be_bytes(), &n.to_be_bytes(), &[salt]]))
                })
                .expect("one of 256 hashes is a valid secret key")
        };
        Self { signers: (0..PAYERS).map(signer).collect(), seed }
    }

    #[must_use]
    pub fn address(&self, purchase: u64) -> String {
        self.signer(purchase).address().to_string()
    }

    /// Signs what the invoice asks, as an official client does.
    #[must_use]
    pub fn pay(&self, invoice: &Invoice, purchase: u64, attempt: u64, unix_now: u64) -> Payment {
        self.draft(invoice, purchase, attempt, unix_now).sign()
    }

    /// `validAfter` 0, `validBefore` after the offer's time-out, and a nonce that is this run's, purchase's and attempt's
    /// own.
    #[must_use]
    pub fn draft<'a>(&'a self, invoice: &'a Invoice, purchase: u64, attempt: u64, unix_now: u64) -> Draft<'a> {
        let Invoice { offer, .. } = invoice;
        let signer = self.signer(purchase);
        let nonce = [b"nonce".as_slice(), &self.seed.to_be_bytes(), &purchase.to_be_bytes(), &attempt.to_be_bytes()];
        let authorization = Authorization {
            from: signer.address(),
            to: offer.pay_to,
            value: offer.amount,
            valid_after: Uint256::ZERO,
            valid_before: Uint256::from(unix_now + offer.max_timeout_seconds),
            nonce: Nonce(draw(&nonce)),
        };
        Draft { invoice, signer, authorization, identifier: None }
    }

    /// For the `payment-identifier` extension, within its grammar.
    #[must_use]
    pub fn identifier(&self, purchase: u64) -> String {
        format!("purchase_{purchase:08}_{:016x}", self.seed)
    }

    /// Chance that is this run's and purchase's own.
    #[must_use]
    pub fn chance(&self, purchase: u64) -> Rng {
        let drawn = draw(&[b"chance", &self.seed.to_be_bytes(), &purchase.to_be_bytes()]);
        let mut seed = [0; 8];
        seed.copy_from_slice(&drawn[..8]);
        Rng::with_seed(u64::from_be_bytes(seed))
    }

    fn signer(&self, purchase: u64) -> &Signer {
        &self.signers[purchase as usize % self.signers.len()]
    }
}

impl Invoice {
    /// Reads a `PAYMENT-REQUIRED` header.
    pub fn read(header: &str) -> Result<Self, PayError> {
        let unreadable = |error: &dyn std::fmt::Display| PayError::Unreadable(error.to_string());
        let text = header::decode(header).map_err(|error| unreadable(&error))?;
        let raw: Value = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
        let required: PaymentRequired = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
        let requirements = required.accepts.first().ok_or(PayError::NothingAccepted)?;
        let offer = Offer::from_requirements(requirements)?;
        Ok(Self { raw, offer })
    }
}

impl Draft<'_> {
    #[must_use]
    pub fn offer(&self) -> &Offer {
        &self.invoice.offer
    }

    #[must_use]
    pub fn key(&self) -> String {
        self.offer().payment_key(&self.authorization).to_string()
    }

    #[must_use]
    pub fn signature(&self) -> [u8; 65] {
        self.signer.sign(&self.authorization.digest(self.offer()))
    }

    /// The payment's JSON with this signature.
    #[must_use]
    pub fn json(&self, signature: &[u8]) -> Value {
        let raw = &self.invoice.raw;
        let mut payment = json!({
            "x402Version": Version::V2,
            "resource": raw["resource"],
            "accepted": raw["accepts"][0],
            "payload": {"signature": hex::encode(signature), "authorization": self.authorization},
        });
        if let Some(id) = &self.identifier {
            // As the specification wants it: the server's own extensions, with the id added to what it said.
            payment["extensions"] = match &raw["extensions"] {
                Value::Null => json!({}),
                offered => offered.clone(),
            };
            payment["extensions"]["payment-identifier"]["info"]["id"] = id.as_str().into();
        }
        payment
    }

    #[must_use]
    pub fn sign(&self) -> Payment {
        let header = header::encode(&self.json(&self.signature()));
        Payment { key: Some(self.key()), identifier: self.identifier.clone(), header: plain(header) }
    }
}

/// A header's value from text that is base64 or another visible form of ASCII.
#[must_use]
pub fn plain(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("visible ASCII is a valid header value")
}

fn draw(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Keccak256::new(), |hasher, part| hasher.chain_update(part)).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use x402_protocol::{
        Network, Signature, signature,
        v2::{PaymentPayload, ResourceInfo},
    };

    #[test]
    fn a_payment_is_signed_for_the_offer_and_never_twice_the_same() {
        let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".parse().unwrap();
        let offer = Offer::usdc(Network::BaseSepolia, Uint256::from(10_000), pay_to, 60);
        let required = PaymentRequired {
            x402_version: Version::V2,
            error: None,
            resource: ResourceInfo { url: "https://acme.example/".to_owned(), ..ResourceInfo::default() },
            accepts: vec![offer.to_requirements()],
            extensions: None,
        };
        let payers = Payers::from_seed(1);
        let invoice = Invoice::read(&header::encode(&required)).unwrap();
        let payment = payers.pay(&invoice, 0, 0, 1_000);
        assert_ne!(payers.pay(&invoice, 0, 1, 1_000).key, payment.key);

        let sent = PaymentPayload::from_header(payment.header.to_str().unwrap()).unwrap();
        assert_eq!(offer.matches(&sent.accepted), Ok(()));
        let Ok(Signature::Account(bytes)) = Signature::parse(&sent.exact.signature) else { panic!("65 bytes") };
        let digest = sent.exact.transfer.digest(&offer);
        assert_eq!(signature::recover(&bytes, &digest).unwrap().to_string(), payers.address(0));
    }
}
