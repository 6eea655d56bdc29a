//! When an offer's money moves: `extra.paymentFlow` (`specs/schemes/exact/scheme_exact.md`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Key in an offer's `extra`.
pub const PAYMENT_FLOW: &str = "paymentFlow";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaymentFlow {
    /// Verify, execute, settle. Never said on the wire: it is what an offer without the key means.
    #[default]
    Authorization,
    /// Settle, execute. A failed execution leaves the payer charged, with the response still owed.
    Upfront,
}

/// A flow that is not one of ours, `escrow` among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("extra.paymentFlow is neither absent nor upfront")]
pub struct UnknownFlow;

impl PaymentFlow {
    /// The flow that an offer's `extra` claims.
    pub fn of_extra(extra: Option<&Map<String, Value>>) -> Result<Self, UnknownFlow> {
        match extra.and_then(|extra| extra.get(PAYMENT_FLOW)) {
            None | Some(Value::Null) => Ok(Self::Authorization),
            Some(flow) => Self::deserialize(flow).map_err(|_| UnknownFlow),
        }
    }

    /// The word in `extra`, where it stands there at all.
    #[must_use]
    pub fn on_the_wire(self) -> Option<&'static str> {
        match self {
            Self::Authorization => None,
            Self::Upfront => Some("upfront"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_absent_flow_is_authorization_and_escrow_is_none_of_ours() {
        let of = |extra: Value| PaymentFlow::of_extra(extra.as_object());
        assert_eq!(of(json!({})), Ok(PaymentFlow::Authorization));
        assert_eq!(of(json!({"paymentFlow": "upfront"})), Ok(PaymentFlow::Upfront));
        assert_eq!(of(json!({"paymentFlow": "escrow"})), Err(UnknownFlow));
        assert_eq!(of(json!({"paymentFlow": 1})), Err(UnknownFlow));
    }
}
