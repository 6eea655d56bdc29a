//! A node of the doubles' chain, which the dispatcher may ask what became of a payment; and how it differs from one that knows
//! everything at once.

use grammar::{Problem, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

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
}

impl Node {
    /// Whether a dispatcher that asks it well knows in the end what became of a payment.
    pub fn tells_in_the_end(self) -> bool {
        matches!(self, Self::Honest | Self::Lagging(_) | Self::Narrow(_) | Self::Pruned(_))
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
}

impl RawNode {
    pub fn check(self, problems: &mut Problems) -> Node {
        let mut count = |raw: Spanned<u64>| {
            if !(1..=MAX_BLOCKS).contains(raw.get_ref()) {
                problems.add(Problem::new(raw.span(), format!("1 to {MAX_BLOCKS} blocks"), "out of range"));
            }
            raw.into_inner()
        };
        match self {
            Self::Honest {} => Node::Honest,
            Self::Lagging { blocks } => Node::Lagging(count(blocks)),
            Self::Narrow { range } => Node::Narrow(count(range)),
            Self::Lying {} => Node::Lying,
            Self::Refusing {} => Node::Refusing,
            Self::Pruned { blocks } => Node::Pruned(count(blocks)),
        }
    }
}
