//! The bill of a 402 as it stands on the wire, however bad: what is wrong with it is for the checks to say.

use crate::http::bounded::Answer;
use serde_json::Value;
use traffic::{Invoice, PayError};
use x402_protocol::header;

pub struct Bill {
    /// `PAYMENT-REQUIRED`: its length, and its JSON or why there is none.
    pub header: Option<(usize, Result<Value, String>)>,
    /// The body, where it is a version 1 bill.
    pub body: Option<Value>,
    /// The first way to pay that the harness can sign, or the reason why there is none.
    pub invoice: Result<Invoice, String>,
}

impl Bill {
    pub fn read(answer: &Answer) -> Self {
        let text = answer.header(header::PAYMENT_REQUIRED);
        let decoded = |text: &str| {
            let json = header::decode(text).map_err(|error| error.to_string())?;
            serde_json::from_str(&json).map_err(|error| format!("not JSON: {error}"))
        };
        let body = answer.json().filter(|body| body["x402Version"] == 1 && body["accepts"].is_array());
        Self {
            header: text.map(|text| (text.len(), decoded(text))),
            body,
            invoice: match text {
                Some(text) => Invoice::read_header(text).map_err(|error| unsigned(&error)),
                None => Err("no bill of version 2".to_owned()),
            },
        }
    }

    /// Tells whether there is a bill of either version, readable or not.
    pub fn is_there(&self) -> bool {
        self.header.is_some() || self.body.is_some()
    }

    /// Version 2's, where it can be read.
    pub fn version_2(&self) -> Option<&Value> {
        self.header.as_ref()?.1.as_ref().ok()
    }
}

/// The ways to pay, in order.
pub fn ways(bill: &Value) -> &[Value] {
    bill["accepts"].as_array().map_or(&[], Vec::as_slice)
}

fn unsigned(why: &PayError) -> String {
    format!("no way to pay that the harness can sign, which is exact in USDC on Base or Base Sepolia: {why}")
}
