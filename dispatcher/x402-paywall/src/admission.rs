//! What can be said of a payment without asking anyone: shape, offer, and an account's signature. Cheap refusal only:
//! passing here is never a reason to serve.

use crate::{Denial, Reason};
use x402_protocol::{
    Offer, Signature,
    signature::{self, SignatureError},
    v2::{IdentifierRule, PayloadError, PaymentIdentifier, PaymentPayload},
};

/// Decodes the payment header and holds it against the offer.
pub fn admit(header: &str, offer: &Offer) -> Result<PaymentPayload, Denial> {
    let payment = PaymentPayload::from_header(header).map_err(|error| match error {
        PayloadError::Version(_) | PayloadError::NoVersion => Denial::InvalidVersion,
        other => Denial::InvalidPayload(other.to_string()),
    })?;
    offer.matches(&payment.accepted).map_err(Denial::WrongOffer)?;
    offer.is_paid_by(&payment.exact.authorization).map_err(Denial::WrongOffer)?;
    check_signature(&payment, offer)?;
    Ok(payment)
}

/// The payment's identifier, as far as the price's rule wants one.
pub fn identifier(payment: &PaymentPayload, rule: IdentifierRule) -> Result<Option<PaymentIdentifier>, Denial> {
    if rule == IdentifierRule::Off {
        return Ok(None);
    }
    match PaymentIdentifier::among(payment.extensions.as_ref()) {
        Ok(None) if rule == IdentifierRule::Required => Err(Denial::IdentifierRequired),
        identifier => identifier.map_err(Denial::InvalidIdentifier),
    }
}

fn check_signature(payment: &PaymentPayload, offer: &Offer) -> Result<(), Denial> {
    let authorization = &payment.exact.authorization;
    let forged = || Denial::InvalidPayment(Reason::ours("invalid_exact_evm_payload_signature"));
    match Signature::parse(&payment.exact.signature) {
        Err(error @ (SignatureError::NotHex | SignatureError::Length(_))) => {
            Err(Denial::InvalidPayload(error.to_string()))
        }
        Err(_) => Err(forged()),
        // Only a chain can check a smart account's signature, so a facilitator must.
        Ok(Signature::SmartAccount(_)) => Ok(()),
        Ok(Signature::Account(bytes)) => match signature::recover(&bytes, &authorization.digest(offer)) {
            Ok(signer) if signer == authorization.from => Ok(()),
            _ => Err(forged()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x402_protocol::header;

    const VECTOR: &str = include_str!("../../x402-protocol/testdata/eip3009-vector.json");

    fn offer() -> Offer {
        Offer::from_requirements(&PaymentPayload::parse(VECTOR).unwrap().accepted).unwrap()
    }

    fn admit_changed(from: &str, to: &str) -> Result<PaymentPayload, Denial> {
        assert!(VECTOR.contains(from));
        admit(&header::encode_text(&VECTOR.replace(from, to)), &offer())
    }

    #[test]
    fn the_official_clients_payment_passes() {
        assert!(admit(&header::encode_text(VECTOR), &offer()).is_ok());
    }

    #[test]
    fn an_identifier_is_asked_for_checked_or_ignored_as_the_price_says() {
        let with = |id: &str| {
            let extension = format!(r#"{{"extensions": {{"payment-identifier": {{"info": {{"id": "{id}"}}}}}},"#);
            PaymentPayload::parse(&VECTOR.replacen('{', &extension, 1)).unwrap()
        };
        let (none, bad, good) = (PaymentPayload::parse(VECTOR).unwrap(), with("short"), with("pay_0123456789abcdef"));
        assert!(matches!(identifier(&none, IdentifierRule::Required), Err(Denial::IdentifierRequired)));
        assert!(matches!(identifier(&none, IdentifierRule::Optional), Ok(None)));
        assert!(matches!(identifier(&bad, IdentifierRule::Optional), Err(Denial::InvalidIdentifier(_))));
        assert!(matches!(identifier(&bad, IdentifierRule::Off), Ok(None)));
        for rule in [IdentifierRule::Required, IdentifierRule::Optional] {
            assert!(matches!(identifier(&good, rule), Ok(Some(id)) if id.as_str() == "pay_0123456789abcdef"));
        }
    }

    #[test]
    fn each_tampering_is_refused_for_what_it_is() {
        let refusal = |from, to| admit_changed(from, to).unwrap_err();
        assert!(matches!(refusal(r#""value": "10000""#, r#""value": "9999""#), Denial::WrongOffer(_)));
        assert!(matches!(refusal(r#""amount": "10000""#, r#""amount": "9999""#), Denial::WrongOffer(_)));
        assert!(matches!(refusal("1795227582", "1795227583"), Denial::InvalidPayment(_)));
        assert!(matches!(refusal("0xf39F", "0xf39E"), Denial::InvalidPayment(_)));
        assert!(matches!(refusal("0x04ec", "0x"), Denial::InvalidPayload(_)));
        assert!(matches!(refusal(r#""x402Version": 2"#, r#""x402Version": 1"#), Denial::InvalidVersion));
        assert!(matches!(admit("!", &offer()), Err(Denial::InvalidPayload(_))));
    }
}
