//! What others can know of a payment once it is on the chain: what was signed is calldata, and what was bought is no secret
//! either, since prices and paths are public. Credentials are kept beside it for the attacker that has come by those as well.

use super::{ask::Ask, payer::Payment};
use reqwest::header::HeaderValue;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};
use x402_protocol::header;

/// Payments by their keys, as they were first presented.
#[derive(Default)]
pub struct Presented(Mutex<BTreeMap<String, Sale>>);

/// A payment and what it was for.
#[derive(Clone)]
pub struct Sale {
    pub ask: Ask,
    pub credentials: Option<String>,
    /// The address of its payer.
    pub address: IpAddr,
    header: HeaderValue,
}

impl Sale {
    /// The message that the payer signed, with its signature: `payload` of the payment. It is the transfer's calldata.
    #[must_use]
    pub fn calldata(&self) -> Option<Value> {
        let json: Value = serde_json::from_str(&header::decode(self.header.to_str().ok()?).ok()?).ok()?;
        json.get("payload").cloned()
    }
}

impl Presented {
    pub fn note(&self, ask: &Ask, payment: &Payment, credentials: Option<&str>, address: IpAddr) {
        let Some(key) = &payment.key else { return };
        let sale = || Sale {
            ask: ask.clone(),
            credentials: credentials.map(str::to_owned),
            address,
            header: payment.header.clone(),
        };
        self.sales().entry(key.clone()).or_insert_with(sale);
    }

    #[must_use]
    pub fn sale(&self, payment: &str) -> Option<Sale> {
        self.sales().get(payment).cloned()
    }

    fn sales(&self) -> MutexGuard<'_, BTreeMap<String, Sale>> {
        // Nothing under the lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
