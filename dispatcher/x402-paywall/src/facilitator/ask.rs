//! Calls to a facilitator that no payment waits for: a probe, and what it supports.

use super::{
    Endpoint, Facilitator, Outcome,
    answer::{Heard, send},
    transport::FacilitatorTransport,
    verdict,
};
use serde_json::value::RawValue;

/// Sends an earlier payment's verify request, to see whether the facilitator answers. What it says of the payment does
/// not count: that may have run out or be settled by now. Returns also what it said of a failure.
pub async fn probe(
    facilitator: &Facilitator,
    specimen: &RawValue,
    transport: &impl FacilitatorTransport,
) -> (Outcome, Option<String>) {
    let timeout_ms = facilitator.verify_timeout_ms;
    let Heard { answer, said } = send(transport, facilitator, Endpoint::Verify, Some(specimen), timeout_ms).await;
    match verdict::answers_verify(answer) {
        Ok(()) => (Outcome::Answered, None),
        Err(why) => (Outcome::Failed(why), said),
    }
}

/// The body of a good answer to `/supported`.
pub async fn supported(
    facilitator: &Facilitator,
    timeout_ms: u64,
    transport: &impl FacilitatorTransport,
) -> Option<Vec<u8>> {
    let answer = send(transport, facilitator, Endpoint::Supported, None, timeout_ms).await.answer.ok()?;
    (answer.status == 200).then_some(answer.body)
}
