//! `pending`: the transaction is under way and the answer says so: `success: false` with a transaction hash. The money
//! moves; the same payment sent again after the fault gets the final answer.
//!
//! HTTP 500, as Coinbase's facilitator sends it (others say 200): who judges by the status takes it for a failure.

use crate::facilitator::{answers::Ask, reason, reply::Reply};

pub fn reply(ask: &Ask<'_>) -> Reply {
    let mut answer = ask.settle();
    if !answer.success {
        return Reply::json(200, &answer);
    }
    answer.success = false;
    answer.error_reason = Some(reason::SETTLEMENT_PENDING.to_owned());
    answer.amount = None;
    Reply::json(500, &answer)
}
