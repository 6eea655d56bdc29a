//! A node of the doubles' chain, which the dispatcher may ask what became of a payment; and how it differs from one that knows
//! everything at once.

use grammar::{Problem, Problems, text::TimeText, time};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// A node that is slower than this is waited for in vain.
const IN_TIME: Duration = Duration::from_secs(2);

/// The most blocks of a node's past, and of an answer.
const MAX_BLOCKS: u64 = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    Honest,
    /// It is so many blocks behind.
    Lagging(u64),
    /// It looks for events in so many blocks at a time.
    Narrow(u64),
    /// It says of every authorization that it was used, and has another transfer to show for it.
    Lying,
    /// It answers every question with an error.
    Refusing,
    /// It knows no state and no events from before so many blocks.
    Pruned(u64),
    /// It answers each question so much later.
    Slow(Duration),
    /// It is on another chain, where nothing of this one's ever happened.
    OtherChain,
    /// It shows another transfer for what has not moved, and says in each receipt that the transaction failed.
    Reverted,
    /// For what has not moved it shows an event that a reorganisation took back.
    Forked,
}

impl Node {
    /// Whether a dispatcher that asks it well knows in the end what became of a payment.
    pub fn tells_in_the_end(self) -> bool {
        match self {
            Self::Honest | Self::Lagging(_) | Self::Narrow(_) | Self::Pruned(_) => true,
            Self::Slow(by) => by < IN_TIME,
            Self::Lying | Self::Refusing | Self::OtherChain | Self::Reverted | Self::Forked => false,
        }
    }
}

#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[schemars(rename = "Node")]
pub enum RawNode {
    Honest {},
    /// It is so many blocks behind.
    Lagging {
        #[schemars(with = "u64", range(min = 1, max = MAX_BLOCKS))]
        blocks: Spanned<u64>,
    },
    /// It looks for events in so many blocks at a time.
    Narrow {
        #[schemars(with = "u64", range(min = 1, max = MAX_BLOCKS))]
        range: Spanned<u64>,
    },
    /// It says of every authorization that it was used, and has another transfer to show for it.
    Lying {},
    /// It answers every question with an error.
    Refusing {},
    /// It knows no state and no events from before so many blocks.
    Pruned {
        #[schemars(with = "u64", range(min = 1, max = MAX_BLOCKS))]
        blocks: Spanned<u64>,
    },
    /// It answers each question so much later.
    Slow {
        #[schemars(with = "TimeText")]
        by: Spanned<String>,
    },
    /// It is on another chain, where nothing of this one's ever happened.
    OtherChain {},
    /// It shows another transfer for what has not moved, and says in each receipt that the transaction failed.
    Reverted {},
    /// For what has not moved it shows an event that a reorganisation took back.
    Forked {},
}

impl RawNode {
    pub fn check(self, problems: &mut Problems) -> Option<Node> {
        let mut count = |raw: Spanned<u64>| {
            if !(1..=MAX_BLOCKS).contains(raw.get_ref()) {
                problems.add(Problem::new(raw.span(), format!("1 to {MAX_BLOCKS} blocks"), "out of range"));
            }
            raw.into_inner()
        };
        Some(match self {
            Self::Honest {} => Node::Honest,
            Self::Lagging { blocks } => Node::Lagging(count(blocks)),
            Self::Narrow { range } => Node::Narrow(count(range)),
            Self::Lying {} => Node::Lying,
            Self::Refusing {} => Node::Refusing,
            Self::Pruned { blocks } => Node::Pruned(count(blocks)),
            Self::Slow { by } => Node::Slow(time::check_positive(&by, problems)?),
            Self::OtherChain {} => Node::OtherChain,
            Self::Reverted {} => Node::Reverted,
            Self::Forked {} => Node::Forked,
        })
    }
}
