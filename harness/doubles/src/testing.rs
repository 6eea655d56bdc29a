//! A payer that signs, and a bench on which a double is called over real sockets. Time bounds are generous: they tell a
//! hang from an answer, no more.

use super::{AMPLE_BALANCE, Chain, FacilitatorDouble, FaultSpec, Terms};
use crate::{Call, Inject, Pick};
use journal::Journal;
use reports::event::{Event, FacilitatorAnswer, FacilitatorCall, FaultRef, Recorded};
use serde_json::{Value, json};
use std::{error::Error, io, ops::Range, sync::Arc, time::Duration};
use system::clock::{Clock, SystemClock};
use tokio::sync::mpsc;
use x402_protocol::{
    Address, Authorization, Network, Nonce, Offer, Permit2Authorization, Transfer, Uint256, hex,
    permit2::{EXACT_PROXY, TokenPermissions, Witness},
    signature::Signer,
    v1,
    v2::ResourceInfo,
};

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

    pub fn transfer(&self, nonce: u8) -> Transfer {
        Transfer::Eip3009(self.authorization(nonce))
    }

    /// A Permit2 payment of the offer, as a facilitator gets it.
    pub fn permit_request(&self, nonce: u8) -> Value {
        let offer = self.offer();
        let permit = Permit2Authorization {
            from: self.address(),
            permitted: TokenPermissions { token: offer.asset, amount: offer.amount },
            spender: EXACT_PROXY,
            nonce: Uint256::from(u64::from(nonce)),
            deadline: Uint256::from(NOW * 2),
            witness: Witness { to: offer.pay_to, valid_after: Uint256::ZERO },
        };
        let signature = hex::encode(&self.signer.sign(&permit.digest(offer.network)));
        let payload = json!({"signature": signature, "permit2Authorization": permit});
        json!({
            "x402Version": 2,
            "paymentPayload": {"x402Version": 2, "accepted": offer.to_requirements(), "payload": payload},
            "paymentRequirements": offer.to_requirements(),
        })
    }

    /// The payment of [`Payer::body`] in version 1.
    pub fn v1_request(&self, nonce: u8) -> Value {
        let offer = self.offer();
        let body = self.request(&offer, &self.authorization(nonce));
        let resource = ResourceInfo { url: "https://acme.example/".to_owned(), ..ResourceInfo::default() };
        json!({
            "x402Version": 1,
            "paymentPayload": {
                "x402Version": 1,
                "scheme": "exact",
                "network": "base-sepolia",
                "payload": body["paymentPayload"]["payload"],
            },
            "paymentRequirements": v1::PaymentRequirements::of(&offer, &resource),
        })
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

pub type Seen = mpsc::UnboundedReceiver<Recorded>;

/// A journal on the real clock.
pub fn journal() -> (Journal, Seen) {
    Journal::channel(Arc::new(SystemClock::start()))
}

pub fn drain(seen: &mut Seen) -> Vec<Event> {
    std::iter::from_fn(|| seen.try_recv().ok()).map(|recorded| recorded.event).collect()
}

pub const ALWAYS: Range<u64> = 0..u64::MAX;
/// Longer than any healthy call takes, even on a busy machine; shorter than anybody waits for a test.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// After this a call that hangs is taken to hang.
pub const IMPATIENCE: Duration = Duration::from_millis(500);

pub struct Bench {
    pub chain: Arc<Chain>,
    pub clock: Arc<SystemClock>,
    pub journal: Journal,
    pub seen: Seen,
    pub client: reqwest::Client,
}

impl Bench {
    pub fn new() -> Self {
        let clock = Arc::new(SystemClock::start());
        let (journal, seen) = Journal::channel(Arc::clone(&clock) as Arc<dyn Clock>);
        let client = system::http_client::builder().timeout(PATIENCE).build().unwrap();
        let chain = Arc::new(Chain::new(journal.clone()));
        Self { chain, clock, journal, seen, client }
    }

    pub async fn double(&self, faults: Vec<FaultSpec>) -> FacilitatorDouble {
        self.double_with(Terms::default(), faults).await
    }

    pub async fn double_with(&self, terms: Terms, faults: Vec<FaultSpec>) -> FacilitatorDouble {
        let (name, chain) = ("primary".into(), Arc::clone(&self.chain));
        FacilitatorDouble::start(name, terms, chain, faults, self.journal.clone()).await.unwrap()
    }

    /// Waits until the payer of [`Bench::post`] has paid.
    pub async fn money_moved(&self) {
        let moved = async {
            while !self.has_paid() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, moved).await.expect("the money moves");
    }

    pub fn has_paid(&self) -> bool {
        self.chain.balance(Network::BaseSepolia, Payer::new(1).address()) != AMPLE_BALANCE
    }

    /// Waits for the record of a call; transfers seen on the way are put back.
    pub async fn next_call(&mut self) -> FacilitatorCall {
        let call = async {
            loop {
                match self.seen.recv().await.expect("the bench holds a journal").event {
                    Event::FacilitatorCalled(call) => break call,
                    Event::TransferMoved(transfer) => {
                        self.journal.record(Event::TransferMoved(transfer));
                        tokio::task::yield_now().await;
                    }
                    other => panic!("unexpected event {other:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, call).await.expect("recorded")
    }

    pub async fn post(&self, double: &FacilitatorDouble, path: &str, nonce: u8) -> reqwest::Result<(u16, Value)> {
        self.post_body(double, path, Payer::new(1).body(nonce)).await
    }

    pub async fn post_body(
        &self,
        double: &FacilitatorDouble,
        path: &str,
        body: String,
    ) -> reqwest::Result<(u16, Value)> {
        let answer = self.client.post(format!("{}{path}", double.url())).body(body).send().await?;
        let (status, text) = (answer.status().as_u16(), answer.text().await?);
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Stops the double and splits what was recorded into calls and the number of transfers.
    pub async fn stop(mut self, double: FacilitatorDouble) -> (Vec<FacilitatorCall>, usize) {
        double.stop().await.unwrap();
        let (mut calls, mut transfers) = (Vec::new(), 0);
        for event in drain(&mut self.seen) {
            match event {
                Event::FacilitatorCalled(call) => calls.push(call),
                Event::TransferMoved(_) => transfers += 1,
                other => panic!("unexpected event {other:?}"),
            }
        }
        (calls, transfers)
    }
}

pub fn fault(call: Call, window: Range<u64>, pick: Pick, inject: Inject) -> FaultSpec {
    let fault = FaultRef { index: 0, on: "primary".into(), inject: inject.name().into() };
    FaultSpec { fault, call, window, pick, seed: 1, inject }
}

pub fn always(inject: Inject) -> Vec<FaultSpec> {
    vec![fault(Call::Any, ALWAYS, Pick::All, inject)]
}

pub fn once(inject: Inject) -> Vec<FaultSpec> {
    vec![fault(Call::Any, ALWAYS, Pick::First(1), inject)]
}

/// The deepest I/O error: reqwest wraps it in its own kinds.
pub fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut kind = None;
    let mut cause = error.source();
    while let Some(error) = cause {
        kind = error.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        cause = error.source();
    }
    kind
}

pub fn how(call: &FacilitatorCall) -> &str {
    match &call.answer {
        FacilitatorAnswer::None { how } => how,
        FacilitatorAnswer::Sent { .. } => "sent",
    }
}
