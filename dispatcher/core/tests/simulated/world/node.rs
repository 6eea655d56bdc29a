//! The node of the chain: a transfer stands in the transaction that has its nonce for a hash.

use super::{PAY_TO, START_S, ports::State};
use dispatcher_core::protocol::{Network, signature::Signer};
use serde_json::{Value, json};

pub const CHAIN_RPC: &str = "https://chain";

/// The first topics of the token's events.
const AUTHORIZATION_USED: &str = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

/// The node that settlements are looked up at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Node {
    #[default]
    Honest,
    /// It refuses every question.
    Refuses,
    /// It has not seen what moved.
    Lags,
    /// The same for so many looks at a payment.
    LagsFor(u32),
    /// It knows which nonces are used, and has lost the events that say by what.
    HasNoEvents,
}

impl State {
    /// A node of the chain: a transfer stands in the transaction that has its nonce for a hash.
    pub fn ask_chain(&self, question: &Value) -> Value {
        if self.node.get() == Node::Refuses {
            return json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32_005, "message": "limit exceeded"}});
        }
        let data = question["params"][0]["data"].as_str().unwrap_or_default();
        let nonce = question["params"][0]["topics"][2].as_str().or(question["params"][0].as_str()).map(str::to_owned);
        let nonce = nonce.unwrap_or_else(|| format!("0x{}", &data[data.len().saturating_sub(64)..]));
        let sees = match self.node.get() {
            Node::Honest | Node::Refuses | Node::HasNoEvents | Node::LagsFor(0) => true,
            Node::Lags => false,
            Node::LagsFor(looks) => {
                if question["method"] == "eth_call" {
                    self.node.set(Node::LagsFor(looks - 1));
                }
                false
            }
        };
        let used = self.chain.borrow().contains_key(&nonce) && sees;
        let from = Signer::from_secret(&[7; 32]).unwrap().address().lower();
        let word = |address: &str| format!("0x{:0>64}", &address.to_ascii_lowercase()[2..]);
        let token = Network::BaseSepolia.usdc().address;
        let used_event = json!({
            "address": token, "transactionHash": nonce,
            "topics": [AUTHORIZATION_USED, word(&from), nonce],
        });
        let transfer = json!({
            "address": token, "data": format!("0x{:064x}", 10_000),
            "topics": [TRANSFER, word(&from), word(PAY_TO)],
        });
        let result = match question["method"].as_str().unwrap() {
            "eth_chainId" => json!(format!("{:#x}", Network::BaseSepolia.chain_id())),
            // The payer's balance: none.
            "eth_call" if data.starts_with("0x70a08231") => json!(format!("0x{:064x}", 0)),
            "eth_call" => json!(format!("0x{:064x}", u8::from(used))),
            "eth_getBlockByNumber" => {
                json!({"number": "0x10", "timestamp": format!("{:#x}", START_S + self.elapsed_ms.get() / 1000)})
            }
            "eth_blockNumber" => json!("0x10"),
            "eth_getLogs" if self.node.get() == Node::HasNoEvents => json!([]),
            "eth_getLogs" => json!([used_event]),
            _ => json!({"transactionHash": nonce, "status": "0x1", "logs": [used_event, transfer]}),
        };
        json!({"jsonrpc": "2.0", "id": 1, "result": result})
    }
}
