//! A payment that is presented for a request: what everybody who sees to it has to know of it.

use crate::{
    UnixMillis,
    binding::Binding,
    origin::{Fingerprint, Origin},
    trace::{self, Trace},
    window::Window,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use x402_protocol::{Address, Network, Nonce, PaymentFlow, Scheme, Uint256, Version, v2::PaymentIdentifier};

/// A payment presented for one request: all that the ledger needs to verify, settle and reconcile it by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// `network:asset:from:nonce`.
    pub payment: String,
    pub tenant_id: String,
    pub binding: Binding,
    /// The same with the place at which the seller was asked in the seller's: for when nobody is known there any more. `None`: it
    /// was stored before that was.
    pub binding_to_place: Option<Binding>,
    /// The generation of the protocol in which the payment came and facilitators are asked.
    pub version: Version,
    pub flow: PaymentFlow,
    /// The body of `/verify` and of every `/settle`: the payment as we read and wrote it, and our own requirements.
    pub request: Box<RawValue>,
    pub payer: Address,
    pub network: Network,
    pub amount: Uint256,
    /// Ids of the facilitators that may serve it, in the order in which they are tried.
    pub facilitators: Vec<String>,
    pub window: Window,
    pub signature: String,
    /// Whether the signature recovered to the payer, so that we know its key to have signed. `false`: only a facilitator
    /// can tell, or it was stored before that was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proven: bool,
    /// The one who presented it. `None`: the record is older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The request's body and content type. `None`: it was stored before that was, or the seller looks at neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Fingerprint>,
    /// When the last proof of the payer's key was made that was taken for this payment. Each is good for one use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_of_payer: Option<UnixMillis>,
    /// The chain's key of the payment. `None` for a permit, whose nonce is not the token's to tell.
    pub authorized: Option<Authorized>,
    /// With it the response can be collected again after it was handed over, and no other payment is taken under it.
    pub identifier: Option<PaymentIdentifier>,
    /// One that came along although none is taken: for when one was, and the payment was taken with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored_identifier: Option<PaymentIdentifier>,
    /// The trace of the request that claimed it. Every call about the payment is in it, those of its alarms too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// The request that claimed it. `None`: it was stored before that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A payment presented where it can begin nothing: it pays what was asked before, or nothing is sold there any more. What it
/// takes to wait for what it bought, and to be given it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Collection {
    /// `network:asset:from:nonce`.
    pub payment: String,
    pub asked: Asked,
    pub signature: String,
    /// The one who presents it. `None`: a Worker of a former version asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The request's body and content type, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Fingerprint>,
    /// When who presents it proved to hold the payer's key, if it did. A payer that has moved to another address does so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_of_payer: Option<UnixMillis>,
    /// The identifier that it came with, whatever is asked of identifiers now.
    pub carried: Option<PaymentIdentifier>,
}

/// Which request a payment comes with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// A request to a seller.
    Seller(Binding),
    /// A request at a place where no seller is known.
    Place(Binding),
}

/// An EIP-3009 authorization, beside what the claim says of every payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorized {
    pub token: Address,
    pub to: Address,
    pub nonce: Nonce,
}

impl Claim {
    /// The address that is paid, from what facilitators are asked with.
    #[must_use]
    pub fn pay_to(&self) -> Option<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Asked<'a> {
            #[serde(borrow)]
            payment_requirements: Paid<'a>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Paid<'a> {
            #[serde(borrow)]
            pay_to: std::borrow::Cow<'a, str>,
        }
        let asked: Asked<'_> = serde_json::from_str(self.request.get()).ok()?;
        Some(asked.payment_requirements.pay_to.into_owned())
    }

    /// The one scheme of every claim: it has one body for `/verify` and for each `/settle`, and one amount.
    pub const SCHEME: Scheme = Scheme::Exact;

    /// The origin of a call about it, if that is known. `span` is the call's own.
    #[must_use]
    pub fn origin_of(&self, span: Option<&str>) -> Option<trace::Origin> {
        let (trace, span) = (self.trace.as_ref()?, span?);
        Some(trace::Origin { traceparent: trace.header(span), request_id: self.request_id.clone() })
    }

    /// The same payment, which may begin nothing.
    #[must_use]
    pub fn to_collect(&self) -> Collection {
        Collection {
            payment: self.payment.clone(),
            asked: Asked::Seller(self.binding.clone()),
            signature: self.signature.clone(),
            origin: self.origin.clone(),
            content: self.content.clone(),
            proof_of_payer: self.proof_of_payer,
            carried: self.identifier.clone().or_else(|| self.ignored_identifier.clone()),
        }
    }

    /// Whether `came` is the same signed payment for the same request, whoever sends it.
    #[must_use]
    pub fn is_for_the_request_of(&self, came: &Collection) -> bool {
        let same_request = match &came.asked {
            Asked::Seller(binding) => self.binding == *binding,
            Asked::Place(binding) => self.binding_to_place.as_ref() == Some(binding),
        };
        let same_content = match (&self.content, &came.content) {
            (Some(own), Some(other)) => own == other,
            (None, _) | (_, None) => true,
        };
        self.payment == came.payment
            && same_request
            && same_content
            && self.signature.eq_ignore_ascii_case(&came.signature)
    }

    /// Whether `came` is sent by whoever began with this payment.
    ///
    /// Everything in a payment is public once it is on the chain, the signature too. So it is its identifier that tells, which
    /// is not, or where it has none, the address that it came from; and in either case the credentials, since the answer was
    /// made for these. A payment that was stored before origins were is anyone's who has it.
    #[must_use]
    pub fn belongs_to(&self, came: &Collection) -> bool {
        let Some(own) = &self.origin else {
            return self.identifier.is_none() || self.identifier == came.carried;
        };
        let Some(origin) = &came.origin else { return false };
        let same_caller = match &self.identifier {
            Some(identifier) => came.carried.as_ref() == Some(identifier),
            None => own.caller == origin.caller || came.proof_of_payer > self.proof_of_payer,
        };
        same_caller && own.credentials == origin.credentials
    }
}
