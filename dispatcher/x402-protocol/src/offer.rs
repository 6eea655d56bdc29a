//! What a tenant asks for one request: the checked form of the specification's `PaymentRequirements` (5.1.2).
//!
//! A server matches a payment against its own offer and sends its own offer to facilitators, never the client's copy.

use crate::{
    Address, Authorization, Network, PaymentFlow, PaymentKey, Scheme, Transfer, TransferMethod, Uint256, Version,
    payment_flow::{PAYMENT_FLOW, UnknownFlow},
    permit2::EXACT_PROXY,
    v2::PaymentRequirements,
};
use serde_json::{Map, Value};

const TRANSFER_METHOD: &str = "assetTransferMethod";

/// One `exact` offer on an EVM network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub network: Network,
    /// Atomic units of the asset.
    pub amount: Uint256,
    pub asset: Address,
    pub pay_to: Address,
    pub max_timeout_seconds: u64,
    pub domain_name: String,
    pub domain_version: String,
    /// `None`: either method.
    pub transfer_method: Option<TransferMethod>,
    pub flow: PaymentFlow,
}

/// Why a payment does not fit the offer. The text goes to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("scheme is not exact")]
    Scheme,
    #[error("the offer cannot be paid in version 1")]
    Version,
    #[error("network differs from the offer")]
    Network,
    #[error("amount differs from the offer")]
    Amount,
    #[error("asset differs from the offer")]
    Asset,
    #[error("payTo differs from the offer")]
    PayTo,
    #[error("maxTimeoutSeconds differs from the offer")]
    MaxTimeout,
    #[error("extra lacks or changes a key of the offer")]
    Extra,
    #[error("extra.paymentFlow differs from the offer")]
    Flow,
    #[error("the transfer is not by the method that the offer asks for")]
    Method,
    #[error("the transfer pays another address than payTo")]
    Recipient,
    #[error("the transfer's amount is not the offer's")]
    Value,
    #[error("the permit is for another token than the asset")]
    Token,
    #[error("the permit's spender is not x402's proxy for exact payments")]
    Spender,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    #[error("scheme {0:?} is not exact")]
    Scheme(String),
    #[error(transparent)]
    Network(#[from] crate::network::UnknownNetwork),
    #[error("amount {0:?} {1}")]
    Amount(String, crate::uint256::DecimalError),
    #[error("{field} {text:?} {error}")]
    Address { field: &'static str, text: String, error: crate::hex::HexError },
    #[error("extra.{0} is missing or not a string")]
    Extra(&'static str),
    #[error("extra.assetTransferMethod is not one of eip3009, permit2")]
    Method,
    #[error(transparent)]
    Flow(#[from] UnknownFlow),
}

impl Offer {
    /// An offer in USDC with the domain that the network's contract has.
    #[must_use]
    pub fn usdc(network: Network, amount: Uint256, pay_to: Address, max_timeout_seconds: u64) -> Self {
        let token = network.usdc();
        Self {
            network,
            amount,
            asset: token.address,
            pay_to,
            max_timeout_seconds,
            domain_name: token.domain_name.to_owned(),
            domain_version: token.domain_version.to_owned(),
            transfer_method: None,
            flow: PaymentFlow::Authorization,
        }
    }

    /// Reads an offer off the wire: what a client or a facilitator does.
    pub fn from_requirements(wire: &PaymentRequirements) -> Result<Self, OfferError> {
        if Scheme::named(&wire.scheme).is_none() {
            return Err(OfferError::Scheme(wire.scheme.clone()));
        }
        let address = |field, text: &str| {
            text.parse().map_err(|error| OfferError::Address { field, text: text.to_owned(), error })
        };
        let extra = |key: &'static str| {
            let value = wire.extra.as_ref().and_then(|extra| extra.get(key)).and_then(Value::as_str);
            value.map(str::to_owned).ok_or(OfferError::Extra(key))
        };
        Ok(Self {
            network: wire.network.parse()?,
            amount: wire.amount.parse().map_err(|error| OfferError::Amount(wire.amount.clone(), error))?,
            asset: address("asset", &wire.asset)?,
            pay_to: address("payTo", &wire.pay_to)?,
            max_timeout_seconds: wire.max_timeout_seconds.max(0.0) as u64,
            domain_name: extra("name")?,
            domain_version: extra("version")?,
            transfer_method: match wire.extra.as_ref().and_then(|extra| extra.get(TRANSFER_METHOD)) {
                None | Some(Value::Null) => None,
                Some(name) => Some(name.as_str().and_then(TransferMethod::from_name).ok_or(OfferError::Method)?),
            },
            flow: PaymentFlow::of_extra(wire.extra.as_ref())?,
        })
    }

    #[must_use]
    pub fn to_requirements(&self) -> PaymentRequirements {
        PaymentRequirements {
            scheme: Scheme::Exact.name().to_owned(),
            network: self.network.to_string(),
            amount: self.amount.to_string(),
            asset: self.asset.to_string(),
            pay_to: self.pay_to.to_string(),
            max_timeout_seconds: self.max_timeout_seconds as f64,
            extra: Some(self.extra()),
        }
    }

    /// Whether `accepted` is this offer, as the reference server compares: all core fields equal, `extra` with at least
    /// the advertised keys. Addresses compare as bytes.
    pub fn matches(&self, accepted: &PaymentRequirements) -> Result<(), Mismatch> {
        let same = |text: &str, address: Address| text.parse() == Ok(address);
        let check = |fits: bool, mismatch| if fits { Ok(()) } else { Err(mismatch) };
        check(accepted.scheme == Scheme::Exact.name(), Mismatch::Scheme)?;
        check(accepted.network == self.network.caip2(), Mismatch::Network)?;
        check(accepted.amount.parse() == Ok(self.amount), Mismatch::Amount)?;
        check(same(&accepted.asset, self.asset), Mismatch::Asset)?;
        check(same(&accepted.pay_to, self.pay_to), Mismatch::PayTo)?;
        check(accepted.max_timeout_seconds == self.max_timeout_seconds as f64, Mismatch::MaxTimeout)?;
        let echoed = accepted.extra.as_ref();
        // Not a key like others, which a client may add: under another flow it agrees to another risk.
        check(PaymentFlow::of_extra(echoed) == Ok(self.flow), Mismatch::Flow)?;
        let kept = self.extra().iter().all(|(key, value)| echoed.and_then(|extra| extra.get(key)) == Some(value));
        check(kept, Mismatch::Extra)
    }

    /// Whether the transfer moves this offer's money: exactly the amount, or in version 1 at least that.
    pub fn is_paid_by(&self, transfer: &Transfer, version: Version) -> Result<(), Mismatch> {
        let check = |fits: bool, mismatch| if fits { Ok(()) } else { Err(mismatch) };
        check(self.transfer_method.is_none_or(|method| method == transfer.method()), Mismatch::Method)?;
        check(transfer.to() == self.pay_to, Mismatch::Recipient)?;
        let enough = match version {
            Version::V1 => transfer.amount() >= self.amount,
            Version::V2 => transfer.amount() == self.amount,
        };
        check(enough, Mismatch::Value)?;
        match transfer {
            Transfer::Eip3009(_) => Ok(()),
            Transfer::Permit2(permit) => {
                check(permit.permitted.token == self.asset, Mismatch::Token)?;
                check(permit.spender == EXACT_PROXY, Mismatch::Spender)
            }
        }
    }

    /// Key of an EIP-3009 payment of this offer.
    #[must_use]
    pub fn payment_key(&self, authorization: &Authorization) -> PaymentKey {
        PaymentKey { network: self.network, asset: self.asset, from: authorization.from, nonce: authorization.nonce }
    }

    pub(crate) fn extra(&self) -> Map<String, Value> {
        let mut extra = Map::new();
        extra.insert("name".to_owned(), self.domain_name.clone().into());
        extra.insert("version".to_owned(), self.domain_version.clone().into());
        if let Some(method) = self.transfer_method {
            extra.insert(TRANSFER_METHOD.to_owned(), method.name().into());
        }
        extra.extend(self.flow.on_the_wire().map(|flow| (PAYMENT_FLOW.to_owned(), flow.into())));
        extra
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> Offer {
        let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".parse().unwrap();
        Offer::usdc(Network::BaseSepolia, Uint256::from(10_000), pay_to, 60)
    }

    #[test]
    fn an_offer_survives_the_wire() {
        assert_eq!(Offer::from_requirements(&offer().to_requirements()), Ok(offer()));
    }

    #[test]
    fn matches_whatever_the_case_of_addresses_and_with_keys_that_the_client_added() {
        let mut echoed = offer().to_requirements();
        echoed.asset = echoed.asset.to_lowercase();
        echoed.pay_to = echoed.pay_to.to_lowercase();
        echoed.extra.as_mut().unwrap().insert("note".to_owned(), "mine".into());
        assert_eq!(offer().matches(&echoed), Ok(()));
    }

    #[test]
    fn a_flow_is_echoed_as_it_was_offered() {
        let upfront = Offer { flow: PaymentFlow::Upfront, ..offer() };
        assert_eq!(Offer::from_requirements(&upfront.to_requirements()), Ok(upfront.clone()));
        assert_eq!(upfront.matches(&offer().to_requirements()), Err(Mismatch::Flow));
        assert_eq!(offer().matches(&upfront.to_requirements()), Err(Mismatch::Flow));
        assert!(!offer().to_requirements().extra.unwrap().contains_key(PAYMENT_FLOW));
    }

    #[test]
    fn names_the_field_that_differs() {
        type Change = fn(&mut PaymentRequirements);
        let cases: [(Mismatch, Change); 8] = [
            (Mismatch::Scheme, |r| r.scheme = "upto".to_owned()),
            (Mismatch::Network, |r| r.network = "eip155:8453".to_owned()),
            (Mismatch::Amount, |r| r.amount = "9999".to_owned()),
            (Mismatch::Asset, |r| r.asset = r.pay_to.clone()),
            (Mismatch::PayTo, |r| r.pay_to = r.asset.clone()),
            (Mismatch::MaxTimeout, |r| r.max_timeout_seconds = 61.0),
            (Mismatch::Extra, |r| r.extra = None),
            (Mismatch::Extra, |r| {
                r.extra.as_mut().unwrap().insert("name".to_owned(), "USD Coin".into());
            }),
        ];
        for (mismatch, change) in cases {
            let mut echoed = offer().to_requirements();
            change(&mut echoed);
            assert_eq!(offer().matches(&echoed), Err(mismatch));
        }
    }
}
