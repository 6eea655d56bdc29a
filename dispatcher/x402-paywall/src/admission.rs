//! What can be said of a payment without asking anyone: shape, offer, and an account's signature. Cheap refusal only:
//! passing here is never a reason to serve.

use crate::{
    Denial, Reason, UnixMillis,
    challenge::Bill,
    paywall::Presented,
    seeded::{self, Bug},
    window::Window,
};
use serde_json::{Map, Value, value::RawValue};
use x402_protocol::{
    ExactEvmPayload, Mismatch, Offer, PayloadError, Signature, TransferMethod, Version, facilitator_request,
    signature::{self, SignatureError},
    v1,
    v2::{self, IdentifierRule, PaymentIdentifier},
};

/// A payment that is plausible, of either generation.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub version: Version,
    /// What facilitators are asked: the JSON as the client sent it, beside our own requirements and not the client's copy.
    pub request: Box<RawValue>,
    pub exact: ExactEvmPayload,
    /// Version 1 has none.
    pub extensions: Option<Map<String, Value>>,
    /// It pays something else than is asked now. That may be what was asked before: it buys nothing more, but whoever was
    /// charged by it may still collect.
    pub misfit: Option<Mismatch>,
}

/// Decodes the payment header and holds it against the bill, the cheapest question first.
pub fn admit(presented: &Presented<'_>, bill: &Bill<'_>, now: UnixMillis) -> Result<Admitted, Denial> {
    let version = presented.version;
    let mut admitted = match version {
        Version::V1 => {
            let payment = v1::PaymentPayload::from_header(presented.header).map_err(unreadable)?;
            let requirements = bill.v1_requirements().ok_or(Denial::WrongOffer(Mismatch::Version))?;
            let misfit = bill.offer().matches_v1(&payment).err();
            let request = facilitator_request(version, &payment.text, &requirements);
            Admitted { version, request, exact: payment.exact, extensions: None, misfit }
        }
        Version::V2 => {
            let payment = v2::PaymentPayload::from_header(presented.header).map_err(unreadable)?;
            let misfit = bill.offer().matches(&payment.accepted).err();
            let request = facilitator_request(version, &payment.text, &bill.offer().to_requirements());
            Admitted { version, request, exact: payment.exact, extensions: payment.extensions, misfit }
        }
    };
    admitted.misfit = admitted.misfit.or_else(|| bill.offer().is_paid_by(&admitted.exact.transfer, version).err());
    admitted.misfit = admitted.misfit.filter(|mismatch| match mismatch {
        Mismatch::Amount | Mismatch::Value => !seeded::has(Bug::AmountNotChecked),
        Mismatch::PayTo | Mismatch::Recipient => !seeded::has(Bug::PayeeNotChecked),
        _ => true,
    });
    match (admitted.misfit, check(&admitted, bill, now)) {
        // Not even its payer's: nobody need be asked whether it was ever used.
        (Some(mismatch), Err(_)) => Err(Denial::WrongOffer(mismatch)),
        (Some(mismatch), _) if seeded::has(Bug::FormerPriceForgotten) => Err(Denial::WrongOffer(mismatch)),
        (_, Err(denial)) => Err(denial),
        (_, Ok(())) => Ok(admitted),
    }
}

/// What must hold whatever the offer was.
fn check(payment: &Admitted, bill: &Bill<'_>, now: UnixMillis) -> Result<(), Denial> {
    if payment.misfit.is_none() {
        check_echo(bill.extensions().as_ref(), payment.extensions.as_ref())?;
    }
    match Window::of(&payment.exact.transfer).never_open(now) {
        Some(reason) => Err(Denial::InvalidPayment(reason)),
        None => check_signature(&payment.exact, bill.offer()),
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

/// As the reference server calls it.
const ECHO_MISMATCH: &str = "extension_echo_mismatch";

/// The payment's identifier, as far as the price's rule wants one.
pub fn identifier(payment: &Admitted, rule: IdentifierRule) -> Result<Option<PaymentIdentifier>, Denial> {
    if rule == IdentifierRule::Off {
        return Ok(None);
    }
    match PaymentIdentifier::among(payment.extensions.as_ref()) {
        Ok(None) if rule == IdentifierRule::Required => Err(Denial::IdentifierRequired),
        identifier => identifier.map_err(Denial::InvalidIdentifier),
    }
}

fn check_signature(exact: &ExactEvmPayload, offer: &Offer) -> Result<(), Denial> {
    let transfer = &exact.transfer;
    let forged = || {
        let reason = match transfer.method() {
            TransferMethod::Eip3009 => "invalid_exact_evm_payload_signature",
            TransferMethod::Permit2 => "invalid_permit2_signature",
        };
        Denial::InvalidPayment(Reason::ours(reason))
    };
    match Signature::parse(&exact.signature) {
        Err(error @ (SignatureError::NotHex | SignatureError::Length(_))) => {
            Err(Denial::InvalidPayload(error.to_string()))
        }
        Err(_) => Err(forged()),
        // Only a chain can check a smart account's signature, so a facilitator must.
        Ok(Signature::SmartAccount(_)) => Ok(()),
        Ok(Signature::Account(bytes)) => match signature::recover(&bytes, &transfer.digest(offer)) {
            Ok(signer) if signer == transfer.from() || seeded::has(Bug::SignatureNotChecked) => Ok(()),
            _ => Err(forged()),
        },
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
    /// Within the windows of both.
    const NOW: UnixMillis = UnixMillis(1_795_227_000_000);

    fn vector(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    /// The vector's authorization as a version 1 client sends it.
    fn in_version_1() -> Value {
        json!({"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": vector(EIP3009)["payload"]})
    }

    fn admit_under(rule: IdentifierRule, version: Version, payment: &Value) -> Result<Admitted, Denial> {
        let offer = Offer::from_requirements(&v2::PaymentPayload::parse(EIP3009).unwrap().accepted).unwrap();
        let price = Price::new(offer, rule, ResourceInfo::default());
        let bill = Bill { price: &price, url: "https://acme.example/" };
        let header = header::encode(payment);
        let admitted = admit(&Presented { version, header: &header }, &bill, NOW)?;
        // A misfit buys nothing: to whoever was never charged by it, it is refused.
        admitted.misfit.map_or(Ok(admitted), |mismatch| Err(Denial::WrongOffer(mismatch)))
    }

    fn admit_v2(payment: &Value) -> Result<Admitted, Denial> {
        admit_under(IdentifierRule::Optional, Version::V2, payment)
    }

    fn changed(text: &str, pointer: &str, value: Value) -> Result<Admitted, Denial> {
        let mut payment = vector(text);
        *payment.pointer_mut(pointer).unwrap() = value;
        admit_v2(&payment)
    }

    /// Of a refusal with a bill.
    fn code(refused: Result<Admitted, Denial>) -> String {
        let denial = refused.unwrap_err();
        assert!(denial.carries_offer(), "{denial:?}");
        denial.code().to_owned()
    }

    #[test]
    fn what_official_clients_send_passes_and_goes_on_beside_our_own_requirements() {
        for text in [EIP3009, PERMIT2] {
            let admitted = admit_v2(&vector(text)).unwrap();
            let request: Value = serde_json::from_str(admitted.request.get()).unwrap();
            assert_eq!((&request["x402Version"], &request["paymentPayload"]), (&json!(2), &vector(text)));
            assert_eq!(request["paymentRequirements"], vector(EIP3009)["accepted"]);
        }
    }

    #[test]
    fn a_version_1_payment_goes_on_in_version_1() {
        let admitted = admit_under(IdentifierRule::Optional, Version::V1, &in_version_1()).unwrap();
        let request: Value = serde_json::from_str(admitted.request.get()).unwrap();
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
        for forged in [
            authorization("validBefore", json!("1795227583")),
            authorization("from", other.clone()),
            changed(EIP3009, "/payload/signature", json!(format!("0x{}1b", "11".repeat(64)))),
        ] {
            assert_eq!(code(forged), "invalid_exact_evm_payload_signature");
        }
        for forged in [permit("nonce", json!("1")), permit("deadline", json!("1795999999")), permit("from", other)] {
            assert_eq!(code(forged), "invalid_permit2_signature");
        }
        assert_eq!(
            code(authorization("validAfter", json!("1795227000"))),
            "invalid_exact_evm_payload_authorization_valid_after"
        );
        assert_eq!(code(permit("witness/validAfter", json!("1795227000"))), "permit2_not_yet_valid");
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
            admit_v2(&json!({"x402Version": 2})),
        ] {
            let denial = unreadable.unwrap_err();
            assert_eq!((denial.status(), denial.code()), (400, "invalid_payload"), "{denial:?}");
        }
    }

    #[test]
    fn a_smart_accounts_signature_is_left_to_the_facilitator() {
        assert!(changed(EIP3009, "/payload/signature", json!(format!("0x{}", "11".repeat(200)))).is_ok());
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
        let with = |id: Option<&str>| {
            let extensions = id.map(|id| json!({"payment-identifier": {"info": {"id": id}}}));
            let extensions = extensions.as_ref().and_then(Value::as_object).cloned();
            Admitted { extensions, ..admit_v2(&vector(EIP3009)).unwrap() }
        };
        let (none, bad, good) = (with(None), with(Some("short")), with(Some("pay_0123456789abcdef")));
        assert!(matches!(identifier(&none, IdentifierRule::Required), Err(Denial::IdentifierRequired)));
        assert!(matches!(identifier(&none, IdentifierRule::Optional), Ok(None)));
        assert!(matches!(identifier(&bad, IdentifierRule::Optional), Err(Denial::InvalidIdentifier(_))));
        assert!(matches!(identifier(&bad, IdentifierRule::Off), Ok(None)));
        for rule in [IdentifierRule::Required, IdentifierRule::Optional] {
            assert!(matches!(identifier(&good, rule), Ok(Some(id)) if id.as_str() == "pay_0123456789abcdef"));
        }
    }

    proptest! {
        /// One character of a good payment replaced: refused, or as good as before. Nothing in between can cost a
        /// facilitator call.
        #[test]
        fn a_changed_character_is_refused_or_changes_nothing_signed(at in 0..EIP3009.len(), to in "[0-9a-fx\"{} ]") {
            let mut text = EIP3009.to_owned();
            text.replace_range(at..=at, &to);
            let good = admit_v2(&vector(EIP3009)).unwrap().exact;
            if let Ok(changed) = serde_json::from_str(&text).map_err(drop).and_then(|json| admit_v2(&json).map_err(drop)) {
                prop_assert_eq!(changed.exact.transfer, good.transfer);
            }
        }
    }
}
