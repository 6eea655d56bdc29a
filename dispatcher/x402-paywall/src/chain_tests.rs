//! Holds the reading of the chain against what a real EVM node answered: `testdata/chain` has the token, the script that
//! recorded it, and the recording.

use super::*;
use crate::{
    binding::Binding,
    ledger::Authorized,
    ports::{FacilitatorAnswer, TransportError},
    window::Window,
};
use serde_json::value::RawValue;
use std::{
    cell::Cell,
    pin::pin,
    task::{Context, Poll, Waker},
};
use x402_protocol::{Network, PaymentFlow, TransferMethod, Version};

const RECORDED: &str = include_str!("../testdata/chain/recorded.json");
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
        let same = |entry: &&Value| entry["method"] == asked["method"] && entry["params"] == asked["params"];
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
        payment: "eip155:84532:0xa:0xf:0x1".to_owned(),
        tenant_id: "acme".to_owned(),
        binding: Binding::of("acme", "GET", "/", None),
        binding_to_place: Some(Binding::of("acme.example", "GET", "/", None)),
        version: Version::V2,
        flow: PaymentFlow::Authorization,
        request: RawValue::from_string("{}".to_owned()).unwrap(),
        payer: world("from").parse().unwrap(),
        network: Network::BaseSepolia,
        amount: Uint256::from(10_000),
        facilitators: Vec::new(),
        window: Window { method: TransferMethod::Eip3009, valid_after: 0, valid_before: VALID_BEFORE },
        proven: true,
        signature: "0x01".to_owned(),
        origin: None,
        content: None,
        authorized: Some(authorized),
        identifier: None,
        ignored_identifier: None,
    }
}

fn look_up(claim: &Claim, node: &Node) -> Word {
    let rpc = ChainRpc::new("https://node").unwrap();
    match pin!(rpc.look_up(claim, node)).poll(&mut Context::from_waker(Waker::noop())) {
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
    assert_eq!(look_up(&unused, &node), Word::NoNews, "it may still be used");
    node.late = true;
    assert_eq!(look_up(&unused, &node), Word::Never(Reason::ours("authorization_expired_unused")));
    unused.window.valid_before += 1_000;
    assert_eq!(look_up(&unused, &node), Word::NoNews, "by the chain's clock, not by ours");
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
                assert!(word == Word::NoNews || node.asked.get() < nth, "{nonce}, {nth}, {body}: {word:?}");
            }
        }
    }
}

#[test]
fn a_url_is_https_or_loopback() {
    assert!(ChainRpc::new("https://base.example/v1/key").is_ok() && ChainRpc::new("http://127.0.0.1:8545").is_ok());
    assert!(ChainRpc::new("http://base.example").is_err() && ChainRpc::new("http://127.0.0.1.evil.example").is_err());
}
