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

impl Node {
    /// Our own clock, when it was recorded.
    fn now(&self) -> UnixMillis {
        UnixMillis(1_800_000_010_000 + if self.late { 600_000 } else { 0 })
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
    let since = UnixMillis(1_800_000_000_000);
    let look = Look { claim, since, now: node.now(), with_funds: false };
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
fn a_nonce_used_by_another_transfer_is_used_and_no_more_is_known() {
    let node = node();
    let used = claim(&node, "used");
    let dearer = Claim { amount: Uint256::from(10_001), ..used.clone() };
    let to = Address([7; 20]);
    let elsewhere = Claim { authorized: used.authorized.map(|authorized| Authorized { to, ..authorized }), ..used };
    assert_eq!([look_up(&dearer, &node), look_up(&elsewhere, &node)], [Word::Used, Word::Used]);
}

#[test]
fn a_cancelled_authorization_never_moves_once_its_block_is_final() {
    let mut node = node();
    let cancelled = claim(&node, "cancelled");
    assert_eq!(look_up(&cancelled, &node), Word::Used, "its block may still be taken back");
    node.late = true;
    assert_eq!(look_up(&cancelled, &node), Word::Never(Reason::ours("authorization_cancelled")));
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
                    matches!(word, Word::NoNews | Word::Used) || node.asked.get() < nth || asked_again,
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
    /// Refuses with this status and a page in place of JSON.
    plain: Option<u16>,
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
                if let Some(status) = self.plain {
                    return Ok(FacilitatorAnswer { status, body: b"<html>no</html>".to_vec() });
                }
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
        let node = Narrow { most, event_at: LATEST - ago_s / 2, asked: Cell::new(0), plain: None };
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
    // A node that takes none knows no more than that it is used, and the log says why.
    let (report, _) = look_up(0, 0);
    assert_eq!(report.word, Word::Used);
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
        let (since, now) = (UnixMillis(1_800_000_000_000), Node { late: true, ..node() }.now());
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
    let final_ = r#"{"jsonrpc":"2.0","id":1,"result":{"number":"0x6","timestamp":"0x6b49d360"}}"#;
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
    let (since, now) = (UnixMillis(1_800_000_000_000), Node { late: true, ..node() }.now());
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
        let (since, now) = (UnixMillis(1_800_000_000_000), Node { late: true, ..node() }.now());
        let claim = permit(nonce);
        let look = Look { claim: &claim, since, now, with_funds: true };
        match pin!(chain.look_up(&look, &answers)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(report) => report.word,
            Poll::Pending => panic!("nothing here waits"),
        }
    };
    assert_eq!(told(8), Word::Never(Reason::ours("authorization_expired_unused")));
    assert_eq!(told(9), Word::Used);
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
            "eth_getBlockByNumber" => json!({"number": "0x6", "timestamp": "0x6b49d360"}),
            method => panic!("{method}"),
        };
        let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
        Ok(FacilitatorAnswer { status: 200, body: body.into_bytes() })
    }
}

/// A chain of paper: a nonce that is used or not at each block, and funds at each block.
struct Paper {
    latest: u64,
    used_from: u64,
    poor_from: u64,
    /// Changes the answer to this method.
    odd: Option<(&'static str, Odd)>,
}

/// Changes an answer.
type Odd = fn(Value) -> (u16, String);

impl FacilitatorTransport for Paper {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let asked: Value = serde_json::from_str(request.json.unwrap()).unwrap();
        let (method, recorded) = (asked["method"].as_str().unwrap(), node());
        let block = |tag: &Value| match tag.as_str().unwrap() {
            "latest" => self.latest,
            number => u64::from_str_radix(&number[2..], 16).unwrap(),
        };
        let of_kind = |entry: &&Value| {
            entry["method"] == method
                && (method != "eth_getLogs" || entry["params"][0]["topics"][2] == asked["params"][0]["topics"][2])
        };
        let result = match method {
            "eth_blockNumber" => json!(format!("{:#x}", self.latest)),
            "eth_getBlockByNumber" => json!({"number": "0x1", "timestamp": "0x6b49d204"}),
            "eth_call" => {
                let at = block(&asked["params"][1]);
                let is_balance = asked["params"][0]["data"].as_str().unwrap().starts_with("0x70a08231");
                let said =
                    if is_balance { u64::from(at < self.poor_from) * 10_000 } else { u64::from(at >= self.used_from) };
                json!(format!("0x{said:064x}"))
            }
            _ => recorded.recording["recorded"].as_array().unwrap().iter().find(of_kind).unwrap()["answer"]["result"]
                .clone(),
        };
        let body = json!({"jsonrpc": "2.0", "id": 1, "result": result});
        let (status, body) = match self.odd.filter(|(of, _)| *of == method || *of == "every") {
            Some((_, odd)) => odd(body),
            None => (200, body.to_string()),
        };
        Ok(FacilitatorAnswer { status, body: body.into_bytes() })
    }
}

fn told_by(paper: &[(&str, &Paper)], with_funds: bool) -> Report {
    struct Papers<'a>(&'a [(&'a str, &'a Paper)]);
    impl FacilitatorTransport for Papers<'_> {
        async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
            let (_, paper) = self.0.iter().find(|(url, _)| *url == request.url).unwrap();
            paper.send(request).await
        }
    }
    let claim = claim(&node(), "used");
    let chain = ChainNodes::new(paper.iter().map(|(url, _)| *url), Network::BaseSepolia).unwrap();
    let (since, now) = (UnixMillis(1_800_000_000_000), UnixMillis(1_800_000_010_000));
    let look = Look { claim: &claim, since, now, with_funds };
    match pin!(chain.look_up(&look, &Papers(paper))).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(report) => report,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// A node that moved on from one block to the next between two questions.
struct MovesOn {
    asked: Cell<u64>,
}

impl FacilitatorTransport for MovesOn {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        self.asked.set(self.asked.get() + 1);
        let latest = if self.asked.get() < 3 { 5 } else { 6 };
        Paper { latest, used_from: 6, poor_from: 6, odd: None }.send(request).await
    }
}

#[test]
fn a_lack_of_funds_counts_only_in_a_block_in_which_nothing_has_moved() {
    let paper = |used_from, poor_from| Paper { latest: 5, used_from, poor_from, odd: None };
    let word = |used_from, poor_from| told_by(&[("https://a", &paper(used_from, poor_from))], true).word;
    assert_eq!(word(9, 9), Word::Unused { funded: Some(true) });
    assert_eq!(word(9, 5), Word::Unused { funded: Some(false) });
    // The transfer itself takes the funds in the block that comes between two questions.
    let claim = claim(&node(), "used");
    let chain = ChainNodes::new(["https://a"], Network::BaseSepolia).unwrap();
    let (since, now) = (UnixMillis(1_800_000_000_000), UnixMillis(1_800_000_010_000));
    let (look, node) = (Look { claim: &claim, since, now, with_funds: true }, MovesOn { asked: Cell::new(0) });
    let looked = pin!(chain.look_up(&look, &node)).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(looked, Poll::Ready(Report { word: Word::Used, .. })), "{looked:?}");
}

#[test]
fn funds_that_one_node_sees_are_funds_and_what_one_has_seen_used_is_used() {
    let poor = Paper { latest: 5, used_from: 9, poor_from: 0, odd: None };
    let rich = Paper { latest: 5, used_from: 9, poor_from: 9, odd: None };
    let without_events = Paper {
        latest: 5,
        used_from: 0,
        poor_from: 0,
        odd: Some(("eth_getLogs", |_| (200, r#"{"id":1,"error":{"code":-32000,"message":"pruned"}}"#.to_owned()))),
    };
    let word = |one, other| told_by(&[("https://a", one), ("https://b", other)], true).word;
    assert_eq!(word(&poor, &rich), Word::Unused { funded: Some(true) });
    assert_eq!(word(&rich, &poor), Word::Unused { funded: Some(true) });
    assert_eq!([word(&poor, &without_events), word(&without_events, &poor)], [Word::Used, Word::Used]);
}

#[test]
fn an_answer_is_read_in_each_spelling_that_nodes_have() {
    let settled = node().recording["world"]["transaction"].as_str().unwrap().to_owned();
    let spellings: [(&str, Odd); 9] = [
        ("a batch of one", |body| (200, json!([body]).to_string())),
        ("its id as text", |mut body| {
            body["id"] = json!("1");
            (200, body.to_string())
        }),
        ("an empty error", |mut body| {
            body["error"] = json!({});
            (200, body.to_string())
        }),
        ("no error", |mut body| {
            body["error"] = json!(null);
            (200, body.to_string())
        }),
        ("another status", |body| (500, body.to_string())),
        ("a mark at its head", |body| (200, format!("\u{feff}{body}"))),
        ("hashes without 0x", |body| {
            (
                200,
                body.to_string()
                    .replace("\"0x", "\"")
                    .replace("\"14a34\"", "84532")
                    .replace("\"5\"", "5")
                    .replace("\"status\":\"1\"", "\"status\":1"),
            )
        }),
        ("capitals", |body| {
            (
                200,
                body.to_string()
                    .to_uppercase()
                    .replace("\"JSONRPC\"", "\"jsonrpc\"")
                    .replace("\"ID\"", "\"id\"")
                    .replace("\"RESULT\"", "\"result\"")
                    .replace("\"TOPICS\"", "\"topics\"")
                    .replace("\"DATA\"", "\"data\"")
                    .replace("\"ADDRESS\"", "\"address\"")
                    .replace("\"STATUS\"", "\"status\"")
                    .replace("\"LOGS\"", "\"logs\"")
                    .replace("\"TRANSACTIONHASH\"", "\"transactionHash\"")
                    .replace("\"BLOCKHASH\"", "\"blockHash\"")
                    .replace(":TRUE", ":true")
                    .replace(":FALSE", ":false")
                    .replace(":NULL", ":null"),
            )
        }),
        ("a status that is true", |body| (200, body.to_string().replace("\"status\":\"0x1\"", "\"status\":true"))),
    ];
    for (what, odd) in spellings {
        let paper = Paper { latest: 5, used_from: 0, poor_from: 9, odd: Some(("every", odd)) };
        let report = told_by(&[("https://a", &paper)], false);
        assert_eq!(report.word, Word::Settled(settled.clone()), "{what}: {:?}", report.trouble);
    }
}

#[test]
fn a_receipt_of_another_fork_or_of_a_failure_shows_nothing() {
    let odd: [Odd; 4] = [
        |mut body| {
            body["result"]["blockHash"] = json!(format!("0x{}", "1".repeat(64)));
            (200, body.to_string())
        },
        |mut body| {
            body["result"]["status"] = json!("0x0");
            (200, body.to_string())
        },
        |mut body| {
            body["result"]["logs"] = json!([]);
            (200, body.to_string())
        },
        |mut body| {
            body["result"]["transactionHash"] = json!(format!("0x{}", "1".repeat(64)));
            (200, body.to_string())
        },
    ];
    for odd in odd {
        let paper = Paper { latest: 5, used_from: 0, poor_from: 9, odd: Some(("eth_getTransactionReceipt", odd)) };
        let report = told_by(&[("https://a", &paper)], false);
        assert_eq!((report.word, report.trouble.is_some()), (Word::Used, true));
    }
}

#[test]
fn a_refusal_in_no_json_is_still_one_and_a_rate_is_not_pressed() {
    let most = |status: u16| {
        let node = Narrow { most: 0, event_at: 0, asked: Cell::new(0), plain: Some(status) };
        let claim = claim(&self::node(), "used");
        let chain = ChainNodes::new(["https://a"], Network::BaseSepolia).unwrap();
        let (since, now) = (UnixMillis(1_800_000_000_000), UnixMillis(1_800_000_010_000));
        let look = Look { claim: &claim, since, now, with_funds: false };
        let looked = pin!(chain.look_up(&look, &node)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(looked, Poll::Ready(Report { word: Word::Used, trouble: Some(_) })), "{looked:?}");
        node.asked.get()
    };
    assert!(most(413) > 1 && most(400) > 1);
    assert_eq!((most(429), most(503)), (1, 1));
}

/// A window that the chain's clock or ours alone calls closed is not.
#[test]
fn a_final_block_counts_after_the_window_by_both_clocks() {
    let unused = claim(&node(), "unused");
    let looked = |now: u64, time: u64| {
        let claim = &unused;
        let chain = ChainNodes::new(["https://a"], Network::BaseSepolia).unwrap();
        let look =
            Look { claim, since: UnixMillis(1_800_000_000_000), now: UnixMillis(now * 1_000), with_funds: false };
        let node = FinalAt(time);
        match pin!(chain.look_up(&look, &node)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(report) => report.word,
            Poll::Pending => panic!("nothing here waits"),
        }
    };
    let never = Word::Never(Reason::ours("authorization_expired_unused"));
    assert_eq!(looked(VALID_BEFORE + 60, VALID_BEFORE), never);
    assert_eq!(looked(VALID_BEFORE - 1, VALID_BEFORE), Word::Unused { funded: None });
    assert_eq!(looked(VALID_BEFORE + 60, VALID_BEFORE - 1), Word::Unused { funded: None });
    assert_eq!(looked(VALID_BEFORE + 60, VALID_BEFORE + 86_400), Word::NoNews, "its clock is none to go by");
}

/// A node on which nothing ever moved, whose final block has this time.
struct FinalAt(u64);

impl FacilitatorTransport for FinalAt {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let asked: Value = serde_json::from_str(request.json.unwrap()).unwrap();
        let result = match asked["method"].as_str().unwrap() {
            "eth_chainId" => json!("0x14a34"),
            "eth_getBlockByNumber" => json!({"number": "0x6", "timestamp": format!("{:#x}", self.0)}),
            _ => json!(format!("0x{:064x}", 0)),
        };
        let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
        Ok(FacilitatorAnswer { status: 200, body: body.into_bytes() })
    }
}
