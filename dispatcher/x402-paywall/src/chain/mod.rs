//! What the chain itself says of a payment whose settlement nobody can tell, read over JSON-RPC.
//!
//! A node may lie, lag, hang or die like anybody else. Only what fits together is believed: the right chain, the nonce's
//! state, the one event that used it up, and the transfer of exactly this payment in that event's transaction. Anything else
//! is no news, and the payment stays open. Several nodes are asked in turn, and one that contradicts another proves nothing.

mod in_time;
mod logs;
mod node;
mod spelling;
mod transfer;

pub(crate) use in_time::InTime;

use crate::{Reason, UnixMillis, claim::Claim, facilitator::transport::FacilitatorTransport};
use node::{Node, Told};
use serde_json::{Value, json};
use std::{fmt, rc::Rc};
use transfer::Transfer;
use x402_protocol::Network;

/// Stands for the network's public node in a list of URLs.
pub const PUBLIC: &str = "public";

/// The nodes of one network, in the order in which they are asked.
#[derive(Clone)]
pub struct ChainNodes {
    urls: Rc<[String]>,
}

/// Without the URLs: such URLs carry keys.
impl fmt::Debug for ChainNodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainNodes({})", self.urls.len())
    }
}

/// The payment to look up.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    pub claim: &'a Claim,
    /// A time at which this purchase had not been asked to be settled.
    pub since: UnixMillis,
    pub now: UnixMillis,
    /// Whether it matters how much the payer has.
    pub with_funds: bool,
}

/// The chain's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The payment stands on the chain, in this transaction.
    Settled(String),
    /// It never moved, and never can.
    Never(Reason),
    /// It has not moved in the latest block, and may still. `funded` says whether the payer has enough, where that was asked.
    Unused {
        funded: Option<bool>,
    },
    /// Its nonce is used up, and no node can show by what.
    Used,
    NoNews,
}

/// A word, and what an operator should know of how it was come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub word: Word,
    /// Why a node was of no use. Names no URL.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodesError {
    #[error("is not a JSON list of URLs, as [\"https://...\"]")]
    NotAList,
    #[error("URL {0} of the list must be https (http is for loopback only), or \"public\"")]
    InsecureUrl(usize),
}

impl ChainNodes {
    /// Reads a JSON list of URLs, of which one may be `"public"`. An empty list is no node.
    pub fn from_json(json: &str, network: Network) -> Result<Option<Self>, NodesError> {
        let urls: Vec<String> = x402_protocol::json::read(json).map_err(|_| NodesError::NotAList)?;
        let nodes = Self::new(urls.iter().map(String::as_str), network)?;
        Ok(Some(nodes).filter(|nodes| !nodes.urls.is_empty()))
    }

    /// The nodes at these URLs.
    pub fn new<'a>(urls: impl IntoIterator<Item = &'a str>, network: Network) -> Result<Self, NodesError> {
        let safe = ["https://", "http://127.0.0.1:", "http://localhost:"];
        let mut checked = Vec::new();
        for (index, url) in urls.into_iter().enumerate() {
            match url {
                PUBLIC => checked.push(public_node(network).to_owned()),
                _ if safe.iter().any(|start| url.starts_with(start)) => checked.push(url.to_owned()),
                _ => return Err(NodesError::InsecureUrl(index + 1)),
            }
        }
        Ok(Self { urls: checked.into() })
    }

    /// Looks the payment up, at one node after the other until one can tell.
    pub async fn look_up(&self, look: &Look<'_>, transport: &impl FacilitatorTransport) -> Report {
        let Some(transfer) = Transfer::of(look.claim) else { return Report { word: Word::NoNews, trouble: None } };
        let mut best = Word::NoNews;
        let mut trouble = None;
        for (position, url) in self.urls.iter().enumerate() {
            let told = Node { url, transport }.read(&transfer, look).await;
            let (word, why) = match told {
                Ok(Told { word, trouble }) => (word, trouble),
                Err(why) => (Word::NoNews, Some(why)),
            };
            if let Some(why) = why {
                trouble = Some(format!("node {} of {}: {why}", position + 1, self.urls.len()));
            }
            best = match best.beside(word) {
                Ok(word) => word,
                Err(Contradicted) => {
                    return Report { word: Word::NoNews, trouble: Some("two nodes contradict each other".to_owned()) };
                }
            };
            if matches!(best, Word::Settled(_)) {
                break;
            }
        }
        Report { word: best, trouble }
    }
}

/// One of two nodes is wrong, and nothing says which.
struct Contradicted;

impl Word {
    /// Joins the word of two nodes. Whoever has seen it used up has seen it: one that has not is behind. But what
    /// was seen to be used can never be shown to be unused for good.
    fn beside(self, other: Self) -> Result<Self, Contradicted> {
        let cancelled =
            |word: &Self| matches!(word, Self::Never(reason) if reason.as_str() == "authorization_cancelled");
        Ok(match (self, other) {
            (Self::NoNews, word) | (word, Self::NoNews) => word,
            (Self::Never(_), Self::Settled(_)) | (Self::Settled(_), Self::Never(_)) => return Err(Contradicted),
            (never @ Self::Never(_), Self::Used) | (Self::Used, never @ Self::Never(_)) if cancelled(&never) => never,
            (Self::Never(_), Self::Used) | (Self::Used, Self::Never(_)) => return Err(Contradicted),
            (settled @ Self::Settled(_), _) | (_, settled @ Self::Settled(_)) => settled,
            (never @ Self::Never(_), _) | (_, never @ Self::Never(_)) => never,
            (Self::Used, _) | (_, Self::Used) => Self::Used,
            // Funds that one of them has seen may be there.
            (Self::Unused { funded: one }, Self::Unused { funded: other }) => Self::Unused {
                funded: if one == Some(true) || other == Some(true) { Some(true) } else { one.or(other) },
            },
        })
    }
}

/// The node that Base's operators run for everybody. It is slow under load and keeps no promise: a start, not a production's.
#[must_use]
pub fn public_node(network: Network) -> &'static str {
    match network {
        Network::Base => "https://mainnet.base.org",
        Network::BaseSepolia => "https://sepolia.base.org",
    }
}

/// The body of a JSON-RPC question.
fn question(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

#[cfg(test)]
mod tests;
