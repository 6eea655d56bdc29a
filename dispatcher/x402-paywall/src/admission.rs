//! The judgement of a payment without asking anyone: shape, offer, time, and whether its payer's key signed it. It refuses
//! cheaply, and no more: passing here is never a reason to serve.
//!
//! Surprising constraint: a signature that does not recover to its payer is no reason to refuse. A smart account signs with
//! its owner's key, in 65 bytes or more, and only a chain can check that. Such a payment is *unproven*.

use crate::{Denial, Reason, UnixMillis, challenge::Bill, purchase::Presented, window::Window};
use serde_json::{Map, Value, value::RawValue};
use x402_protocol::{
    ExactEvmPayload, Mismatch, Network, Offer, PayloadError, Proof, Version, v1, v1_request,
    v2::{self, IdentifierError, IdentifierRule, PaymentIdentifier},
    v2_request,
};

/// A payment that is plausible, of either generation.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub version: Version,
    pub exact: ExactEvmPayload,
    /// Whose token and chain it is signed for.
    pub offer: Offer,
    /// Whether its payer's key is known to have signed it.
    pub proof: Proof,
    /// The identifier that it came with, whatever is asked of identifiers.
    pub carried: Option<PaymentIdentifier>,
    pub worth: Worth,
}

/// The result of admission.
#[derive(Clone, Debug)]
pub enum Worth {
    /// It pays what is asked.
    Sale(Terms),
    /// It does not, which is what is told of it. It may have paid what was asked before: it buys nothing more, but whoever was
    /// charged by it may still collect.
    Collection(Denial),
}

/// The price and the question about it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The body of each facilitator call: the payment as we read and wrote it, beside our own requirements.
    pub request: Box<RawValue>,
    pub identifier: Option<PaymentIdentifier>,
}

/// A payment as it was sent.
enum Sent {
    V1(v1::PaymentPayload),
    V2(v2::PaymentPayload),
}

/// Decodes the payment header and holds it against the bill, the cheapest question first. No bill: nothing is sold.
pub fn admit(presented: &Presented<'_>, bill: Option<&Bill<'_>>, now: UnixMillis) -> Result<Admitted, Denial> {
    let sent = Sent::read(presented)?;
    let worth = match bill {
        Some(bill) => sent.held_against(bill),
        None => Err(Denial::NotSelling),
    };
    let transfer = &sent.exact().transfer;
    let window = Window::of(transfer);
    // It is long over, or was never on a chain of ours: nobody need be asked whether it was ever used.
    let never_used = match (window.forgotten(now), sent.signed_for(bill.map(Bill::offer))) {
        (None, Some(offer)) => Ok(offer),
        (Some(reason), _) => Err(Some(reason)),
        (None, None) => Err(None),
    };
    let (worth, offer) = match (worth, never_used) {
        (worth, Ok(offer)) => (worth, offer),
        (Err(denial), Err(_)) => return Err(denial),
        (Ok(_), Err(Some(reason))) => return Err(Denial::InvalidPayment(reason)),
        (Ok(_), Err(None)) => panic!("what is for our offer is on its network"),
    };
    let worth = worth.and_then(|request| match window.too_long(offer.max_timeout_seconds, now) {
        Some(reason) => Err(Denial::InvalidPayment(reason)),
        None => Ok(request),
    });
    let proof = sent.exact().signature.proof(transfer.from(), &transfer.digest(&offer));
    let identifier = sent.identifier();
    let worth = worth.and_then(|request| {
        let rule = bill.map_or(IdentifierRule::Off, |bill| bill.price.identifier());
        Ok(Terms { request, identifier: asked_for(&identifier, rule)? })
    });
    let carried = identifier.ok().flatten();
    let worth = worth.map_or_else(Worth::Collection, Worth::Sale);
    Ok(Admitted { version: presented.version, exact: sent.into_exact(), offer, proof, carried, worth })
}

impl Sent {
    fn read(presented: &Presented<'_>) -> Result<Self, Denial> {
        match presented.version {
            Version::V1 => v1::PaymentPayload::from_header(presented.header).map(Self::V1),
            Version::V2 => v2::PaymentPayload::from_header(presented.header).map(Self::V2),
        }
        .map_err(unreadable)
    }

    fn exact(&self) -> &ExactEvmPayload {
        match self {
            Self::V1(payment) => &payment.exact,
            Self::V2(payment) => &payment.exact,
        }
    }

    fn into_exact(self) -> ExactEvmPayload {
        match self {
            Self::V1(payment) => payment.exact,
            Self::V2(payment) => payment.exact,
        }
    }

    /// Version 1 has no extensions.
    fn extensions(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::V1(_) => None,
            Self::V2(payment) => payment.extensions.as_ref(),
        }
    }

    fn identifier(&self) -> Result<Option<PaymentIdentifier>, IdentifierError> {
        PaymentIdentifier::among(self.extensions())
    }

    /// Returns the request for facilitators, where the payment is what was asked.
    fn held_against(&self, bill: &Bill<'_>) -> Result<Box<RawValue>, Denial> {
        let offer = bill.offer();
        let declared = bill.extensions();
        let (version, matched, request) = match self {
            Self::V1(payment) => {
                let requirements = bill.v1_requirements().ok_or(Denial::WrongOffer(Mismatch::Version))?;
                (Version::V1, offer.matches_v1(payment), v1_request(payment, &requirements))
            }
            Self::V2(payment) => {
                let request = v2_request(payment, offer, &bill.resource(), declared.as_ref());
                (Version::V2, offer.matches(&payment.accepted), request)
            }
        };
        let misfit = matched.and_then(|()| offer.is_paid_by(&self.exact().transfer, version)).err();
        match misfit {
            Some(mismatch) => Err(Denial::WrongOffer(mismatch)),
            None => check_echo(declared.as_ref(), self.extensions()).map(|()| request),
        }
    }

    /// An offer of the token that it says it pays with: ours, or what we sell for there. `None`: we never sold on its network.
    fn signed_for(&self, ours: Option<&Offer>) -> Option<Offer> {
        let (version, name) = match self {
            Self::V1(payment) => (Version::V1, &payment.network),
            Self::V2(payment) => (Version::V2, &payment.accepted.network),
        };
        let network = Network::ALL.into_iter().find(|network| network.name_in(version) == name)?;
        let transfer = &self.exact().transfer;
        let sold_for = || Offer::usdc(network, transfer.amount(), transfer.to(), 0);
        Some(ours.filter(|offer| offer.network == network).map_or_else(sold_for, Offer::clone))
    }
}

fn unreadable(error: PayloadError) -> Denial {
    match error {
        PayloadError::Version => Denial::InvalidVersion,
        other => Denial::InvalidPayload(other.to_string()),
    }
}

/// Whether the client left what we declared as it was. It may send less, as a client does that knows no extensions, and
/// may add to each `info`; what it changed, it may have changed for us or for the facilitator to misread.
fn check_echo(declared: Option<&Map<String, Value>>, echoed: Option<&Map<String, Value>>) -> Result<(), Denial> {
    let (Some(declared), Some(echoed)) = (declared, echoed) else { return Ok(()) };
    let keeps = |(name, extension): (&String, &Value)| {
        let Some(theirs) = echoed.get(name).map(|extension| extension.get("info")) else { return true };
        let mut ours = extension.get("info").and_then(Value::as_object).into_iter().flatten();
        ours.all(|(field, value)| theirs.and_then(|info| info.get(field)) == Some(value))
    };
    if declared.iter().all(keeps) { Ok(()) } else { Err(Denial::InvalidPayment(Reason::ours(ECHO_MISMATCH))) }
}

/// The reason in the reference server's words.
const ECHO_MISMATCH: &str = "extension_echo_mismatch";

/// The payment's identifier, as far as the price's rule wants one.
fn asked_for(
    came: &Result<Option<PaymentIdentifier>, IdentifierError>,
    rule: IdentifierRule,
) -> Result<Option<PaymentIdentifier>, Denial> {
    match (rule, came) {
        (IdentifierRule::Off, _) => Ok(None),
        (IdentifierRule::Required, Ok(None)) => Err(Denial::IdentifierRequired),
        (_, came) => came.clone().map_err(Denial::InvalidIdentifier),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Price;
    use proptest::prelude::*;
    use serde_json::json;
    use x402_protocol::{Offer, header, v2::ResourceInfo};

    const EIP3009: &str = include_str!("../../x402-protocol/testdata/eip3009-vector.json");
    const PERMIT2: &str = include_str!("../../x402-protocol/testdata/permit2-vector.json");
    /// Within the window of the one, and of the other.
    const NOW: UnixMillis = UnixMillis(1_795_227_000_000);
    const NOW_OF_PERMIT: UnixMillis = UnixMillis(1_795_244_000_000);

    fn vector(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    /// The vector's authorization as a version 1 client sends it.
    fn in_version_1() -> Value {
        json!({"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": vector(EIP3009)["payload"]})
    }

    fn admitted(rule: IdentifierRule, version: Version, payment: &Value) -> Result<Admitted, Denial> {
        let offer = Offer::from_requirements(&v2::PaymentPayload::parse(EIP3009).unwrap().accepted).unwrap();
        let price = Price::new(offer, rule, ResourceInfo::default());
        let bill = Bill { price: &price, url: "https://acme.example/" };
        let header = header::encode(payment);
        let now = if payment["payload"]["permit2Authorization"].is_null() { NOW } else { NOW_OF_PERMIT };
        admit(&Presented { version, header: &header }, Some(&bill), now)
    }

    /// Admits a payment of a caller who was never charged by it.
    fn admit_under(rule: IdentifierRule, version: Version, payment: &Value) -> Result<(Admitted, Terms), Denial> {
        let admitted = admitted(rule, version, payment)?;
        match admitted.worth.clone() {
            Worth::Sale(terms) => Ok((admitted, terms)),
            Worth::Collection(denial) => Err(denial),
        }
    }

    fn admit_v2(payment: &Value) -> Result<(Admitted, Terms), Denial> {
        admit_under(IdentifierRule::Optional, Version::V2, payment)
    }

    fn changed(text: &str, pointer: &str, value: Value) -> Result<(Admitted, Terms), Denial> {
        let mut payment = vector(text);
        *payment.pointer_mut(pointer).unwrap() = value;
        admit_v2(&payment)
    }

    /// The reason of a refusal with a bill.
    fn code(refused: Result<(Admitted, Terms), Denial>) -> String {
        let denial = refused.unwrap_err();
        assert!(denial.carries_offer(), "{denial:?}");
        denial.code().to_owned()
    }

    #[test]
    fn what_official_clients_send_passes_and_goes_on_in_our_own_words() {
        for text in [EIP3009, PERMIT2] {
            let (admitted, terms) = admit_v2(&vector(text)).unwrap();
            assert_eq!(admitted.proof, Proof::Recovered);
            let request: Value = serde_json::from_str(terms.request.get()).unwrap();
            let ours = vector(EIP3009)["accepted"].clone();
            let mut payment = vector(text);
            payment["accepted"] = ours.clone();
            payment["resource"] = json!({"url": "https://acme.example/"});
            assert_eq!((&request["x402Version"], &request["paymentPayload"]), (&json!(2), &payment));
            assert_eq!(request["paymentRequirements"], ours);
        }
    }

    /// The question is stored with the payment, and sent byte for byte at every attempt.
    #[test]
    fn the_question_about_a_payment_does_not_hang_on_how_it_was_spelt() {
        let (_, plain) = admit_v2(&vector(EIP3009)).unwrap();
        let mut respelt = vector(EIP3009);
        let from = respelt["payload"]["authorization"]["from"].as_str().unwrap().to_lowercase();
        respelt["payload"]["authorization"]["from"] = json!(from);
        respelt["accepted"]["extra"]["note"] = json!("mine");
        respelt["resource"] = json!({"url": "https://elsewhere.example/"});
        respelt["extensions"] = json!({"bazaar": {"info": {"resource": "https://elsewhere.example/"}}});
        let (_, other) = admit_v2(&respelt).unwrap();
        assert_eq!(plain.request.get(), other.request.get());
    }

    #[test]
    fn a_version_1_payment_goes_on_in_version_1() {
        let (_, terms) = admit_under(IdentifierRule::Optional, Version::V1, &in_version_1()).unwrap();
        let request: Value = serde_json::from_str(terms.request.get()).unwrap();
        assert_eq!((&request["x402Version"], &request["paymentPayload"]), (&json!(1), &in_version_1()));
        assert_eq!(request["paymentRequirements"]["maxAmountRequired"], "10000");
        assert_eq!(request["paymentRequirements"]["network"], "base-sepolia");
    }

    #[test]
    fn a_payment_in_the_other_versions_header_is_refused() {
        for (version, payment) in [(Version::V1, vector(EIP3009)), (Version::V2, in_version_1())] {
            let refused = admit_under(IdentifierRule::Optional, version, &payment);
            assert!(matches!(refused, Err(Denial::InvalidVersion)), "{refused:?}");
        }
        let refused = admit_under(IdentifierRule::Required, Version::V1, &in_version_1());
        assert!(matches!(refused, Err(Denial::WrongOffer(Mismatch::Version))));
    }

    #[test]
    fn each_tampering_is_refused_for_what_it_is() {
        let other = json!("0x857b06519E91e3A54538791bDbb0E22373e36b66");
        let authorization = |field: &str, value| changed(EIP3009, &format!("/payload/authorization/{field}"), value);
        let permit = |field: &str, value| changed(PERMIT2, &format!("/payload/permit2Authorization/{field}"), value);
        for wrong_offer in [
            authorization("value", json!("9999")),
            authorization("to", other.clone()),
            changed(EIP3009, "/accepted/amount", json!("9999")),
            changed(EIP3009, "/accepted/network", json!("eip155:8453")),
            permit("permitted/amount", json!("9999")),
            permit("permitted/token", other.clone()),
            permit("spender", other.clone()),
            permit("witness/to", other.clone()),
        ] {
            assert_eq!(code(wrong_offer), "invalid_payment_requirements");
        }
        let signature = |hex: String| changed(EIP3009, "/payload/signature", json!(hex));
        for unproven in [
            authorization("validBefore", json!("1795227583")),
            authorization("from", other.clone()),
            permit("nonce", json!("1")),
            permit("deadline", json!("1795244498")),
            permit("from", other),
            signature(format!("0x{}1b", "11".repeat(64))),
            signature(format!("0x{}63", "ff".repeat(64))),
            signature(format!("0x{}", "00".repeat(65))),
            signature(format!("0x{}", "11".repeat(200))),
        ] {
            assert_eq!(unproven.unwrap().0.proof, Proof::Unproven);
        }
        // Too early or not, the ledger is asked: the clock may have been set back since it bought something.
        for early in
            [authorization("validAfter", json!("1795227000")), permit("witness/validAfter", json!("1795244000"))]
        {
            assert!(early.is_ok());
        }
        let in_a_year = json!("1826763000");
        assert_eq!(
            code(authorization("validBefore", in_a_year.clone())),
            "invalid_exact_evm_payload_authorization_valid_before"
        );
        assert_eq!(code(permit("deadline", in_a_year)), "permit2_deadline_too_far");
    }

    #[test]
    fn what_is_no_payment_is_a_400_that_says_so() {
        let erc7710 = json!({"delegationManager": "0x1", "permissionContext": "0x", "delegator": "0x2"});
        for unreadable in [
            changed(EIP3009, "/payload", erc7710),
            changed(EIP3009, "/payload", json!("garbage")),
            changed(EIP3009, "/payload/signature", json!("0x")),
            changed(EIP3009, "/payload/authorization/value", json!(10_000)),
            changed(EIP3009, "/payload/authorization/nonce", json!("0x01")),
            changed(EIP3009, "/payload/signature", json!(format!("0X{}", "11".repeat(65)))),
            changed(EIP3009, "/payload/signature", json!(format!("0x{}{}", "11".repeat(66), "6492".repeat(16)))),
            admit_v2(&json!({"x402Version": 2})),
        ] {
            let denial = unreadable.unwrap_err();
            assert_eq!((denial.status(), denial.code()), (400, "invalid_payload"), "{denial:?}");
        }
    }

    #[test]
    fn an_echo_may_add_but_not_change_and_strangers_are_let_through() {
        let echo = |extensions: Value| {
            let mut payment = vector(EIP3009);
            payment["extensions"] = extensions;
            admit_v2(&payment)
        };
        let id = "pay_0123456789abcdef";
        assert!(echo(json!({})).is_ok() && echo(Value::Null).is_ok());
        assert!(echo(json!({"payment-identifier": {"info": {"required": false, "id": id}}})).is_ok());
        assert!(echo(json!({"bazaar": {"info": {"input": 1}}})).is_ok());
        for info in [json!({"required": true, "id": id}), json!({"id": id}), Value::Null] {
            assert_eq!(code(echo(json!({"payment-identifier": {"info": info}}))), "extension_echo_mismatch");
        }
    }

    #[test]
    fn an_identifier_is_asked_for_checked_or_ignored_as_the_price_says() {
        use IdentifierRule::{Off, Optional, Required};
        let with = |rule: IdentifierRule, id: Option<&str>| {
            let mut payment = vector(EIP3009);
            if let Some(id) = id {
                let info = json!({"required": rule == Required, "id": id});
                payment["extensions"] = json!({"payment-identifier": {"info": info}});
            }
            admit_under(rule, Version::V2, &payment).map(|(_, terms)| terms.identifier)
        };
        let (bad, good) = (Some("short"), Some("pay_0123456789abcdef"));
        assert!(matches!(with(Required, None), Err(Denial::IdentifierRequired)));
        assert!(matches!(with(Optional, None), Ok(None)));
        assert!(matches!(with(Optional, bad), Err(Denial::InvalidIdentifier(_))));
        assert!(matches!(with(Off, bad), Ok(None)));
        for rule in [Required, Optional] {
            assert!(matches!(with(rule, good), Ok(Some(id)) if id.as_str() == "pay_0123456789abcdef"));
        }
    }

    /// Whatever was asked of its payer may be asked no more: who may have been charged is not billed again for that.
    #[test]
    fn what_was_fit_for_another_offer_can_be_collected() {
        let former = |rule, version, payment: &Value| match admitted(rule, version, payment) {
            Ok(Admitted { worth: Worth::Collection(denial), offer, .. }) => (denial.code().to_owned(), offer.network),
            other => panic!("{other:?}"),
        };
        let with_id = |info: Value| {
            let mut payment = vector(EIP3009);
            payment["extensions"] = json!({"payment-identifier": {"info": info}});
            payment
        };
        let (ours, id) = (Network::BaseSepolia, "pay_0123456789abcdef");
        for (rule, version, payment, code) in [
            (IdentifierRule::Required, Version::V1, in_version_1(), "invalid_payment_requirements"),
            (IdentifierRule::Required, Version::V2, vector(EIP3009), "payment_identifier_required"),
            (
                IdentifierRule::Required,
                Version::V2,
                with_id(json!({"required": false, "id": id})),
                "extension_echo_mismatch",
            ),
            (
                IdentifierRule::Optional,
                Version::V2,
                with_id(json!({"required": false, "id": "short"})),
                "invalid_payment_identifier",
            ),
        ] {
            assert_eq!(former(rule, version, &payment), (code.to_owned(), ours));
        }
        // Sold before windows had a longest length, and asked about since.
        let mut long = vector(EIP3009);
        long["payload"]["authorization"]["validBefore"] = json!("9999999999");
        let (code, _) = former(IdentifierRule::Optional, Version::V2, &long);
        assert_eq!(code, "invalid_exact_evm_payload_authorization_valid_before");
        long["payload"]["authorization"]["validAfter"] = json!("9999999998");
        assert!(admitted(IdentifierRule::Optional, Version::V2, &long).is_err());
    }

    #[test]
    fn where_nothing_is_sold_a_payment_is_known_by_the_network_that_it_is_signed_for() {
        let elsewhere = |version, payment: &Value| {
            let header = header::encode(payment);
            admit(&Presented { version, header: &header }, None, NOW)
        };
        for (version, payment) in [(Version::V1, in_version_1()), (Version::V2, vector(EIP3009))] {
            let admitted = elsewhere(version, &payment).unwrap();
            assert!(matches!(admitted.worth, Worth::Collection(Denial::NotSelling)));
            assert_eq!(
                (admitted.offer.network, admitted.offer.asset),
                (Network::BaseSepolia, Network::BaseSepolia.usdc().address)
            );
        }
        let on = |network: &str| {
            let mut other = vector(EIP3009);
            other["accepted"]["network"] = json!(network);
            elsewhere(Version::V2, &other)
        };
        assert_eq!(on("eip155:8453").unwrap().proof, Proof::Unproven);
        assert_eq!(on("eip155:1").unwrap_err(), Denial::NotSelling);
    }

    proptest! {
        /// One character of a good payment replaced: refused, as good as before, or unproven. No change leaves a payment
        /// that counts as its payer's.
        #[test]
        fn a_changed_character_is_refused_or_changes_nothing_signed(at in 0..EIP3009.len(), to in "[0-9a-fx\"{} ]") {
            let mut text = EIP3009.to_owned();
            text.replace_range(at..=at, &to);
            let good = admit_v2(&vector(EIP3009)).unwrap().0.exact;
            if let Ok(changed) = serde_json::from_str(&text).map_err(drop).and_then(|json| admit_v2(&json).map_err(drop)) {
                let is_same = changed.0.exact.transfer == good.transfer;
                prop_assert!(is_same || changed.0.proof == Proof::Unproven);
            }
        }
    }
}
