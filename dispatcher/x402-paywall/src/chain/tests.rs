//! Holds the reading of the chain against what a real EVM node answered: `testdata/chain` has the token, the script that
//! recorded it, and the recording.

use super::*;
use crate::{
    ledger::Authorized,
    ports::{FacilitatorAnswer, HttpRequest, TransportError},
    window::Window,
};
use std::{
    cell::Cell,
    pin::pin,
    task::{Context, Poll, Waker},
};
use x402_protocol::{Address, Network, TransferMethod, Uint256};

const RECORDED: &str = include_str!("../../testdata/chain/recorded.json");
const VALID_BEFORE: u64 = 1_800_000_300;

/// The node, as it was recorded before or after the window had passed in a final block.
struct Node {
    recording: Value,
    late: bool,
    /// The answer to the n-th question is replaced.
    broken: Option<(usize, &'static str)>,
    asked: Cell<usize>,
}

impl FacilitatorTransport for Node {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        self.asked.set(self.asked.get() + 1);
        if let Some((_, body)) = self.broken.filter(|(nth, _)| *nth == self.asked.get()) {
            return Ok(FacilitatorAnswer { status: 200, body: body.as_bytes().to_vec() });
        }
        let asked: Value = serde_json::from_str(request.json.unwrap()).unwrap();
        // Fewer blocks than were recorded have the same event in them.
        let nonce = |question: &Value| question["params"][0]["topics"][2].clone();
        let same = |entry: &&Value| {
            entry["method"] == asked["method"]
                && (entry["params"] == asked["params"]
                    || entry["method"] == "eth_getLogs" && nonce(entry) == nonce(&asked))
        };
        let mut known = self.recording["recorded"].as_array().unwrap().iter().filter(same);
        let answer = if self.late { known.next_back() } else { known.next() };
        let answer = answer.unwrap_or_else(|| panic!("the node was never asked {asked}"));
        Ok(FacilitatorAnswer { status: 200, body: answer["answer"].to_string().into_bytes() })
    }
}

fn node() -> Node {
    let recording = serde_json::from_str(RECORDED).unwrap();
    Node { recording, late: false, broken: None, asked: Cell::new(0) }
}

fn claim(node: &Node, nonce: &str) -> Claim {
    let world = |key: &str| node.recording["world"][key].as_str().unwrap();
    let authorized = Authorized {
        token: world("token").parse().unwrap(),
        to: world("to").parse().unwrap(),
        nonce: world(nonce).parse().unwrap(),
    };
    Claim {
        payer: world("from").parse().unwrap(),
        amount: Uint256::from(10_000),
        window: Window { method: TransferMethod::Eip3009, valid_after: 0, valid_before: VALID_BEFORE },
        authorized: Some(authorized),
        ..crate::health::testing::claim(&[])
    }
}

fn look_up(claim: &Claim, node: &Node) -> Word {
    report(claim, node).word
}

fn report(claim: &Claim, node: &Node) -> Report {
    let nodes = ChainNodes::new(["https://node"], Network::BaseSepolia).unwrap();
    let (since, now) = (UnixMillis(1_800_000_000_000), UnixMillis(1_800_000_010_000));
    let look = Look { claim, since, now, with_funds: false };
    match pin!(nodes.look_up(&look, node)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(word) => word,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn a_transfer_that_stands_on_the_chain_is_settled_in_its_transaction() {
    let node = node();
    let transaction = node.recording["world"]["transaction"].as_str().unwrap().to_owned();
    assert_eq!(look_up(&claim(&node, "used"), &node), Word::Settled(transaction));
}

#[test]
fn a_nonce_used_by_another_transfer_is_no_news() {
    let node = node();
    let used = claim(&node, "used");
    let dearer = Claim { amount: Uint256::from(10_001), ..used.clone() };
    let to = Address([7; 20]);
    let elsewhere = Claim { authorized: used.authorized.map(|authorized| Authorized { to, ..authorized }), ..used };
    assert_eq!([look_up(&dearer, &node), look_up(&elsewhere, &node)], [Word::NoNews, Word::NoNews]);
}

#[test]
fn a_cancelled_authorization_never_moves() {
    let node = node();
    let word = look_up(&claim(&node, "cancelled"), &node);
    assert_eq!(word, Word::Never(Reason::ours("authorization_cancelled")));
}

#[test]
fn an_unused_one_never_moves_once_its_window_has_passed_in_a_final_block() {
    let mut node = node();
    let mut unused = claim(&node, "unused");
    assert_eq!(look_up(&unused, &node), Word::Unused { funded: None }, "it may still be used");
    node.late = true;
    assert_eq!(look_up(&unused, &node), Word::Never(Reason::ours("authorization_expired_unused")));
    unused.window.valid_before += 1_000;
    assert_eq!(look_up(&unused, &node), Word::Unused { funded: None }, "by the chain's clock, not by ours");
}

#[test]
fn a_node_of_another_chain_and_a_permit_are_no_news() {
    let node = node();
    let elsewhere = Claim { network: Network::Base, ..claim(&node, "used") };
    assert_eq!((look_up(&elsewhere, &node), node.asked.get()), (Word::NoNews, 1));
    let permit = Claim { authorized: None, ..claim(&node, "used") };
    assert_eq!((look_up(&permit, &node), node.asked.get()), (Word::NoNews, 1));
}

#[test]
fn no_broken_answer_is_news() {
    for nonce in ["used", "cancelled", "unused"] {
        for nth in 1..=5 {
            for body in [
                "",
                "<html>",
                "{}",
                r#"{"jsonrpc":"2.0","id":1,"result":null}"#,
                r#"{"jsonrpc":"2.0","id":1,"result":[]}"#,
                r#"{"jsonrpc":"2.0","id":1,"result":"0x"}"#,
                r#"{"jsonrpc":"2.0","id":2,"result":"0x1"}"#,
                r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"limit"}}"#,
            ] {
                let node = Node { late: true, broken: Some((nth, body)), ..node() };
                let word = look_up(&claim(&node, nonce), &node);
                // A node that only refuses may be asked for fewer blocks.
                let asked_again = body.contains("error") && nonce != "unused";
                assert!(
                    word == Word::NoNews || node.asked.get() < nth || asked_again,
                    "{nonce}, {nth}, {body}: {word:?}"
                );
            }
        }
    }
}

#[test]
fn a_url_is_https_or_loopback_or_the_networks_public_node() {
    let nodes = |url: &str| ChainNodes::new([url], Network::Base);
    assert!(nodes("https://base.example/v1/key").is_ok() && nodes("http://127.0.0.1:8545").is_ok());
    assert!(nodes("http://base.example").is_err() && nodes("http://127.0.0.1.evil.example").is_err());
    assert_eq!(nodes("public").unwrap().urls[..], ["https://mainnet.base.org"]);
}

/// A chain of paper that looks through so many blocks at once, with the event in one of them.
struct Narrow {
    most: u64,
    event_at: u64,
    asked: Cell<usize>,
}

const LATEST: u64 = 1_000_000;

impl FacilitatorTransport for Narrow {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let asked: Value = serde_json::from_str(request.json.unwrap()).unwrap();
        let recorded = node();
        let plain = recorded.recording["recorded"].as_array().unwrap();
        let answer = match asked["method"].as_str().unwrap() {
            "eth_blockNumber" => json!({"jsonrpc": "2.0", "id": 1, "result": format!("{LATEST:#x}")}),
            "eth_getLogs" => {
                self.asked.set(self.asked.get() + 1);
                let filter = &asked["params"][0];
                let block = |key: &str| match filter[key].as_str().unwrap() {
                    "latest" => LATEST,
                    number => u64::from_str_radix(&number[2..], 16).unwrap(),
                };
                let (from, to) = (block("fromBlock"), block("toBlock"));
                if to - from + 1 > self.most {
                    json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "query exceeds range"}})
                } else if (from..=to).contains(&self.event_at) {
                    let logs = |entry: &&Value| entry["method"] == "eth_getLogs";
                    plain.iter().find(logs).unwrap()["answer"].clone()
                } else {
                    json!({"jsonrpc": "2.0", "id": 1, "result": []})
                }
            }
            method => {
                let same = |entry: &&Value| entry["method"] == method && entry["params"] == asked["params"];
                plain.iter().find(same).unwrap()["answer"].clone()
            }
        };
        Ok(FacilitatorAnswer { status: 200, body: answer.to_string().into_bytes() })
    }
}

#[test]
fn a_node_that_looks_through_few_blocks_is_asked_for_fewer_around_the_first_attempt() {
    let used = claim(&node(), "used");
    let look_up = |most, ago_s: u64| {
        let node = Narrow { most, event_at: LATEST - ago_s / 2, asked: Cell::new(0) };
        let nodes = ChainNodes::new(["https://node"], Network::BaseSepolia).unwrap();
        let now = UnixMillis((VALID_BEFORE + ago_s) * 1_000);
        let look = Look { claim: &used, since: UnixMillis((VALID_BEFORE - 60) * 1_000), now, with_funds: false };
        match pin!(nodes.look_up(&look, &node)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(report) => (report, node.asked.get()),
            Poll::Pending => panic!("nothing here waits"),
        }
    };
    // Found at once where the node takes what the window needs, a day later as well.
    for ago_s in [0, 100, 86_400] {
        let (report, asked) = look_up(500, ago_s);
        assert!(matches!(report.word, Word::Settled(_)) && asked == 1, "{ago_s}: {report:?}, {asked}");
    }
    let (report, asked) = look_up(100, 0);
    assert!(matches!(report.word, Word::Settled(_)) && asked <= 8, "{report:?}, {asked}");
    // A node that takes none is no news, and the log says why.
    let (report, _) = look_up(0, 0);
    assert_eq!(report.word, Word::NoNews);
    assert!(report.trouble.unwrap().contains("eth_getLogs: query exceeds range"));
}

/// Nodes by the host that they are asked at.
struct Several(Vec<(&'static str, Node)>);

impl FacilitatorTransport for Several {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        match self.0.iter().find(|(url, _)| *url == request.url) {
            Some((_, node)) => node.send(request).await,
            None => Err(TransportError::Unreachable),
        }
    }
}

#[test]
fn the_next_node_is_asked_where_one_is_out_of_reach_and_two_that_disagree_prove_nothing() {
    let look_up = |nonce: &str, nodes: Several, urls: [&str; 2]| {
        let claim = claim(&node(), nonce);
        let chain = ChainNodes::new(urls, Network::BaseSepolia).unwrap();
        let (since, now) = (UnixMillis(1_800_000_000_000), UnixMillis(1_800_000_010_000));
        let look = Look { claim: &claim, since, now, with_funds: false };
        match pin!(chain.look_up(&look, &nodes)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(report) => report,
            Poll::Pending => panic!("nothing here waits"),
        }
    };
    let late = || Node { late: true, ..node() };
    let report = look_up("used", Several(vec![("https://b", node())]), ["https://a", "https://b"]);
    assert!(matches!(report.word, Word::Settled(_)));
    assert_eq!(report.trouble.as_deref(), Some("node 1 of 2: unreachable"));
    let both = Several(vec![("https://a", late()), ("https://b", node())]);
    let report = look_up("unused", both, ["https://a", "https://b"]);
    assert_eq!(report.word, Word::Never(Reason::ours("authorization_expired_unused")), "the other one is only behind");
    // One says that the nonce was never used, another shows the transfer.
    let unused =
        r#"{"jsonrpc":"2.0","id":1,"result":"0x0000000000000000000000000000000000000000000000000000000000000000"}"#;
    let final_ = r#"{"jsonrpc":"2.0","id":1,"result":{"number":"0x6","timestamp":"0xffffffff"}}"#;
    let liar = Scripted(vec!["0x14a34", "unused", "final", "unused"], unused, final_, Cell::new(0));
    let report = contradicted(liar);
    assert_eq!((report.word, report.trouble.is_some()), (Word::NoNews, true));
}

/// Answers in this order, whatever is asked; then as the recorded node.
struct Scripted(Vec<&'static str>, &'static str, &'static str, Cell<usize>);

impl FacilitatorTransport for Scripted {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        if request.url == "https://b" {
            return node().send(request).await;
        }
        let body = match self.0[self.3.replace(self.3.get() + 1)] {
            "unused" => self.1.to_owned(),
            "final" => self.2.to_owned(),
            other => format!(r#"{{"jsonrpc":"2.0","id":1,"result":"{other}"}}"#),
        };
        Ok(FacilitatorAnswer { status: 200, body: body.into_bytes() })
    }
}

fn contradicted(liar: Scripted) -> Report {
    let claim = claim(&node(), "used");
    let chain = ChainNodes::new(["https://a", "https://b"], Network::BaseSepolia).unwrap();
    let (since, now) = (UnixMillis(1_800_000_000_000), UnixMillis(1_800_000_010_000));
    let look = Look { claim: &claim, since, now, with_funds: false };
    match pin!(chain.look_up(&look, &liar)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(report) => report,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn a_permit_never_moves_once_its_deadline_has_passed_unused_in_a_final_block_and_a_used_one_is_no_news() {
    let permit = |nonce: u8| Claim {
        payment: format!(
            "eip155:84532:0x000000000022d473030f116ddee9f6b43ac78ba3:0xf:0x{}{nonce:02x}",
            "00".repeat(31)
        ),
        authorized: None,
        window: Window { method: TransferMethod::Permit2, valid_after: 0, valid_before: VALID_BEFORE },
        ..claim(&node(), "used")
    };
    let told = |nonce| {
        // The bitmap's lowest word, with the bit of nonce 9 set.
        let bitmap = format!("0x{:064x}", 1 << 9);
        let answers = Bitmap(bitmap);
        let chain = ChainNodes::new(["https://a"], Network::BaseSepolia).unwrap();
        let (since, now) = (UnixMillis(1_800_000_000_000), UnixMillis(1_800_000_010_000));
        let claim = permit(nonce);
        let look = Look { claim: &claim, since, now, with_funds: true };
        match pin!(chain.look_up(&look, &answers)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(report) => report.word,
            Poll::Pending => panic!("nothing here waits"),
        }
    };
    assert_eq!(told(8), Word::Never(Reason::ours("authorization_expired_unused")));
    assert_eq!(told(9), Word::NoNews);
}

/// A node whose Permit2 contract has this bitmap.
struct Bitmap(String);

impl FacilitatorTransport for Bitmap {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let asked: Value = serde_json::from_str(request.json.unwrap()).unwrap();
        let result = match asked["method"].as_str().unwrap() {
            "eth_chainId" => json!("0x14a34"),
            "eth_call" => {
                assert!(asked["params"][0]["data"].as_str().unwrap().starts_with("0x4fe02b44"), "nonceBitmap");
                json!(self.0)
            }
            "eth_getBlockByNumber" => json!({"number": "0x6", "timestamp": "0xffffffff"}),
            method => panic!("{method}"),
        };
        let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
        Ok(FacilitatorAnswer { status: 200, body: body.into_bytes() })
    }
}
