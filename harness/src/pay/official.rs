//! The official client in place of ours, as a program for Node: `@x402/fetch` with a key that it draws itself.

use super::{Answered, BuyError, Order};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;
use tokio::process::Command;

/// Its source: it pays the URL that it is given, and prints one JSON object.
pub fn program() -> &'static str {
    include_str!("../../assets/official-client/pay.mjs")
}

#[derive(Deserialize)]
struct Said {
    status: u16,
    payer: String,
    receipt: Option<Value>,
    #[serde(rename = "requestId")]
    request_id: Option<String>,
    #[serde(rename = "retryAfter")]
    retry_after: Option<String>,
    body: String,
    ms: u64,
}

/// Pays with it once. Returns the payer's address and the answer.
pub async fn official(order: &Order<'_>, node: &Path, script: &Path) -> Result<(String, Answered), BuyError> {
    let output = Command::new(node).arg(script).arg(order.url).output().await.map_err(BuyError::Official)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(BuyError::OfficialFailed { status: output.status, said });
    }
    let Said { status, payer, receipt, request_id, retry_after, body, ms } =
        serde_json::from_str(&said).map_err(|source| BuyError::OfficialSaid { said: said.clone(), source })?;
    let read =
        Answered::of(status, &reqwest::header::HeaderMap::new(), body.as_bytes(), x402_protocol::Version::V2, ms);
    Ok((payer, Answered { receipt, request_id, retry_after, ..read }))
}
