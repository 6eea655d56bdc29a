//! Everything but the content: what a caller is told, with which status, and whether a new bill goes with it.
//!
//! The one table that decides between "pay again" and "do not pay again". A denial after money may have moved has no
//! offer and is never a 402.

use crate::{Fingerprint, Reason, UnixMillis, Veto, challenge::Bill};
use serde_json::{Value, json};
use x402_protocol::{
    Address, Mismatch, Network, Version, header, siwx,
    v2::{IdentifierError, SettleResponse},
};

/// Seconds after which a caller should ask again while facilitators are out of reach.
const RETRY_FACILITATORS_S: u64 = 5;
/// Seconds after which an unknown settlement may have become known at the earliest: a Base block, or the first question.
const RETRY_PENDING_S: u64 = 2;
/// Longest that a caller is told to stay away: what is asked about seldom may still be known sooner.
const RETRY_PENDING_MOST_S: u64 = 60;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    PaymentRequired,
    InvalidPayload(String),
    InvalidVersion,
    WrongOffer(Mismatch),
    /// Verifying, or our own look at the payment, says no.
    InvalidPayment(Reason),
    FacilitatorsUnavailable,
    /// The ledger could not be asked about this payment: nothing was done with it now.
    LedgerUnavailable,
    PaymentInProgress,
    /// The seller begins no sale now.
    NotSelling,
    /// The price wants an identifier, and the payment has none.
    IdentifierRequired,
    InvalidIdentifier(IdentifierError),
    /// Another payment has the identifier: this one was not used.
    IdentifierConflict {
        transaction: Option<String>,
        payer: Address,
        network: Network,
    },
    /// The seller's hook called the sale off before money moved.
    Vetoed(Veto),
    /// Used for another request, given away and forgotten, or presented by somebody else than who bought with it. A payer that
    /// has moved proves its key: see [`Denial::sign_in`].
    AlreadyUsed {
        transaction: Option<String>,
        /// `network:asset:from:nonce`.
        payment: String,
        payer: Address,
        network: Network,
    },
    SettlementRefused {
        reason: Reason,
        payer: Address,
        network: Network,
    },
    /// Money may have moved.
    SettlementPending {
        transaction: Option<String>,
        payer: Address,
        network: Network,
        /// When asking again may tell more.
        retry_after_ms: u64,
    },
}

impl Denial {
    /// Returns one of each kind, for a test that holds something of all of them. A new kind must get a place here to compile.
    #[doc(hidden)]
    #[must_use]
    pub fn one_of_each() -> Vec<Self> {
        let (payer, network) = (Address([1; 20]), Network::BaseSepolia);
        let reason = || Reason::from_outside(Some("insufficient_funds"));
        let next = |denial: &Self| {
            Some(match denial {
                Self::PaymentRequired => Self::InvalidPayload("x".into()),
                Self::InvalidPayload(_) => Self::InvalidVersion,
                Self::InvalidVersion => Self::WrongOffer(Mismatch::Amount),
                Self::WrongOffer(_) => Self::InvalidPayment(reason()),
                Self::InvalidPayment(_) => Self::FacilitatorsUnavailable,
                Self::FacilitatorsUnavailable => Self::LedgerUnavailable,
                Self::LedgerUnavailable => Self::PaymentInProgress,
                Self::PaymentInProgress => Self::NotSelling,
                Self::NotSelling => Self::IdentifierRequired,
                Self::IdentifierRequired => Self::InvalidIdentifier(IdentifierError::Grammar),
                Self::InvalidIdentifier(_) => Self::IdentifierConflict { transaction: None, payer, network },
                Self::IdentifierConflict { .. } => Self::Vetoed(Veto { code: reason(), message: "not today".into() }),
                Self::Vetoed(_) => {
                    Self::AlreadyUsed { transaction: Some("0x1".into()), payment: "p".into(), payer, network }
                }
                Self::AlreadyUsed { .. } => Self::SettlementRefused { reason: reason(), payer, network },
                Self::SettlementRefused { .. } => {
                    Self::SettlementPending { transaction: None, payer, network, retry_after_ms: 0 }
                }
                Self::SettlementPending { .. } => return None,
            })
        };
        std::iter::successors(Some(Self::PaymentRequired), next).collect()
    }

    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidPayment(reason) | Self::SettlementRefused { reason, .. } if reason.asks_for_allowance() => 412,
            Self::PaymentRequired | Self::WrongOffer(_) | Self::InvalidPayment(_) | Self::SettlementRefused { .. } => {
                402
            }
            Self::InvalidPayload(_) | Self::InvalidVersion | Self::IdentifierRequired | Self::InvalidIdentifier(_) => {
                400
            }
            Self::Vetoed(_) => 403,
            Self::AlreadyUsed { .. } | Self::IdentifierConflict { .. } => 409,
            Self::FacilitatorsUnavailable
            | Self::LedgerUnavailable
            | Self::PaymentInProgress
            | Self::NotSelling
            | Self::SettlementPending { .. } => 503,
        }
    }

    /// `error.code` of the body.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::PaymentRequired => "payment_required",
            Self::InvalidPayload(_) => "invalid_payload",
            Self::InvalidVersion => "invalid_x402_version",
            Self::WrongOffer(_) => "invalid_payment_requirements",
            Self::InvalidPayment(reason) | Self::SettlementRefused { reason, .. } => reason.as_str(),
            Self::FacilitatorsUnavailable => "facilitators_unavailable",
            Self::LedgerUnavailable => "settlement_ledger_unavailable",
            Self::PaymentInProgress => "payment_in_progress",
            Self::NotSelling => "not_selling",
            Self::IdentifierRequired => "payment_identifier_required",
            Self::InvalidIdentifier(_) => "invalid_payment_identifier",
            Self::IdentifierConflict { .. } => "payment_identifier_conflict",
            Self::Vetoed(veto) => veto.code.as_str(),
            Self::AlreadyUsed { .. } => "payment_already_used",
            Self::SettlementPending { .. } => "settlement_pending",
        }
    }

    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::PaymentRequired => {
                "send a signed payment in PAYMENT-SIGNATURE; the offer is in PAYMENT-REQUIRED".into()
            }
            Self::InvalidPayload(what) => format!("the payment cannot be read: {what}"),
            Self::InvalidVersion => {
                "the payment's x402Version must be 2 in PAYMENT-SIGNATURE, and 1 in X-PAYMENT".into()
            }
            Self::WrongOffer(mismatch) => format!("the payment is for another offer: {mismatch}"),
            Self::InvalidPayment(reason) | Self::SettlementRefused { reason, .. } if reason.asks_for_allowance() => {
                "approve the Permit2 contract for the asset first; you were not charged".into()
            }
            Self::InvalidPayment(_) => "the payment does not hold; you were not charged".into(),
            Self::FacilitatorsUnavailable => "no facilitator can verify right now; you were not charged".into(),
            Self::LedgerUnavailable => {
                "the settlement ledger cannot be reached right now; send the same payment again later".into()
            }
            Self::PaymentInProgress => "this payment is being used by another request; send it again later".into(),
            Self::NotSelling => "nothing is sold here right now; you were not charged".into(),
            Self::Vetoed(veto) => veto.message.clone(),
            Self::IdentifierRequired => "send a payment-identifier with the payment; you were not charged".into(),
            Self::InvalidIdentifier(what) => format!("{what}; you were not charged"),
            Self::IdentifierConflict { transaction: Some(transaction), .. } => format!(
                "another payment was settled under this payment-identifier, in transaction {transaction}; this one was \
                 not used: send that one again to collect"
            ),
            Self::IdentifierConflict { transaction: None, .. } => {
                "another payment is in use under this payment-identifier; this one was not used: send that one again"
                    .into()
            }
            Self::AlreadyUsed { transaction: Some(transaction), .. } => {
                format!("this payment was used already, in transaction {transaction}")
            }
            Self::AlreadyUsed { transaction: None, .. } => "this payment is in use for another request".into(),
            Self::SettlementRefused { .. } => "the payment could not be settled; you were not charged".into(),
            Self::SettlementPending { .. } => {
                "the settlement's outcome is not known yet; do not pay again: send the same payment again to collect"
                    .into()
            }
        }
    }

    /// Whether the caller is billed: told what to pay, and how.
    #[must_use]
    pub fn carries_offer(&self) -> bool {
        match self {
            Self::PaymentRequired | Self::WrongOffer(_) | Self::InvalidPayment(_) => true,
            Self::SettlementRefused { reason, .. } => reason.asks_for_allowance(),
            _ => false,
        }
    }

    /// The message that a payer at another address signs to collect its purchase, as the extension
    /// `sign-in-with-x` has it. `url` is the resource's, as the caller addressed it.
    #[must_use]
    pub fn sign_in(&self, url: &str, request_id: &str, now: UnixMillis) -> Option<Value> {
        let Self::AlreadyUsed { payment, network, .. } = self else { return None };
        let nonce = Fingerprint::of([payment, request_id]);
        let resource = siwx::payment_resource(payment);
        siwx::challenge(url, &nonce.as_str()[2..34], now.0, network.chain_id(), &resource)
    }

    /// JSON, and never another party's text. A 402 with an offer is the offer in version 1; everything else is
    /// `{"error": {"code", "message", "request_id"}}`. No bill: nothing is sold.
    #[must_use]
    pub fn body(&self, bill: Option<&Bill<'_>>, request_id: &str, sign_in: Option<Value>) -> String {
        if let Some(bill) = bill
            && self.status() == 402
            && self.carries_offer()
        {
            return bill.v1_body(self.code(), &self.message(), request_id);
        }
        let mut body = json!({"error": {"code": self.code(), "message": self.message(), "request_id": request_id}});
        if let Some(sign_in) = sign_in {
            body["extensions"] = json!({ siwx::EXTENSION: sign_in });
        }
        body.to_string()
    }

    /// Headers beside the body: the offer, the settlement, when to come back. `version` is the generation in which the
    /// caller paid: it is answered in the same.
    #[must_use]
    pub fn headers(&self, bill: Option<&Bill<'_>>, version: Version) -> Vec<(&'static str, String)> {
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        if let Some(bill) = bill.filter(|_| self.carries_offer()) {
            let error =
                if *self == Self::PaymentRequired { "PAYMENT-SIGNATURE header is required" } else { self.code() };
            headers.push((header::PAYMENT_REQUIRED, bill.header(error)));
        }
        let settle_response = |reason: &str, payer: &Address, network: &Network, transaction: &Option<String>| {
            let response = SettleResponse {
                success: false,
                error_reason: Some(reason.to_owned()),
                payer: Some(payer.to_string()),
                transaction: transaction.clone().unwrap_or_default(),
                network: network.name_in(version).to_owned(),
                amount: None,
            };
            (version.response_header(), header::encode(&response))
        };
        let retry_after = |seconds: u64| ("retry-after", seconds.to_string());
        match self {
            Self::SettlementRefused { reason, payer, network } => {
                headers.push(settle_response(reason.as_str(), payer, network, &None));
            }
            Self::SettlementPending { transaction, payer, network, retry_after_ms } => {
                headers.push(settle_response(self.code(), payer, network, transaction));
                let likely = retry_after_ms.div_ceil(1_000).clamp(RETRY_PENDING_S, RETRY_PENDING_MOST_S);
                headers.push(retry_after(likely));
            }
            Self::AlreadyUsed { transaction, payer, network, .. }
            | Self::IdentifierConflict { transaction, payer, network } => {
                headers.push(settle_response(self.code(), payer, network, transaction));
            }
            Self::FacilitatorsUnavailable | Self::LedgerUnavailable | Self::NotSelling => {
                headers.push(retry_after(RETRY_FACILITATORS_S))
            }
            Self::PaymentInProgress => headers.push(retry_after(RETRY_PENDING_S)),
            Self::PaymentRequired
            | Self::WrongOffer(_)
            | Self::InvalidPayment(_)
            | Self::InvalidPayload(_)
            | Self::InvalidVersion
            | Self::IdentifierRequired
            | Self::InvalidIdentifier(_)
            | Self::Vetoed(_) => {}
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Price;
    use x402_protocol::{
        Offer,
        v2::{IdentifierRule, ResourceInfo},
    };

    fn every_denial() -> Vec<Denial> {
        let allowance = Denial::InvalidPayment(Reason::from_outside(Some("PERMIT2_ALLOWANCE_REQUIRED")));
        [Denial::one_of_each(), vec![allowance]].concat()
    }

    #[test]
    fn no_503_and_no_409_carries_a_bill_and_every_503_says_when_to_come_back() {
        let price = price();
        for denial in every_denial() {
            let headers = denial.headers(Some(&bill(&price)), Version::V2);
            let has = |name| headers.iter().any(|(header, _)| *header == name);
            assert_eq!(has("retry-after"), denial.status() == 503, "{denial:?}");
            assert!(matches!(denial.status(), 402 | 412) || !has(header::PAYMENT_REQUIRED), "{denial:?}");
            assert!(has("cache-control"));
        }
    }

    #[test]
    fn a_pending_settlement_says_so_in_payment_response() {
        let (payer, network) = (Address([1; 20]), Network::BaseSepolia);
        let denial = Denial::SettlementPending { transaction: None, payer, network, retry_after_ms: 0 };
        let headers = denial.headers(Some(&bill(&price())), Version::V2);
        let (_, value) = headers.iter().find(|(name, _)| *name == header::PAYMENT_RESPONSE).unwrap();
        let response: SettleResponse = serde_json::from_str(&header::decode(value).unwrap()).unwrap();
        assert_eq!((response.success, response.error_reason.as_deref()), (false, Some("settlement_pending")));
    }

    fn price() -> Price {
        let offer = Offer::usdc(Network::BaseSepolia, 1.into(), Address([2; 20]), 60);
        Price::new(offer, IdentifierRule::Off, ResourceInfo::default())
    }

    fn bill(price: &Price) -> Bill<'_> {
        Bill { price, url: "https://acme.example/" }
    }

    #[test]
    fn a_bill_is_made_out_in_both_versions_and_every_other_error_has_one_shape() {
        let price = price();
        let bill = bill(&price);
        for denial in every_denial() {
            let body: Value = serde_json::from_str(&denial.body(Some(&bill), "r1", None)).unwrap();
            if denial.status() == 402 && denial.carries_offer() {
                assert_eq!((&body["x402Version"], &body["error"]), (&json!(1), &json!(denial.code())), "{denial:?}");
                assert_eq!(body["accepts"][0]["network"], "base-sepolia", "{denial:?}");
                assert_eq!((&body["code"], &body["request_id"]), (&json!(denial.code()), &json!("r1")));
            } else {
                assert_eq!(body["error"]["code"], denial.code(), "{denial:?}");
                assert_eq!(body["error"]["request_id"], "r1", "{denial:?}");
            }
        }
    }

    #[test]
    fn only_a_missing_allowance_is_a_412_and_it_carries_the_offer() {
        let price = price();
        let bill = bill(&price);
        let (payer, network) = (Address([1; 20]), Network::BaseSepolia);
        let reason = Reason::from_outside(Some("PERMIT2_ALLOWANCE_REQUIRED"));
        for denial in [
            Denial::InvalidPayment(reason.clone()),
            Denial::SettlementRefused { reason: reason.clone(), payer, network },
        ] {
            assert_eq!((denial.status(), denial.code()), (412, "permit2_allowance_required"));
            assert!(denial.headers(Some(&bill), Version::V2).iter().any(|(name, _)| *name == header::PAYMENT_REQUIRED));
        }
        assert!(every_denial().iter().filter(|denial| denial.status() == 412).count() == 1);
    }

    #[test]
    fn who_paid_in_version_1_is_answered_in_version_1() {
        let price = price();
        let bill = bill(&price);
        let (payer, network) = (Address([1; 20]), Network::BaseSepolia);
        let denial = Denial::SettlementPending { transaction: None, payer, network, retry_after_ms: 0 };
        let headers = denial.headers(Some(&bill), Version::V1);
        assert!(headers.iter().all(|(name, _)| *name != header::PAYMENT_RESPONSE));
        let (_, value) = headers.iter().find(|(name, _)| *name == header::X_PAYMENT_RESPONSE).unwrap();
        assert!(header::decode(value).unwrap().contains(r#""network":"base-sepolia""#));
    }
}
