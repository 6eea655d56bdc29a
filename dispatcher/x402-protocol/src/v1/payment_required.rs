//! `PaymentRequired`: the body of a 402 in version 1. Strict clients parse it with a schema: `description` and `mimeType`
//! must be there, `outputSchema` must not be null (so it is left out), and `error` is a string.

use crate::{
    Network, Offer, Scheme, TransferMethod, Version,
    v2::{self, ResourceInfo},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequired {
    pub x402_version: Version,
    pub error: String,
    pub accepts: Vec<PaymentRequirements>,
}

/// One way to pay, with the resource inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequirements {
    pub scheme: String,
    /// Version 1's name.
    pub network: String,
    /// Atomic units, decimal.
    pub max_amount_required: String,
    pub resource: String,
    pub description: String,
    pub mime_type: String,
    pub pay_to: String,
    pub max_timeout_seconds: u64,
    pub asset: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
}

impl PaymentRequirements {
    /// `None`: version 1 cannot say this offer, because it knows no transfer but EIP-3009.
    #[must_use]
    pub fn of(offer: &Offer, resource: &ResourceInfo) -> Option<Self> {
        if offer.transfer_method == Some(TransferMethod::Permit2) {
            return None;
        }
        Some(Self {
            scheme: Scheme::Exact.name().to_owned(),
            network: offer.network.name_in(Version::V1).to_owned(),
            max_amount_required: offer.amount.to_string(),
            resource: resource.url.clone(),
            description: resource.description.clone().unwrap_or_default(),
            mime_type: resource.mime_type.clone().unwrap_or_default(),
            pay_to: offer.pay_to.to_string(),
            max_timeout_seconds: offer.max_timeout_seconds,
            asset: offer.asset.to_string(),
            extra: Some(offer.extra()),
        })
    }

    /// The same offer in version 2's words, as far as version 2 has a word for its network.
    #[must_use]
    pub fn to_v2(&self) -> v2::PaymentRequirements {
        let network = Network::ALL.into_iter().find(|network| network.name_in(Version::V1) == self.network);
        v2::PaymentRequirements {
            scheme: self.scheme.clone(),
            network: network.map_or_else(|| self.network.clone(), |network| network.to_string()),
            amount: self.max_amount_required.clone(),
            asset: self.asset.clone(),
            pay_to: self.pay_to.clone(),
            max_timeout_seconds: self.max_timeout_seconds as f64,
            extra: self.extra.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    #[test]
    fn an_offer_has_all_that_a_strict_client_wants() {
        let offer = Offer::usdc(Network::BaseSepolia, 10_000.into(), Address([2; 20]), 60);
        let resource = ResourceInfo { url: "https://acme.example/quote".to_owned(), ..ResourceInfo::default() };
        let wire = serde_json::to_value(PaymentRequirements::of(&offer, &resource)).unwrap();
        assert_eq!(
            wire,
            serde_json::json!({
                "scheme": "exact", "network": "base-sepolia", "maxAmountRequired": "10000",
                "resource": "https://acme.example/quote", "description": "", "mimeType": "",
                "payTo": Address([2; 20]), "maxTimeoutSeconds": 60,
                "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "extra": {"name": "USDC", "version": "2"},
            })
        );
    }

    #[test]
    fn an_offer_is_the_same_in_both_versions() {
        let offer = Offer::usdc(Network::Base, 10_000.into(), Address([2; 20]), 60);
        let said = PaymentRequirements::of(&offer, &ResourceInfo::default()).unwrap();
        assert_eq!(Offer::from_requirements(&said.to_v2()), Ok(offer));
    }

    #[test]
    fn an_offer_for_permits_alone_cannot_be_said() {
        let offer = Offer::usdc(Network::BaseSepolia, 10_000.into(), Address([2; 20]), 60);
        let offer = Offer { transfer_method: Some(TransferMethod::Permit2), ..offer };
        assert_eq!(PaymentRequirements::of(&offer, &ResourceInfo::default()), None);
    }
}
