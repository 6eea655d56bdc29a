//! What a facilitator's answer means. The body decides before the status does, because facilitators disagree on statuses:
//! one says "pending" with a 500, another with a 200.
//!
//! Nothing is believed that contradicts the offer or itself. A contradiction on `/verify` is no answer; on `/settle` it
//! is an unknown outcome, because money may have moved.

use super::verify_reason;
use crate::{
    Reason, UnixMillis,
    claim::Claim,
    facilitator::transport::{FacilitatorAnswer, TransportError},
    window::Window,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use x402_protocol::{
    Address, Network, Uint256, Version, hex,
    json::{self, depth},
    v2::{SettleResponse, VerifyResponse},
};

/// The payment that an answer must name to be believed.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub version: Version,
    pub payer: Address,
    pub network: Network,
    pub amount: Uint256,
    /// Whether we recovered the payer from the signature ourselves.
    pub proven: bool,
    pub window: Window,
    /// By our own clock.
    pub now: UnixMillis,
}

impl Claim {
    /// Returns the facts of the payment that we know at `now` ourselves, to hold a facilitator's answer against.
    #[must_use]
    pub fn expected(&self, now: UnixMillis) -> Expected {
        let Self { version, payer, network, amount, proven, .. } = *self;
        Expected { version, payer, network, amount, proven, window: self.window, now }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyVerdict {
    Valid,
    Invalid(Reason),
    /// No usable answer: ask the next facilitator.
    NoAnswer(NoAnswer),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettleVerdict {
    Settled(Settlement),
    /// Known: this call moved nothing, for a reason that is given before anything is sent.
    Refused(Reason),
    /// Known: nobody looked at the payment, because our credentials were refused.
    Unsent(NoAnswer),
    /// Money may have moved. `transaction` where the facilitator named one.
    Unknown {
        why: Open,
        transaction: Option<String>,
    },
}

/// Why a call got no usable answer. Its text is the reason code of the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("http_{0}")]
    Http(u16),
    /// A 401 or 403: it does not take our credentials. It says so before it looks at a payment, so nothing moved.
    #[error("http_{0}")]
    Credentials(u16),
    #[error("invalid_json")]
    InvalidJson,
    #[error("invalid_shape")]
    InvalidShape,
    #[error("answer_too_deep")]
    TooDeep,
    /// The named field of the answer contradicts the offer, or the rest of the answer.
    #[error("contradiction_in_{0}")]
    Contradiction(Field),
}

/// A field of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Field {
    #[error("status")]
    Status,
    #[error("errorReason")]
    ErrorReason,
    #[error("invalidReason")]
    InvalidReason,
    #[error("payer")]
    Payer,
    #[error("transaction")]
    Transaction,
    #[error("network")]
    Network,
    #[error("amount")]
    Amount,
}

/// Why the outcome of a settlement is open. Its text is the reason code of the attempt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Open {
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// It answered, with a reason that leaves the outcome open.
    #[error("{0}")]
    Said(Reason),
    /// Taken out of the configuration while it owed an answer: nobody else can say what became of the payment.
    #[error("facilitator_not_configured")]
    NotConfigured,
}

impl NoAnswer {
    /// Whether the call was over before anyone looked at the payment: nothing was sent, or our credentials were refused.
    /// A settlement that ended so moved nothing.
    #[must_use]
    pub fn before_the_payment(self) -> bool {
        matches!(self, Self::Credentials(_) | Self::Transport(TransportError::Unsigned))
    }
}

impl Expected {
    /// Whether an answer means the payer by this account: hex in any case, with the chain before it or without (CAIP-10).
    fn names_payer(&self, account: &str) -> bool {
        let address = match account.rsplit_once(':') {
            Some((network, address)) if self.network.is_named(network) => address,
            Some(_) => return false,
            None => account,
        };
        let digits = address.strip_prefix("0x").or_else(|| address.strip_prefix("0X")).unwrap_or(address);
        format!("0x{digits}").parse() == Ok(self.payer)
    }

    /// Whether an answer means the amount by this number: decimal, or hex with its prefix.
    fn names_amount(&self, number: &str) -> bool {
        match number.strip_prefix("0x").or_else(|| number.strip_prefix("0X")) {
            Some(digits) => hex::decode::<32>(&format!("0x{digits:0>64}")) == Ok(self.amount.0),
            None => number.parse() == Ok(self.amount),
        }
    }
}

/// A settlement that is known to have succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    pub transaction: String,
    pub payer: Address,
    pub network: Network,
    pub facilitator: String,
}

#[must_use]
pub fn of_verify(answer: Result<FacilitatorAnswer, TransportError>, expected: &Expected) -> VerifyVerdict {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return VerifyVerdict::NoAnswer(error.into()),
    };
    let body: VerifyResponse = match read(&answer) {
        Ok(body) => body,
        Err(why) => return VerifyVerdict::NoAnswer(why),
    };
    let payer_fits = body.payer.as_deref().is_none_or(|payer| expected.names_payer(payer));
    match (body.is_valid, body.invalid_reason) {
        (true, None) if payer_fits => VerifyVerdict::Valid,
        (true, None) => VerifyVerdict::NoAnswer(NoAnswer::Contradiction(Field::Payer)),
        (true, Some(_)) => VerifyVerdict::NoAnswer(NoAnswer::Contradiction(Field::InvalidReason)),
        (false, reason) => {
            let reason = Reason::from_outside(reason.as_deref());
            match refused_credentials(&reason, answer.status) {
                Some(why) => VerifyVerdict::NoAnswer(why),
                None => VerifyVerdict::Invalid(reason),
            }
        }
    }
}

/// A 401 or 403 whose body says the same: it is about us, and about no payment.
fn refused_credentials(reason: &Reason, status: u16) -> Option<NoAnswer> {
    (matches!(status, 401 | 403) && reason.is_about_credentials()).then_some(NoAnswer::Credentials(status))
}

/// Says whether `/verify` was answered at all, of whichever payment. The error is a reason code. A `no` that speaks of
/// the facilitator itself is no answer.
pub fn answers_verify(answer: Result<FacilitatorAnswer, TransportError>) -> Result<(), String> {
    let answer = answer.map_err(|why| NoAnswer::from(why).to_string())?;
    let body: VerifyResponse = read(&answer).map_err(|why| why.to_string())?;
    let reason = body.invalid_reason.as_deref().map(|reason| Reason::from_outside(Some(reason)));
    if let Some(why) = reason.as_ref().and_then(|reason| refused_credentials(reason, answer.status)) {
        return Err(why.to_string());
    }
    match (body.is_valid, reason) {
        (true, Some(_)) => Err(NoAnswer::Contradiction(Field::InvalidReason).to_string()),
        (false, Some(reason)) if verify_reason::speaks_of_itself(&reason) => Err(reason.to_string()),
        _ => Ok(()),
    }
}

#[must_use]
pub fn of_settle(
    answer: Result<FacilitatorAnswer, TransportError>,
    expected: &Expected,
    facilitator: &str,
) -> SettleVerdict {
    let unknown = |why: Open, transaction: &str| SettleVerdict::Unknown { why, transaction: known_hash(transaction) };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if NoAnswer::from(error).before_the_payment() => return SettleVerdict::Unsent(error.into()),
        Err(error) => return unknown(NoAnswer::from(error).into(), ""),
    };
    let body: SettleResponse = match read(&answer) {
        Ok(body) => with_former_names(body, &answer),
        Err(why) if why.before_the_payment() => return SettleVerdict::Unsent(why),
        Err(why) => return unknown(why.into(), ""),
    };
    if !body.success {
        let reason = Reason::from_outside(body.error_reason.as_deref());
        if let Some(why) = refused_credentials(&reason, answer.status).filter(|_| body.transaction.is_empty()) {
            return SettleVerdict::Unsent(why);
        }
        return if is_final(&reason, &answer, &body, expected) {
            SettleVerdict::Refused(reason)
        } else {
            unknown(Open::Said(reason), &body.transaction)
        };
    }
    let Some(transaction) = known_hash(&body.transaction) else {
        return unknown(NoAnswer::Contradiction(Field::Transaction).into(), "");
    };
    if let Some(field) = contradicted(&body, answer.status, expected) {
        return unknown(NoAnswer::Contradiction(field).into(), &transaction);
    }
    SettleVerdict::Settled(Settlement {
        transaction,
        payer: expected.payer,
        network: expected.network,
        facilitator: facilitator.to_owned(),
    })
}

/// Whether a "no" to a payment that was never asked about before is known to have sent nothing.
///
/// A list of what is closed, and never of what is open: money has been seen to move behind every reason that is not on it,
/// behind free text, and behind no reason at all. A transaction, or a server's error, leaves it open whatever the reason.
fn is_final(reason: &Reason, answer: &FacilitatorAnswer, body: &SettleResponse, expected: &Expected) -> bool {
    let says_more = !body.transaction.is_empty() || answer.status >= 500;
    if says_more {
        return false;
    }
    reason.is_given_before_sending(expected)
}

/// The field of a success that does not fit the payment, if any. What is absent fits.
fn contradicted(body: &SettleResponse, status: u16, expected: &Expected) -> Option<Field> {
    let payer = body.payer.as_deref().is_none_or(|payer| expected.names_payer(payer));
    let amount = body.amount.as_deref().is_none_or(|amount| expected.names_amount(amount));
    [
        (body.error_reason.is_none(), Field::ErrorReason),
        ((200..300).contains(&status), Field::Status),
        (names(&body.network, expected), Field::Network),
        (payer, Field::Payer),
        (amount, Field::Amount),
    ]
    .into_iter()
    .find_map(|(fits, field)| (!fits).then_some(field))
}

/// Whether the network is the payment's, in either generation's words. Absent, it is the one that was asked about.
fn names(network: &str, expected: &Expected) -> bool {
    network.is_empty() || expected.network.is_named(network)
}

/// A transaction hash is 32 bytes of hex; anything else names no transaction and is not repeated to a caller.
fn known_hash(text: &str) -> Option<String> {
    hex::decode::<32>(text).ok().map(|bytes| hex::encode(&bytes))
}

/// The answer, with the transaction where facilitators called it by another name before the specification had one.
fn with_former_names(body: SettleResponse, answer: &FacilitatorAnswer) -> SettleResponse {
    #[derive(Deserialize)]
    struct Former {
        #[serde(rename = "txHash", alias = "transactionHash", alias = "tx_hash", alias = "transaction_hash")]
        transaction: String,
    }
    if !body.transaction.is_empty() {
        return body;
    }
    match read::<Former>(answer) {
        Ok(Former { transaction }) => SettleResponse { transaction, ..body },
        Err(_) => body,
    }
}

/// Deepest nesting of an answer that is read. Real ones have three levels, extensions a few more.
const MAX_ANSWER_DEPTH: usize = 32;

/// The body before the status: an answer is one whatever status it came with.
fn read<T: DeserializeOwned>(answer: &FacilitatorAnswer) -> Result<T, NoAnswer> {
    if depth(&answer.body) > MAX_ANSWER_DEPTH {
        return Err(NoAnswer::TooDeep);
    }
    let text = std::str::from_utf8(&answer.body).unwrap_or_default();
    // Some servers put a byte order mark before everything they write.
    match json::read(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        Ok(body) => Ok(body),
        Err(_) if matches!(answer.status, 401 | 403) => Err(NoAnswer::Credentials(answer.status)),
        Err(_) if !(200..300).contains(&answer.status) => Err(NoAnswer::Http(answer.status)),
        Err(error) if error.is_data() => Err(NoAnswer::InvalidShape),
        Err(_) => Err(NoAnswer::InvalidJson),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use x402_protocol::TransferMethod;

    const PAYER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    const OTHER: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

    fn expected() -> Expected {
        Expected {
            version: Version::V2,
            payer: PAYER.parse().unwrap(),
            network: Network::BaseSepolia,
            amount: Uint256::from(10_000),
            proven: true,
            window: Window { method: TransferMethod::Eip3009, valid_after: 0, valid_before: 1_800_000_300 },
            now: UnixMillis(1_800_000_000_000),
        }
    }

    fn settle(status: u16, body: &str) -> SettleVerdict {
        of_settle(Ok(FacilitatorAnswer { status, body: body.as_bytes().to_vec() }), &expected(), "primary")
    }

    fn success(payer: &str, transaction: &str, network: &str, more: &str) -> String {
        format!(r#"{{"success":true,"payer":"{payer}","transaction":"{transaction}","network":"{network}"{more}}}"#)
    }

    #[test]
    fn believes_only_a_success_that_fits_the_offer() {
        let hash = format!("0x{}", "ab".repeat(32));
        let good = success(&PAYER.to_lowercase(), &hash, "eip155:84532", "");
        assert!(matches!(settle(200, &good), SettleVerdict::Settled(s) if s.transaction == hash));
        for same in [
            success(PAYER, &hash, "base-sepolia", ""),
            success(PAYER, &hash, "", ""),
            success(PAYER, &hash[2..], "eip155:84532", ""),
            success(PAYER, &hash.to_uppercase(), "eip155:84532", ""),
            success("", &hash, "eip155:84532", r#","errorReason":"","amount":"""#),
            success(&PAYER[2..], &hash, "EIP155:84532", ""),
            success(&format!("eip155:84532:{PAYER}"), &hash, "84532", r#","amount":"0x2710""#),
            success(PAYER, "", "Base Sepolia", &format!(r#","txHash":"{hash}""#)),
            success(PAYER, "", "eip155:84532", &format!(r#","transactionHash":"{hash}","amount":10000.0"#)),
            format!("\u{feff}{}", success(PAYER, &hash, "eip155:84532", "")),
            success(PAYER, &hash, "eip155:84532", r#","errorReason":null,"amount":10000"#),
            success(PAYER, &hash, "eip155:84532", r#","errorReason":{},"amount":null"#),
        ] {
            assert!(matches!(settle(200, &same), SettleVerdict::Settled(s) if s.transaction == hash), "{same}");
        }
        for lie in [
            success(PAYER, &hash, "eip155:84532", r#","errorReason":{"code":1}"#),
            success(PAYER, &hash, "eip155:84532", r#","amount":9999"#),
            success(OTHER, &hash, "eip155:84532", ""),
            success(&format!("eip155:8453:{PAYER}"), &hash, "eip155:84532", ""),
            success(PAYER, &hash, "eip155:84532", r#","amount":"0x2711""#),
            success(PAYER, &hash, "8453", ""),
            success(PAYER, "", "eip155:84532", r#","txHash":"0x12""#),
            success(PAYER, "", "eip155:84532", ""),
            success(PAYER, "0x1234", "eip155:84532", ""),
            success(PAYER, &hash, "eip155:8453", ""),
            success(PAYER, &hash, "base", ""),
            success(PAYER, &hash, "eip155:84532", r#","amount":"9999""#),
            success(PAYER, &hash, "eip155:84532", r#","errorReason":"insufficient_funds""#),
        ] {
            assert!(
                matches!(settle(200, &lie), SettleVerdict::Unknown { why, .. } if why.to_string().starts_with("contradiction_in_")),
                "{lie}"
            );
        }
        assert!(matches!(settle(500, &good), SettleVerdict::Unknown { .. }));
    }

    #[test]
    fn pending_is_unknown_whatever_the_status() {
        let hash = format!("0x{}", "cd".repeat(32));
        let body = format!(
            r#"{{"success":false,"errorReason":"settlement_pending","transaction":"{hash}","network":"eip155:8453"}}"#
        );
        for status in [200, 202, 500] {
            assert!(matches!(settle(status, &body), SettleVerdict::Unknown { transaction: Some(t), .. } if t == hash));
        }
    }

    #[test]
    fn a_refusal_is_known_only_where_nothing_can_have_been_sent() {
        let refusal = |reason: &str, transaction: &str| {
            format!(
                r#"{{"success":false,"errorReason":"{reason}","transaction":"{transaction}","network":"eip155:84532"}}"#
            )
        };
        for status in [200, 400, 402] {
            assert!(matches!(settle(status, &refusal("unsupported_scheme", "")), SettleVerdict::Refused(_)));
        }
        for (status, open) in [
            (500, refusal("unsupported_scheme", "")),
            (502, refusal("unsupported_scheme", "")),
            (200, refusal("unsupported_scheme", "0xabc")),
            (200, refusal("invalid_exact_evm_nonce_already_used", "")),
            (200, refusal("unexpected_settle_error", "")),
            (200, refusal("invalid_transaction_state", "0xabc")),
            (200, refusal("insufficient_funds", "")),
            (200, refusal("invalid_exact_evm_payload_signature", "")),
            (200, refusal("Gave up waiting for a receipt", "")),
            (200, r#"{"success":false}"#.to_owned()),
        ] {
            assert!(matches!(settle(status, &open), SettleVerdict::Unknown { .. }), "{status} {open}");
        }
    }

    #[test]
    fn a_network_is_named_in_either_generations_words() {
        let hash = format!("0x{}", "ab".repeat(32));
        for network in ["base-sepolia", "eip155:84532", ""] {
            assert!(matches!(settle(200, &success(PAYER, &hash, network, "")), SettleVerdict::Settled(_)), "{network}");
        }
    }

    #[test]
    fn refused_credentials_sent_nothing_and_a_word_about_the_payment_counts_whatever_the_status() {
        for status in [401, 403] {
            assert_eq!(settle(status, "denied"), SettleVerdict::Unsent(NoAnswer::Credentials(status)));
            let said = |reason: &str, transaction: &str| {
                format!(r#"{{"success":false,"errorReason":"{reason}","transaction":"{transaction}","network":""}}"#)
            };
            for reason in ["unauthorized", "invalid_api_key", "jwt_expired"] {
                assert_eq!(settle(status, &said(reason, "")), SettleVerdict::Unsent(NoAnswer::Credentials(status)));
                for open in [settle(status, &said(reason, "0xabc")), settle(200, &said(reason, ""))] {
                    assert!(matches!(open, SettleVerdict::Unknown { .. }), "{reason}: {open:?}");
                }
            }
            let body = br#"{"isValid":false,"invalidReason":"unauthorized"}"#.to_vec();
            let answer = || Ok(FacilitatorAnswer { status, body: body.clone() });
            assert_eq!(of_verify(answer(), &expected()), VerifyVerdict::NoAnswer(NoAnswer::Credentials(status)));
            assert_eq!(answers_verify(answer()), Err(format!("http_{status}")));
            for reason in ["insufficient_funds", "", "Something went wrong"] {
                assert!(matches!(settle(status, &said(reason, "")), SettleVerdict::Unknown { .. }), "{reason}");
            }
        }
    }

    #[test]
    fn no_usable_body_has_a_reason_code_and_is_never_a_refusal() {
        for (status, body, code) in [
            (502, "<html>Bad gateway</html>", "http_502"),
            (404, "", "http_404"),
            (200, "<html>", "invalid_json"),
            (200, r#"{"ok":true}"#, "invalid_shape"),
            (200, r#"{"success":tr"#, "invalid_json"),
        ] {
            assert!(
                matches!(settle(status, body), SettleVerdict::Unknown { why, .. } if why.to_string() == code),
                "{code}"
            );
        }
        let lost = of_settle(Err(TransportError::Timeout), &expected(), "primary");
        assert_eq!(
            lost,
            SettleVerdict::Unknown { why: NoAnswer::from(TransportError::Timeout).into(), transaction: None }
        );
    }

    #[test]
    fn a_verify_that_contradicts_itself_is_no_answer() {
        let verify =
            |body: String| of_verify(Ok(FacilitatorAnswer { status: 200, body: body.into_bytes() }), &expected());
        assert_eq!(verify(format!(r#"{{"isValid":true,"payer":"{PAYER}"}}"#)), VerifyVerdict::Valid);
        assert_eq!(verify(r#"{"isValid":true}"#.to_owned()), VerifyVerdict::Valid);
        assert_eq!(verify(r#"{"isValid":true,"invalidReason":"","payer":""}"#.to_owned()), VerifyVerdict::Valid);
        for (body, field) in [
            (format!(r#"{{"isValid":true,"payer":"{OTHER}"}}"#), Field::Payer),
            (r#"{"isValid":true,"invalidReason":"x"}"#.to_owned(), Field::InvalidReason),
        ] {
            assert_eq!(verify(body), VerifyVerdict::NoAnswer(NoAnswer::Contradiction(field)));
        }
        assert!(matches!(
            verify(r#"{"isValid":false,"invalidReason":"insufficient_funds"}"#.to_owned()),
            VerifyVerdict::Invalid(_)
        ));
    }

    #[test]
    fn a_deep_answer_is_refused_before_it_is_read_and_brackets_in_strings_are_not_depth() {
        let nested = |levels: usize, inside: &str| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"success":true,"extensions":{open}{inside}{close}}}"#)
        };
        for levels in [32, 10_000, 1_000_000] {
            let told = settle(200, &nested(levels, ""));
            assert!(matches!(told, SettleVerdict::Unknown { why, .. } if why.to_string() == "answer_too_deep"));
        }
        assert_eq!(depth(nested(31, r#""[[[\"[[[""#).as_bytes()), 32);
        assert_eq!(depth(b"]]]}}}["), 1);
    }

    proptest! {
        #[test]
        fn no_answer_settles_unless_it_names_a_whole_transaction(status in 100u16..600, body in ".{0,200}") {
            let settled = matches!(settle(status, &body), SettleVerdict::Settled(_));
            prop_assert!(!settled);
        }
    }
}
