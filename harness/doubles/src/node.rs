//! A node of the doubles' chain, over JSON-RPC: as much of one as it takes to find out what became of a payment. What is
//! decided is apart from the wire, so that both tiers ask the same node.

use super::chain::{Chain, Settled};
use crate::Node;
use journal::Journal;
use reports::event::Event;
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};
use x402_protocol::{Address, Network, Transfer, hex, permit2::PERMIT2};

/// A block comes each two seconds, as on Base.
const BLOCK_S: u64 = 2;
/// The first one of this chain, in Unix seconds, long before any run.
const GENESIS_UNIX_S: u64 = 1_700_000_000;
/// How far what is final is behind what is latest.
const FINAL_AFTER_BLOCKS: u64 = 12;

pub struct NodeDouble {
    node: Node,
    network: Network,
    chain: Arc<Chain>,
    journal: Journal,
    /// The payer and nonce for which it has shown another transaction, so that it tells one story.
    shown: Mutex<BTreeMap<String, (String, String)>>,
}

/// Why a question has no result.
type Refused = &'static str;

impl NodeDouble {
    #[must_use]
    pub fn new(node: Node, network: Network, chain: &Arc<Chain>, journal: Journal) -> Self {
        Self { node, network, chain: Arc::clone(chain), journal, shown: Mutex::default() }
    }

    /// How long each answer takes.
    #[must_use]
    pub fn delay(&self) -> Duration {
        if let Node::Slow(by) = self.node { by } else { Duration::ZERO }
    }

    /// The body of the answer to a question's body, with its status.
    #[must_use]
    pub fn answer(&self, question: &[u8]) -> (u16, Vec<u8>) {
        let question: Value = serde_json::from_slice(question).unwrap_or_default();
        let method = question["method"].as_str().unwrap_or_default();
        let told = match self.node {
            Node::Refusing => Err("limit exceeded"),
            _ => self.tell(method, &question["params"]),
        };
        let (method, refused) = (method.to_owned(), told.is_err());
        self.journal.record(Event::NodeAsked { method, refused });
        let id = &question["id"];
        let (status, body) = match told {
            Ok(result) => (200, json!({"jsonrpc": "2.0", "id": id, "result": result})),
            Err(why) => {
                let status = if self.node == Node::Refusing { 429 } else { 200 };
                (status, json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32_000, "message": why}}))
            }
        };
        (status, body.to_string().into_bytes())
    }

    fn tell(&self, method: &str, params: &Value) -> Result<Value, Refused> {
        Ok(match method {
            "eth_chainId" if self.node == Node::OtherChain => json!("0x1"),
            "eth_chainId" => json!(format!("{:#x}", self.network.chain_id())),
            "eth_blockNumber" => json!(quantity(self.latest())),
            "eth_getBlockByNumber" => {
                let number = self.block(&params[0])?;
                json!({"number": quantity(number), "timestamp": quantity(time_of(number))})
            }
            "eth_call" => json!(self.call(&params[0], self.block(&params[1])?)?),
            "eth_getLogs" => self.logs(&params[0])?,
            "eth_getTransactionReceipt" => self.receipt(params[0].as_str().unwrap_or_default()),
            _ => return Err("the method does not exist"),
        })
    }

    fn latest(&self) -> u64 {
        let behind = if let Node::Lagging(blocks) = self.node { blocks } else { 0 };
        block_at(self.journal.clock().unix_now()).saturating_sub(behind)
    }

    fn block(&self, tag: &Value) -> Result<u64, Refused> {
        match tag.as_str() {
            Some("latest" | "pending") => Ok(self.latest()),
            Some("finalized" | "safe") => Ok(self.latest().saturating_sub(FINAL_AFTER_BLOCKS)),
            Some("earliest") => Ok(0),
            Some(number) => parsed(number).ok_or("invalid block number"),
            None => Err("invalid block number"),
        }
    }

    /// Whether it still has what was so long ago.
    fn has(&self, block: u64) -> Result<(), Refused> {
        match self.node {
            Node::Pruned(blocks) if block + blocks < self.latest() => Err("missing trie node"),
            _ => Ok(()),
        }
    }

    /// `authorizationState` and `balanceOf` of the token, and `nonceBitmap` of the Permit2 contract.
    fn call(&self, call: &Value, block: u64) -> Result<String, Refused> {
        self.has(block)?;
        let data = call["data"].as_str().or(call["input"].as_str()).unwrap_or_default();
        let is_to = |contract: &str| call["to"].as_str().is_some_and(|to| to.eq_ignore_ascii_case(contract));
        let argument = |from| data.get(from..from + 64).ok_or("execution reverted");
        if is_to(&PERMIT2.lower()) && data.get(..10) == Some(&topic("nonceBitmap(address,uint256)")[..10]) {
            return Ok(self.bitmap(argument(10)?, argument(74)?, block));
        }
        if !is_to(&self.token()) {
            return Err("execution reverted");
        }
        match data.get(..10) {
            Some("0xe94a0102") => Ok(truth(self.is_used(argument(10)?, argument(74)?, block))),
            Some("0x70a08231") => {
                let holder = format!("0x{}", &argument(10)?[24..]).parse().map_err(|_| "execution reverted")?;
                let balance = self.chain.balance_before(self.network, holder, |settled| mined(settled) > block);
                Ok(format!("0x{balance:064x}"))
            }
            _ => Err("execution reverted"),
        }
    }

    fn is_used(&self, from: &str, nonce: &str, block: u64) -> bool {
        let used = self.transfer(|settled| is_of(settled, from, nonce)).is_some_and(|settled| mined(&settled) <= block);
        match self.node {
            Node::Lying | Node::Forked | Node::Reverted => true,
            Node::OtherChain => false,
            _ => used,
        }
    }

    /// The word of nonces of an owner's that the place numbers: a bit for each that is used.
    fn bitmap(&self, owner: &str, place: &str, block: u64) -> String {
        let found = self.transfer(|settled| {
            let Transfer::Permit2(permit) = &settled.transfer else { return false };
            let own_place = hex::encode(&[&[0], &permit.nonce.0[..31]].concat());
            word(&permit.from)[2..].eq_ignore_ascii_case(owner) && own_place[2..].eq_ignore_ascii_case(place)
        });
        let mut bits = [0_u8; 32];
        if let Some(Settled { transfer: Transfer::Permit2(permit), .. }) =
            found.as_ref().filter(|settled| mined(settled) <= block)
        {
            let bit = usize::from(permit.nonce.0[31]);
            bits[31 - bit / 8] = 1 << (bit % 8);
        }
        hex::encode(&bits)
    }

    fn logs(&self, filter: &Value) -> Result<Value, Refused> {
        let (from, to) = (self.block(&filter["fromBlock"])?, self.block(&filter["toBlock"])?);
        if matches!(self.node, Node::Narrow(range) if to.saturating_sub(from) >= range) {
            return Err("query exceeds max block range");
        }
        self.has(from)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().trim_start_matches("0x").to_owned();
        let (payer, nonce) = (text(&filter["topics"][1]), text(&filter["topics"][2]));
        let found = self.transfer(|settled| is_of(settled, &payer, &nonce));
        let found = found.filter(|settled| (from..=to).contains(&mined(settled)) && mined(settled) <= self.latest());
        let found = match self.node {
            Node::Lying => self.another(&payer, &nonce),
            // Of a payment that has not moved, what it shows is another of its payer's.
            Node::Forked | Node::Reverted => found.or_else(|| {
                let another = self.another(&payer, &nonce)?;
                self.shown().insert(another.transaction.clone(), (payer.clone(), nonce.clone()));
                Some(another)
            }),
            Node::OtherChain => None,
            _ => found,
        };
        Ok(json!(found.iter().map(|settled| self.used_log(settled, &payer, &nonce)).collect::<Vec<_>>()))
    }

    fn receipt(&self, transaction: &str) -> Value {
        let found = self.transfer(|settled| settled.transaction.eq_ignore_ascii_case(transaction));
        let Some(settled) = found.filter(|settled| mined(settled) <= self.latest()) else { return Value::Null };
        let Transfer::Eip3009(paid) = &settled.transfer else { return Value::Null };
        let moved = json!({
            "address": self.token(),
            "topics": [topic("Transfer(address,address,uint256)"), word(&paid.from), word(&paid.to)],
            "data": hex::encode(&paid.value.0),
            "blockNumber": quantity(mined(&settled)),
            "transactionHash": settled.transaction,
        });
        let (payer, nonce) = (word(&paid.from)[2..].to_owned(), paid.nonce.to_string()[2..].to_owned());
        let mut logs = vec![self.used_log(&settled, &payer, &nonce), moved];
        if let Some((payer, nonce)) = self.shown().get(&settled.transaction) {
            let mut other = self.used_log(&settled, payer, nonce);
            other["removed"] = json!(false);
            logs.push(other);
        }
        json!({
            "transactionHash": settled.transaction,
            "status": if self.node == Node::Reverted { "0x0" } else { "0x1" },
            "blockNumber": quantity(mined(&settled)),
            "logs": logs,
        })
    }

    fn used_log(&self, settled: &Settled, payer: &str, nonce: &str) -> Value {
        json!({
            "address": self.token(),
            "topics": [topic("AuthorizationUsed(address,bytes32)"), format!("0x{payer}"), format!("0x{nonce}")],
            "data": "0x",
            "blockNumber": quantity(mined(settled)),
            "transactionHash": settled.transaction,
            "removed": self.node == Node::Forked && !is_of(settled, payer, nonce),
        })
    }

    /// Another transfer than the payment's: its payer's first one, or anybody's.
    fn another(&self, payer: &str, nonce: &str) -> Option<Settled> {
        let other = |settled: &Settled| !is_of(settled, payer, nonce);
        self.transfer(|settled| other(settled) && is_from(settled, payer)).or_else(|| self.transfer(other))
    }

    fn transfer(&self, wanted: impl Fn(&Settled) -> bool) -> Option<Settled> {
        self.chain.find(wanted)
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (String, String)>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn token(&self) -> String {
        self.network.usdc().address.lower()
    }
}

/// Whether it is of this payer's nonce, both as words without a prefix.
fn is_of(settled: &Settled, payer: &str, nonce: &str) -> bool {
    let Transfer::Eip3009(paid) = &settled.transfer else { return false };
    word(&paid.from)[2..].eq_ignore_ascii_case(payer) && paid.nonce.to_string()[2..].eq_ignore_ascii_case(nonce)
}

/// Whether it is a payment of this account's, a word without a prefix.
fn is_from(settled: &Settled, payer: &str) -> bool {
    word(&settled.transfer.from())[2..].eq_ignore_ascii_case(payer)
}

/// The block that it is in.
fn mined(settled: &Settled) -> u64 {
    block_at(settled.unix_s)
}

fn block_at(unix_s: u64) -> u64 {
    unix_s.saturating_sub(GENESIS_UNIX_S) / BLOCK_S
}

fn time_of(block: u64) -> u64 {
    GENESIS_UNIX_S + block * BLOCK_S
}

fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

fn parsed(quantity: &str) -> Option<u64> {
    u64::from_str_radix(quantity.strip_prefix("0x")?, 16).ok()
}

/// An ABI-encoded `bool`.
fn truth(value: bool) -> String {
    format!("0x{:064x}", u8::from(value))
}

fn topic(event: &str) -> String {
    hex::encode(&Keccak256::digest(event))
}

fn word(address: &Address) -> String {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.0);
    hex::encode(&word)
}

struct Responder(NodeDouble);

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let (status, body) = self.0.answer(&request.body);
        ResponseTemplate::new(status).set_body_raw(body, "application/json").set_delay(self.0.delay())
    }
}

/// Serves the node on loopback, until the server is dropped.
pub async fn serve(node: NodeDouble) -> MockServer {
    let server = MockServer::builder().disable_request_recording().start().await;
    Mock::given(any()).respond_with(Responder(node)).mount(&server).await;
    server
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, Payer};

    fn ask(node: &NodeDouble, method: &str, params: Value) -> Value {
        let question = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        serde_json::from_slice(&node.answer(question.to_string().as_bytes()).1).unwrap()
    }

    fn state_of(node: &NodeDouble, payer: &Payer, nonce: u8) -> Value {
        let token = Network::BaseSepolia.usdc().address.lower();
        let data = format!("0xe94a0102{}{}", &word(&payer.address())[2..], "0".repeat(62) + &format!("{nonce:02x}"));
        ask(node, "eth_call", json!([{"to": token, "data": data}, "latest"]))
    }

    fn logs_of(node: &NodeDouble, payer: &Payer, nonce: [u8; 32], back: u64) -> Value {
        let from = parsed(ask(node, "eth_blockNumber", json!([]))["result"].as_str().unwrap()).unwrap() - back;
        let topics =
            json!([[topic("AuthorizationUsed(address,bytes32)")], word(&payer.address()), hex::encode(&nonce)]);
        let filter = json!({"address": "0x0", "topics": topics, "fromBlock": quantity(from), "toBlock": "latest"});
        ask(node, "eth_getLogs", json!([filter]))
    }

    #[test]
    fn a_transfer_is_found_by_its_nonce_and_shown_by_its_receipt() {
        let bench = Bench::new();
        let payer = Payer::new(1);
        bench.chain.settle("primary", &payer.offer(), &payer.transfer(1));
        let node = |node| NodeDouble::new(node, Network::BaseSepolia, &bench.chain, bench.journal.clone());
        let honest = node(Node::Honest);
        assert_eq!(ask(&honest, "eth_chainId", json!([]))["result"], "0x14a34");
        let found = logs_of(&honest, &payer, [1; 32], 100);
        let transaction = found["result"][0]["transactionHash"].clone();
        let receipt = ask(&honest, "eth_getTransactionReceipt", json!([transaction]));
        assert_eq!(
            (&receipt["result"]["status"], &receipt["result"]["transactionHash"]),
            (&json!("0x1"), &transaction)
        );
        assert_eq!(logs_of(&honest, &payer, [2; 32], 100)["result"], json!([]));
        assert_eq!(state_of(&honest, &payer, 7)["result"], truth(false));

        assert!(logs_of(&node(Node::Narrow(50)), &payer, [1; 32], 100)["error"].is_object());
        assert_eq!(logs_of(&node(Node::Narrow(50)), &payer, [1; 32], 10)["result"].as_array().unwrap().len(), 1);
        assert_eq!(logs_of(&node(Node::Lagging(50)), &payer, [1; 32], 10)["result"], json!([]));
        assert!(logs_of(&node(Node::Pruned(50)), &payer, [1; 32], 100)["error"].is_object());
        assert_eq!(state_of(&node(Node::Lying), &payer, 7)["result"], truth(true));
        assert_eq!(node(Node::Refusing).answer(b"{}").0, 429);
    }
}
