//! An extension that a client adds although nobody has offered it. The payment is as good as without: a facilitator must never see
//! it, for the official library throws at this one.

use crate::payer::Draft;
use serde_json::{Value, json};

/// The sponsoring of an approval, with an object where an amount belongs.
pub fn gas_sponsoring(draft: &Draft<'_>) -> (&'static str, Value) {
    let (payer, asset) = (draft.authorization.from, draft.offer().asset);
    let info = json!({
        "from": payer, "asset": asset, "spender": "0x000000000022D473030F116dDEE9F6B43aC78BA3",
        "amount": {"toString": 1}, "nonce": "0", "deadline": "99999999999", "signature": "0x00", "version": "1",
    });
    ("eip2612GasSponsoring", json!({ "info": info }))
}
