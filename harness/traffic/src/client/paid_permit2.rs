//! A client that pays by Permit2, every other time with an extension that nobody has offered. The payment is as good as without: a
//! facilitator must never see the extension, for the official library throws at this one.

use super::about::{About, Swarm};
use crate::payer::Draft;
use grammar::Listed;
use serde_json::{Value, json};
use x402_protocol::TransferMethod;

pub use super::paid::act;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    alter,
    ..About::buyer(
        Listed::new(
            "paid-permit2",
            "buys by Permit2, which it has allowed to move its money, every other time with an extension that nobody offered",
            "2",
        ),
        Swarm::Never { because: "no node can show what has used a permit up, so some of them stay open" },
    )
};

fn alter(draft: &mut Draft<'_>, number: u64) {
    draft.method = TransferMethod::Permit2;
    draft.unasked = number.is_multiple_of(2).then(|| gas_sponsoring(draft));
}

/// The sponsoring of an approval, with an object where an amount belongs.
fn gas_sponsoring(draft: &Draft<'_>) -> (&'static str, Value) {
    let (payer, asset) = (draft.authorization.from, draft.offer().asset);
    let info = json!({
        "from": payer, "asset": asset, "spender": "0x000000000022D473030F116dDEE9F6B43aC78BA3",
        "amount": {"toString": 1}, "nonce": "0", "deadline": "99999999999", "signature": "0x00", "version": "1",
    });
    ("eip2612GasSponsoring", json!({ "info": info }))
}
