//! Callers with a wallet: real keys, real EIP-712 signatures, made from the offer that the dispatcher sent.

use doubles::Signers;
use fastrand::Rng;
use grammar::limits::{MAX_BLOCKS, MAX_OWN_PAYERS};
use reqwest::header::HeaderValue;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use std::sync::{Arc, OnceLock};
use x402_protocol::{
    Address, Authorization, Nonce, Offer, Permit2Authorization, Transfer, TransferMethod, Uint256, Version, header,
    hex,
    offer::OfferError,
    permit2::{EXACT_PROXY, TokenPermissions, Witness},
    signature::Signer,
    v1, v2,
};

/// Enough that no two concurrent purchases usually share a payer, few enough to read in a report.
const PAYERS: usize = 16;

/// More than a run has traffic blocks with payers of their own.
const MOST_PAYERS: usize = PAYERS + POOR + MAX_BLOCKS * MAX_OWN_PAYERS as usize;

/// Wallets without money.
const POOR: usize = 8;

/// Clients of version 1 begin their window this long before they sign.
const V1_BACKDATED_S: u64 = 600;

/// The wallets of a run, made from its seed when they are first used.
pub struct Payers {
    signers: Vec<OnceLock<Signer>>,
    /// Whoever checks signatures in this run, and need not recover what is signed here.
    known: Arc<Signers>,
    seed: u64,
}

/// Whose money a client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wallet {
    /// One of those that a run's purchases have in common, by the purchase's number.
    Common(u64),
    /// One of those that nobody has put any money into, by the purchase's number.
    Poor(u64),
    /// One that a traffic block has to itself.
    Own { block: u8, n: u8 },
}

/// A bill as a 402 brought it, and the first of its ways to pay that this client can sign: in the header for version 2, in
/// the body for version 1.
#[derive(Clone, Debug)]
pub struct Invoice {
    version: Version,
    raw: Value,
    /// The position of the offer among the ways to pay.
    chosen: usize,
    pub offer: Offer,
}

/// A payment before it is signed: as an official client makes it, until its terms are changed.
#[derive(Clone)]
pub struct Draft<'a> {
    invoice: &'a Invoice,
    signer: &'a Signer,
    known: &'a Signers,
    pub authorization: Authorization,
    /// How the money is to be moved: the authorization as it stands, or a permit on the same terms.
    pub method: TransferMethod,
    /// For the `payment-identifier` extension.
    pub identifier: Option<String>,
    /// An extension that nobody has offered, and what stands in it.
    pub unasked: Option<(&'static str, Value)>,
}

/// The payment that a client presents.
pub struct Payment {
    /// `network:asset:from:nonce`; `None` where the client broke it beyond having one.
    pub key: Option<String>,
    pub identifier: Option<String>,
    /// Version 1 travels in `X-PAYMENT`, version 2 in `PAYMENT-SIGNATURE`.
    pub version: Version,
    /// Value of that header.
    pub header: HeaderValue,
}

#[derive(Debug, thiserror::Error)]
pub enum PayError {
    #[error("the offer cannot be read: {0}")]
    Unreadable(String),
    #[error("the offer has no way to pay")]
    NothingAccepted,
    #[error("the offer asks for an amount of 0")]
    NothingAsked,
    #[error("the offer wants a Permit2 transfer, which this client does not sign")]
    Permit2,
    #[error(transparent)]
    Offer(#[from] OfferError),
}

impl Payers {
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self::known_to(Arc::default(), seed)
    }

    /// Each signature is told as it is made.
    #[must_use]
    pub fn known_to(known: Arc<Signers>, seed: u64) -> Self {
        Self { signers: (0..MOST_PAYERS).map(|_| OnceLock::new()).collect(), known, seed }
    }

    #[must_use]
    pub fn address(&self, wallet: Wallet) -> String {
        self.signer(wallet).address().to_string()
    }

    /// The wallets without money, for a chain to be told of.
    pub fn poor(&self) -> impl Iterator<Item = Address> {
        (0..POOR as u64).map(|n| self.signer(Wallet::Poor(n)).address())
    }

    /// Signs what the invoice asks, as an official client does.
    #[must_use]
    pub fn pay(&self, invoice: &Invoice, purchase: u64, attempt: u64, unix_now: u64) -> Payment {
        self.draft(invoice, purchase, attempt, unix_now).sign()
    }

    /// The window of the official clients of its version, and a nonce that is this run's, purchase's and attempt's own.
    #[must_use]
    pub fn draft<'a>(&'a self, invoice: &'a Invoice, purchase: u64, attempt: u64, unix_now: u64) -> Draft<'a> {
        self.draft_from(Wallet::Common(purchase), invoice, purchase, attempt, unix_now)
    }

    /// Makes a payment like `draft`, from this wallet.
    #[must_use]
    pub fn draft_from<'a>(
        &'a self,
        wallet: Wallet,
        invoice: &'a Invoice,
        purchase: u64,
        attempt: u64,
        unix_now: u64,
    ) -> Draft<'a> {
        let Invoice { offer, .. } = invoice;
        let signer = self.signer(wallet);
        let nonce = [b"nonce".as_slice(), &self.seed.to_be_bytes(), &purchase.to_be_bytes(), &attempt.to_be_bytes()];
        let valid_after = match invoice.version {
            Version::V1 => Uint256::from(unix_now - V1_BACKDATED_S),
            Version::V2 => Uint256::ZERO,
        };
        let authorization = Authorization {
            from: signer.address(),
            to: offer.pay_to,
            value: offer.amount,
            valid_after,
            valid_before: Uint256::from(unix_now.saturating_add(offer.max_timeout_seconds)),
            nonce: Nonce(draw(&nonce)),
        };
        let method = TransferMethod::Eip3009;
        Draft { invoice, signer, known: &self.known, authorization, method, identifier: None, unasked: None }
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

    fn signer(&self, wallet: Wallet) -> &Signer {
        let n = match wallet {
            Wallet::Common(purchase) => purchase as usize % PAYERS,
            Wallet::Poor(purchase) => PAYERS + purchase as usize % POOR,
            Wallet::Own { block, n } => PAYERS + POOR + usize::from(block) * MAX_OWN_PAYERS as usize + usize::from(n),
        };
        self.signers[n].get_or_init(|| {
            // A secret beyond the curve's order has a chance of 2^-128; the next salt would not have it as well.
            (0_u8..=u8::MAX)
                .find_map(|salt| {
                    Signer::from_secret(&draw(&[b"payer", &self.seed.to_be_bytes(), &n.to_be_bytes(), &[salt]]))
                })
                .expect("one of 256 hashes is a valid secret key")
        })
    }
}

impl Invoice {
    /// The offer and what came with it, as it was sent.
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// Reads `PAYMENT-REQUIRED`, as a client of version 2 does.
    pub fn read_header(header: &str) -> Result<Self, PayError> {
        let text = header::decode(header).map_err(|error| PayError::Unreadable(error.to_string()))?;
        Self::choose(Version::V2, parse(text.as_bytes())?, |way| signable(&parse_value(way)?))
    }

    /// Reads the body, as a client of version 1 does.
    pub fn read_body(body: &[u8]) -> Result<Self, PayError> {
        let to_v2 = |way: &Value| parse_value::<v1::PaymentRequirements>(way).map(|way| way.to_v2());
        Self::choose(Version::V1, parse(body)?, |way| signable(&to_v2(way)?))
    }

    /// Reads each way to pay by itself: this client need not understand those of other schemes and chains.
    fn choose(
        version: Version,
        raw: Value,
        read: impl Fn(&Value) -> Result<Offer, PayError>,
    ) -> Result<Self, PayError> {
        if raw["x402Version"] != json!(version) {
            return Err(PayError::Unreadable(format!("x402Version is {}", raw["x402Version"])));
        }
        let ways = raw["accepts"].as_array().map_or(&[][..], Vec::as_slice);
        let mut first_problem = None;
        for (chosen, way) in ways.iter().enumerate() {
            match read(way) {
                Ok(offer) => return Ok(Self { version, chosen, offer, raw }),
                Err(problem) => first_problem = first_problem.or(Some(problem)),
            }
        }
        Err(first_problem.unwrap_or(PayError::NothingAccepted))
    }
}

/// The offer, if an EIP-3009 authorization pays it.
fn signable(requirements: &v2::PaymentRequirements) -> Result<Offer, PayError> {
    let offer = Offer::from_requirements(requirements)?;
    match offer.transfer_method {
        Some(TransferMethod::Permit2) => Err(PayError::Permit2),
        _ if offer.amount == Uint256::ZERO => Err(PayError::NothingAsked),
        _ => Ok(offer),
    }
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, PayError> {
    serde_json::from_slice(json).map_err(|error| PayError::Unreadable(error.to_string()))
}

fn parse_value<T: DeserializeOwned>(json: &Value) -> Result<T, PayError> {
    T::deserialize(json).map_err(|error| PayError::Unreadable(error.to_string()))
}

impl Draft<'_> {
    #[must_use]
    pub fn offer(&self) -> &Offer {
        &self.invoice.offer
    }

    #[must_use]
    pub fn key(&self) -> String {
        self.transfer().key(self.offer()).to_string()
    }

    /// The text that is signed.
    #[must_use]
    pub fn transfer(&self) -> Transfer {
        let Authorization { from, to, value, valid_after, valid_before, nonce } = self.authorization.clone();
        match self.method {
            TransferMethod::Eip3009 => Transfer::Eip3009(self.authorization.clone()),
            TransferMethod::Permit2 => Transfer::Permit2(Permit2Authorization {
                from,
                permitted: TokenPermissions { token: self.offer().asset, amount: value },
                spender: EXACT_PROXY,
                nonce: Uint256(nonce.0),
                deadline: valid_before,
                witness: Witness { to, valid_after },
            }),
        }
    }

    /// The key of another transfer for the same offer.
    #[must_use]
    pub fn key_of(&self, transfer: &Transfer) -> String {
        transfer.key(self.offer()).to_string()
    }

    #[must_use]
    pub fn signature(&self) -> [u8; 65] {
        let digest = self.transfer().digest(self.offer());
        let signature = self.signer.sign(&digest);
        self.known.signed(&signature, &digest, self.signer.address());
        signature
    }

    /// The payment's JSON with this signature.
    #[must_use]
    pub fn json(&self, signature: &[u8]) -> Value {
        self.json_in(self.invoice.version, signature)
    }

    /// In a generation of the protocol that may be another than the invoice's.
    #[must_use]
    pub fn json_in(&self, version: Version, signature: &[u8]) -> Value {
        let raw = &self.invoice.raw;
        let signature = hex::encode(signature);
        let payload = match self.transfer() {
            Transfer::Eip3009(authorization) => json!({"signature": signature, "authorization": authorization}),
            Transfer::Permit2(permit) => json!({"signature": signature, "permit2Authorization": permit}),
        };
        let accepted = &raw["accepts"][self.invoice.chosen];
        if version == Version::V1 {
            let (scheme, network) = (&accepted["scheme"], self.offer().network.name_in(version));
            return json!({"x402Version": version, "scheme": scheme, "network": network, "payload": payload});
        }
        let mut payment =
            json!({"x402Version": version, "resource": raw["resource"], "accepted": accepted, "payload": payload});
        if let Some(id) = &self.identifier {
            // As the specification wants it: the server's own extensions, with the id added to what it said.
            payment["extensions"] = match &raw["extensions"] {
                Value::Null => json!({}),
                offered => offered.clone(),
            };
            payment["extensions"]["payment-identifier"]["info"]["id"] = id.as_str().into();
        }
        if let Some((name, extension)) = &self.unasked {
            payment["extensions"][name] = extension.clone();
        }
        payment
    }

    #[must_use]
    pub fn sign(&self) -> Payment {
        let header = header::encode(&self.json(&self.signature()));
        let (key, version) = (Some(self.key()), self.invoice.version);
        Payment { key, identifier: self.identifier.clone(), version, header: plain(header) }
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
    fn the_first_way_to_pay_that_can_be_signed_is_taken_and_sent_back() {
        let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".parse().unwrap();
        let ours = json!(Offer::usdc(Network::BaseSepolia, Uint256::from(10_000), pay_to, 60).to_requirements());
        let but = |key: &str, value: Value| {
            let mut way = ours.clone();
            way[key] = value;
            way
        };
        let solana = json!({"scheme": "exact", "network": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "amount": "10000",
            "asset": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "payTo": "2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4",
            "maxTimeoutSeconds": 60, "extra": {"feePayer": "x"}});
        let read =
            |accepts: Vec<Value>| Invoice::read_header(&header::encode(&json!({"x402Version": 2, "accepts": accepts})));
        let others = vec![
            solana.clone(),
            json!("no object"),
            json!({}),
            but("scheme", json!("upto")),
            but("amount", json!("0")),
            but("extra", json!({"name": "USDC", "version": "2", "assetTransferMethod": "permit2"})),
        ];
        let invoice = read([others.clone(), vec![ours.clone()]].concat()).unwrap();
        let payers = Payers::from_seed(1);
        assert_eq!(payers.draft(&invoice, 0, 0, 1_000).json(&[0; 65])["accepted"], ours);
        assert!(matches!(read(others), Err(PayError::Offer(_))), "the first of them is what is told");
        assert!(matches!(read(vec![but("amount", json!("0"))]), Err(PayError::NothingAsked)));
        assert!(matches!(read(Vec::new()), Err(PayError::NothingAccepted)));
        // A window without an end is signed as the longest there is.
        let invoice = read(vec![but("maxTimeoutSeconds", json!(1e300))]).unwrap();
        assert_eq!(payers.draft(&invoice, 0, 0, 1_000).authorization.valid_before, Uint256::from(u64::MAX));
    }

    #[test]
    fn a_payment_is_signed_for_the_offer_and_never_twice_the_same() {
        let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".parse().unwrap();
        let offer = Offer::usdc(Network::BaseSepolia, Uint256::from(10_000), pay_to, 60);
        let required = v2::PaymentRequired {
            x402_version: Version::V2,
            error: None,
            resource: ResourceInfo { url: "https://acme.example/".to_owned(), ..ResourceInfo::default() },
            accepts: vec![offer.to_requirements()],
            extensions: None,
        };
        let payers = Payers::from_seed(1);
        let invoice = Invoice::read_header(&header::encode(&required)).unwrap();
        let payment = payers.pay(&invoice, 0, 0, 1_000);
        assert_ne!(payers.pay(&invoice, 0, 1, 1_000).key, payment.key);

        let sent = PaymentPayload::from_header(payment.header.to_str().unwrap()).unwrap();
        assert_eq!(offer.matches(&sent.accepted), Ok(()));
        let Signature::Account(bytes) = sent.exact.signature else { panic!("65 bytes") };
        let digest = sent.exact.transfer.digest(&offer);
        assert_eq!(signature::recover(&bytes, &digest).unwrap().to_string(), payers.address(Wallet::Common(0)));
    }
}
