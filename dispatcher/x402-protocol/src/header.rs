//! Headers that carry JSON: standard base64 with padding (RFC 4648 section 4) of UTF-8 JSON (`transports-v2/http.md`).
//!
//! What we send is always padded, because strict decoders want it; what we take may lack the padding, because the
//! JavaScript clients' decoder does not ask for it. The url-safe alphabet is refused, as the reference does.

use crate::Version;
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Serialize;

/// Server to client, with 402: what to pay.
pub const PAYMENT_REQUIRED: &str = "payment-required";
/// Client to server: the signed payment.
pub const PAYMENT_SIGNATURE: &str = "payment-signature";
/// Server to client: how the settlement went.
pub const PAYMENT_RESPONSE: &str = "payment-response";
/// [`PAYMENT_SIGNATURE`] in version 1.
pub const X_PAYMENT: &str = "x-payment";
/// [`PAYMENT_RESPONSE`] in version 1.
pub const X_PAYMENT_RESPONSE: &str = "x-payment-response";

/// Client to server: a wallet's proof of its address, for what was paid for before ([`crate::siwx`]).
pub const SIGN_IN_WITH_X: &str = "sign-in-with-x";

impl Version {
    /// The header in which a client pays.
    #[must_use]
    pub fn payment_header(self) -> &'static str {
        match self {
            Self::V1 => X_PAYMENT,
            Self::V2 => PAYMENT_SIGNATURE,
        }
    }

    /// The header in which the client is told how the settlement went.
    #[must_use]
    pub fn response_header(self) -> &'static str {
        match self {
            Self::V1 => X_PAYMENT_RESPONSE,
            Self::V2 => PAYMENT_RESPONSE,
        }
    }
}

/// Longest payment header we decode, in characters. An EIP-3009 payment takes about 940, a smart account's with
/// extensions a few thousand, and Cloudflare's own limit for all headers together is 128 kB.
pub const MAX_HEADER_CHARS: usize = 16 * 1024;

const CODEC: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_encode_padding(true).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    #[error("header has {0} characters, more than {MAX_HEADER_CHARS}")]
    TooLarge(usize),
    #[error("header is not standard base64")]
    NotBase64,
    #[error("header is not UTF-8 once decoded")]
    NotUtf8,
}

/// The JSON text inside a header.
pub fn decode(header: &str) -> Result<String, HeaderError> {
    if header.len() > MAX_HEADER_CHARS {
        return Err(HeaderError::TooLarge(header.len()));
    }
    let bytes = CODEC.decode(header).map_err(|_| HeaderError::NotBase64)?;
    String::from_utf8(bytes).map_err(|_| HeaderError::NotUtf8)
}

/// A header value for `value`'s JSON.
#[must_use]
pub fn encode(value: &impl Serialize) -> String {
    CODEC.encode(serde_json::to_vec(value).expect("wire types have string keys and no failing serializers"))
}

/// A header value for JSON that is already text.
#[must_use]
pub fn encode_text(json: &str) -> String {
    CODEC.encode(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_missing_padding_and_refuses_the_url_safe_alphabet() {
        assert_eq!(decode("eyJhIjoxfQ=="), Ok(r#"{"a":1}"#.to_owned()));
        assert_eq!(decode("eyJhIjoxfQ"), Ok(r#"{"a":1}"#.to_owned()));
        assert_eq!(decode("_-__"), Err(HeaderError::NotBase64));
        assert_eq!(decode("eyJh IjoxfQ=="), Err(HeaderError::NotBase64));
        assert_eq!(decode("/w=="), Err(HeaderError::NotUtf8));
    }

    #[test]
    fn refuses_a_header_over_the_limit_unread() {
        let long = "A".repeat(MAX_HEADER_CHARS + 1);
        assert_eq!(decode(&long), Err(HeaderError::TooLarge(MAX_HEADER_CHARS + 1)));
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes(text in ".{0,200}") {
            prop_assert_eq!(decode(&encode_text(&text)), Ok(text));
        }
    }
}
