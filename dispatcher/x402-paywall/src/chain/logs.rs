//! The search for the event that used up a nonce. Nodes differ in how many blocks they look through at once, so the search
//! begins around the first attempt to settle, and halves a range that a node refuses.

use super::{
    Look,
    node::{Node, NodeError},
    transfer::Eip3009,
};
use crate::{UnixMillis, facilitator::transport::FacilitatorTransport};
use serde_json::json;

/// The time from one block of Base to the next.
const BLOCK_MS: u64 = 2_000;
/// Blocks on either side of what the clock says: clocks differ, and a block may be late.
const MARGIN_BLOCKS: u64 = 150;
/// Most questions that one search costs.
const MAX_QUESTIONS: usize = 12;

/// How a nonce was used up.
pub(super) enum NonceEvent {
    Used(Place),
    /// In the block of this number, as far as the event says.
    Cancelled {
        block: Option<u64>,
    },
}

/// The place of an event.
pub(super) struct Place {
    pub transaction: String,
    /// `None`: the event does not say.
    pub block_hash: Option<[u8; 32]>,
}

/// Blocks, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    from: u64,
    to: u64,
}

impl Range {
    /// The blocks in which a transfer of this purchase can stand: not before it was asked for, not after its window.
    pub(super) fn of(latest: u64, look: &Look<'_>) -> Self {
        let blocks_ago = |at: UnixMillis| look.now.since(at) / BLOCK_MS;
        let from = latest.saturating_sub(blocks_ago(look.since) + MARGIN_BLOCKS);
        let end = look.claim.window.end();
        let to = if look.now <= end { latest } else { (latest - blocks_ago(end).min(latest)) + MARGIN_BLOCKS };
        Self { from, to: to.clamp(from, latest.max(from)) }
    }

    fn halves(self) -> Option<[Self; 2]> {
        let middle = self.from + (self.to - self.from) / 2;
        (self.from < self.to).then_some([Self { to: middle, ..self }, Self { from: middle + 1, ..self }])
    }
}

/// Looks for the event, the oldest blocks first. `None`: it is not there.
pub(super) async fn find<T: FacilitatorTransport>(
    node: &Node<'_, T>,
    transfer: &Eip3009,
    range: Range,
    latest: u64,
) -> Result<Option<NonceEvent>, NodeError> {
    // Our clock may have been ahead when it said where the window ended.
    let later = Range { from: range.to.saturating_add(1), to: latest };
    let mut left = if later.from <= latest { vec![later, range] } else { vec![range] };
    let mut refusal = None;
    for _ in 0..MAX_QUESTIONS {
        let Some(range) = left.pop() else { return Ok(None) };
        let to = if range.to >= latest { "latest".to_owned() } else { format!("{:#x}", range.to) };
        let filter = transfer.nonce_filter(&format!("{:#x}", range.from), &to);
        match node.ask("eth_getLogs", &json!([filter])).await {
            Ok(logs) => {
                let logs = logs.as_array().ok_or(NodeError::Shape("eth_getLogs"))?;
                if let Some(event) = logs.iter().find_map(|log| transfer.nonce_event(log)) {
                    return Ok(Some(event));
                }
            }
            Err(error @ NodeError::Refused { .. }) => match range.halves() {
                Some([first, second]) => {
                    left.extend([second, first]);
                    refusal = Some(error);
                }
                None => return Err(error),
            },
            Err(error) => return Err(error),
        }
    }
    if left.is_empty() { Ok(None) } else { Err(refusal.unwrap_or(NodeError::NoEvent)) }
}
