//! What a node of the chain says of settlements: whether each transfer is there, and to whom, and how much.

use crate::{exit::Exit, failure::Failure, http, settlements::Settlement};
use serde_json::{Value, json};
use std::time::Duration;
use x402_protocol::Network;

const PATIENCE: Duration = Duration::from_secs(20);
/// Keccak-256 of `Transfer(address,address,uint256)`.
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

/// The settlements as the chain has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub found: usize,
    /// Atomic units that came to `payTo`.
    pub sum: u64,
    /// Transactions that are not there, or move something else, each with why.
    pub missing: Vec<(String, String)>,
}

/// Looks each settlement up, one after the other.
pub fn look(node: &str, network: Network, settled: &[Settlement]) -> Result<Seen, Failure> {
    let is_local = node.starts_with("http://127.0.0.1:") || node.starts_with("http://localhost:");
    if !node.starts_with("https://") && !is_local {
        return Err(Failure::new(Exit::Usage, format!("{node} is not https")));
    }
    http::runtime()?.block_on(async {
        let client = http::client(PATIENCE)?;
        let mut seen = Seen::default();
        for one in settled {
            let receipt = receipt(&client, node, &one.transaction).await?;
            match moved(&receipt, network, one) {
                Ok(amount) => {
                    seen.found += 1;
                    seen.sum += amount;
                }
                Err(why) => seen.missing.push((one.transaction.clone(), why)),
            }
        }
        Ok(seen)
    })
}

async fn receipt(client: &reqwest::Client, node: &str, transaction: &str) -> Result<Value, Failure> {
    // A node's URL may have a key in it.
    let failed = |why: String| Failure::new(Exit::Failed, format!("the node: {why}"));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_getTransactionReceipt", "params": [transaction]});
    let request = client.post(node).header("content-type", "application/json").body(body.to_string());
    let response = request.send().await.map_err(|error| failed(http::told(&error.without_url())))?;
    let status = response.status().as_u16();
    let body = http::body(response).await.unwrap_or_default();
    let answer: Value = serde_json::from_slice(&body).map_err(|_| failed(format!("it answers {status}")))?;
    match answer.get("result") {
        Some(result) => Ok(result.clone()),
        None => Err(failed(format!("it says {}", crate::output::plain(&answer["error"]["message"].to_string())))),
    }
}

/// The amount that the transaction moved to `payTo`, if it is the settlement's.
fn moved(receipt: &Value, network: Network, one: &Settlement) -> Result<u64, String> {
    if receipt.is_null() {
        return Err("the node does not know it".to_owned());
    }
    if receipt["status"] != "0x1" {
        return Err("it was reverted".to_owned());
    }
    let usdc = network.usdc().address.to_string();
    let is = |value: &Value, address: &str| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(address));
    let topic = |address: &str| format!("0x{:0>64}", address.trim_start_matches("0x").to_lowercase());
    let to_payee = receipt["logs"].as_array().into_iter().flatten().filter(|log| {
        let topics = &log["topics"];
        is(&log["address"], &usdc)
            && is(&topics[0], TRANSFER)
            && is(&topics[1], &topic(&one.payer))
            && is(&topics[2], &topic(&one.pay_to))
    });
    let amount = |log: &Value| {
        let digits = log["data"].as_str()?.trim_start_matches("0x");
        u64::from_str_radix(digits.trim_start_matches('0'), 16).ok()
    };
    let wanted: u64 = one.amount.parse().map_err(|_| format!("{:?} is no amount", one.amount))?;
    let amounts: Vec<u64> = to_payee.filter_map(amount).collect();
    if amounts.contains(&wanted) {
        Ok(wanted)
    } else {
        Err(format!("it moves {amounts:?} from the payer to payTo, and not {wanted}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYER: &str = "0x00000000000000000000000000000000000000Aa";
    const PAYEE: &str = "0x00000000000000000000000000000000000000bB";

    fn settlement() -> Settlement {
        Settlement {
            at_ms: 1,
            tenant: "rain".to_owned(),
            transaction: "0x1".to_owned(),
            payer: PAYER.to_owned(),
            pay_to: PAYEE.to_owned(),
            amount: "1000".to_owned(),
            network: "eip155:84532".to_owned(),
        }
    }

    fn receipt(status: &str, from: &str, to: &str, amount: u64) -> Value {
        let topic = |address: &str| format!("0x{:0>64}", &address[2..]);
        let log = json!({
            "address": Network::BaseSepolia.usdc().address.to_string(),
            "topics": [TRANSFER, topic(from), topic(to)], "data": format!("0x{amount:064x}"),
        });
        json!({"status": status, "logs": [{"address": "0x9", "topics": []}, log]})
    }

    #[test]
    fn a_settlement_is_there_only_with_its_payer_its_payee_and_its_amount() {
        let moved = |receipt: &Value| moved(receipt, Network::BaseSepolia, &settlement());
        assert_eq!(moved(&receipt("0x1", PAYER, PAYEE, 1_000)), Ok(1_000));
        for (wrong, said) in [
            (Value::Null, "does not know"),
            (receipt("0x0", PAYER, PAYEE, 1_000), "reverted"),
            (receipt("0x1", PAYER, PAYEE, 999), "[999]"),
            (receipt("0x1", PAYEE, PAYEE, 1_000), "[]"),
            (receipt("0x1", PAYER, PAYER, 1_000), "[]"),
        ] {
            let why = moved(&wrong).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
    }
}
