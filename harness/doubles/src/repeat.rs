//! What an honest facilitator answers to a `/settle` that it has answered before: each of three is common in the field, and
//! all of them are honest.

use super::{
    judgement::{Refused, nonce_used, succeeded},
    reason,
    request::Asked,
};
use crate::Repeats;
use sha3::{Digest, Keccak256};
use x402_protocol::v2::SettleResponse;

/// The answer of one facilitator to repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// It remembers its yes.
    #[default]
    Yes,
    /// It asks the chain, which says that the nonce is used.
    NonceUsed,
    /// It asks a node to simulate the transaction, which fails.
    InvalidState,
}

impl Repeat {
    /// The scenario's answer, or one drawn from the seed for this facilitator.
    #[must_use]
    pub fn of(repeats: Repeats, seed: u64, facilitator: &str) -> Self {
        match repeats {
            Repeats::Yes => Self::Yes,
            Repeats::NonceUsed => Self::NonceUsed,
            Repeats::InvalidState => Self::InvalidState,
            Repeats::Drawn => {
                let drawn =
                    Keccak256::digest([b"repeats".as_slice(), &seed.to_be_bytes(), facilitator.as_bytes()].concat());
                [Self::Yes, Self::NonceUsed, Self::InvalidState][usize::from(drawn[0]) % 3]
            }
        }
    }

    /// The answer about a payment that this transaction has settled.
    pub fn answer(self, asked: &Asked, transaction: &str) -> Result<SettleResponse, Refused> {
        let refused = |reason| Err(Refused { reason, payer: Some(asked.transfer.from()) });
        match self {
            Self::Yes => Ok(succeeded(asked, transaction)),
            Self::NonceUsed => refused(nonce_used(&asked.transfer)),
            Self::InvalidState => refused(reason::INVALID_TRANSACTION_STATE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Terms, testing::Bench};

    #[tokio::test]
    async fn a_repeat_is_answered_in_each_of_the_three_ways_and_moves_nothing() {
        for (repeats, says) in [
            (Repeat::NonceUsed, "invalid_exact_evm_nonce_already_used"),
            (Repeat::InvalidState, "invalid_transaction_state"),
        ] {
            let bench = Bench::new();
            let double = bench.double_with(Terms { repeats, ..Terms::default() }, vec![]).await;
            assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
            assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["errorReason"], says);
            assert_eq!(bench.stop(double).await.1, 1);
        }
    }

    #[test]
    fn what_is_drawn_is_the_seeds_and_the_facilitators_own_and_each_comes() {
        let drawn = |seed| Repeat::of(Repeats::Drawn, seed, "primary");
        assert_eq!(drawn(7), drawn(7));
        for wanted in [Repeat::Yes, Repeat::NonceUsed, Repeat::InvalidState] {
            assert!((0..50).map(drawn).any(|repeat| repeat == wanted), "{wanted:?}");
        }
        assert!((0..50).any(|seed| drawn(seed) != Repeat::of(Repeats::Drawn, seed, "standby")));
        assert_eq!(Repeat::of(Repeats::Yes, 7, "primary"), Repeat::Yes);
    }
}
