//! A 402 as a buyer reads it: what is asked, and whether it can be paid as it stands.

use crate::money::Usdc;
use serde_json::{Value, json};
use x402_protocol::{
    Authorization, Network, Nonce, Offer, Transfer, TransferMethod, Uint256, header, hex, signature::Signer,
    v2::PaymentRequirements,
};

/// The longest that a signed payment is good for. Until then its holder can have the money, whatever was answered.
const MOST_TIMEOUT_S: u64 = 86_400;

/// The first of an offer's ways to pay that this buyer can sign.
#[derive(Clone, Debug)]
pub struct Bill {
    pub offer: Offer,
    pub price: Usdc,
    raw: Value,
    chosen: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    #[error("the 402 has no PAYMENT-REQUIRED header")]
    NoHeader,
    #[error("the offer cannot be read: {0}")]
    Unreadable(String),
    #[error("the offer has no way to pay that is known here: {0}")]
    NothingKnown(String),
}

/// A signed payment, as it is sent and sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Value of `PAYMENT-SIGNATURE`.
    pub header: String,
    /// `network:asset:from:nonce`, by which the platform finds it.
    pub key: String,
    /// Unix seconds after which it cannot move money any more.
    pub valid_before: u64,
}

impl Bill {
    /// Reads the header of a 402. Only USDC on one known network is paid, whatever else is offered.
    pub fn read(header_value: Option<&str>, network: Network) -> Result<Self, BillError> {
        let text = header::decode(header_value.ok_or(BillError::NoHeader)?);
        let text = text.map_err(|error| BillError::Unreadable(error.to_string()))?;
        let raw: Value = serde_json::from_str(&text).map_err(|error| BillError::Unreadable(error.to_string()))?;
        if raw["x402Version"] != json!(2) {
            return Err(BillError::Unreadable("it is not of version 2".to_owned()));
        }
        let mut why = "it lists none".to_owned();
        for (chosen, way) in raw["accepts"].as_array().into_iter().flatten().enumerate() {
            match payable(way, network) {
                Ok((offer, price)) => return Ok(Self { offer, price, raw, chosen }),
                Err(problem) => why = problem,
            }
        }
        Err(BillError::NothingKnown(why))
    }

    /// Signs it, for as long as the offer says.
    pub fn sign(&self, signer: &Signer, nonce: [u8; 32], identifier: &str, unix_now: u64) -> Payment {
        let Self { offer, raw, .. } = self;
        let valid_before = unix_now.saturating_add(offer.max_timeout_seconds);
        let authorization = Authorization {
            from: signer.address(),
            to: offer.pay_to,
            value: offer.amount,
            valid_after: Uint256::ZERO,
            valid_before: Uint256::from(valid_before),
            nonce: Nonce(nonce),
        };
        let transfer = Transfer::Eip3009(authorization.clone());
        let signature = hex::encode(&signer.sign(&transfer.digest(offer)));
        let mut payment = json!({
            "x402Version": 2,
            "resource": raw["resource"],
            "accepted": raw["accepts"][self.chosen],
            "payload": {"signature": signature, "authorization": authorization},
        });
        if let Some(offered) = raw["extensions"].as_object() {
            payment["extensions"] = json!(offered);
            if offered.contains_key("payment-identifier") {
                payment["extensions"]["payment-identifier"]["info"]["id"] = json!(identifier);
            }
        }
        Payment { header: header::encode(&payment), key: transfer.key(offer).to_string(), valid_before }
    }
}

fn payable(way: &Value, network: Network) -> Result<(Offer, Usdc), String> {
    let way: PaymentRequirements = serde_json::from_value(way.clone()).map_err(|error| error.to_string())?;
    let offer = Offer::from_requirements(&way).map_err(|error| error.to_string())?;
    let price = Usdc(offer.amount.saturating_u64());
    match () {
        () if offer.network != network => Err(format!("it is on {}, and not on {network}", offer.network)),
        () if offer.asset != network.usdc().address => Err("it asks for another token than USDC".to_owned()),
        () if offer.transfer_method == Some(TransferMethod::Permit2) => Err("it wants a Permit2 transfer".to_owned()),
        () if offer.max_timeout_seconds > MOST_TIMEOUT_S => {
            Err(format!("what is signed would be good for {} s, and a day is the most", offer.max_timeout_seconds))
        }
        () if price == Usdc(0) || price.0 == u64::MAX => Err("its amount is no price".to_owned()),
        () => Ok((offer, price)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x402_protocol::v2::{PaymentRequired, ResourceInfo};

    fn read(change: impl FnOnce(&mut Value)) -> Result<Bill, BillError> {
        let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".parse().unwrap();
        let required = PaymentRequired {
            x402_version: x402_protocol::Version::V2,
            error: None,
            resource: ResourceInfo { url: "https://shop.example/".to_owned(), ..ResourceInfo::default() },
            accepts: vec![Offer::usdc(Network::BaseSepolia, 10_000.into(), pay_to, 60).to_requirements()],
            extensions: None,
        };
        let mut json = json!(required);
        change(&mut json["accepts"][0]);
        Bill::read(Some(&header::encode(&json)), Network::BaseSepolia)
    }

    #[test]
    fn nothing_is_signed_that_is_good_for_years_or_on_another_network_or_in_another_token() {
        assert!(read(|_| {}).is_ok() && read(|way| way["maxTimeoutSeconds"] = json!(86_400)).is_ok());
        for (key, wrong) in [
            ("maxTimeoutSeconds", json!(86_401)),
            ("maxTimeoutSeconds", json!(u64::MAX)),
            ("network", json!("eip155:8453")),
            ("asset", json!("0x209693Bc6afc0C5328bA36FaF03C514EF312287C")),
            ("amount", json!("0")),
            ("amount", json!("115792089237316195423570985008687907853269984665640564039457584007913129639935")),
        ] {
            assert!(read(|way| way[key] = wrong.clone()).is_err(), "{key} {wrong}");
        }
    }
}
