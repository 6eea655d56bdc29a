//! `numbers`: the honest answer, its amount as a number and not as a string of digits. The money moves.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
};
use crate::{ask::Ask, reply::Reply};
use grammar::Listed;
use serde_json::Value;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("numbers", "the answer, its amount as a number; the money moves", "{}"),
    on: OnCalls::Payments,
    moves: Moves::Always,
    swarm: Drawn::OnAnyCall(&["numbers = {}"]),
    compared: Compared::Not { because: "it differs from an honest answer in form alone" },
};

pub struct Numbers;

impl Behaviour for Numbers {
    fn says(&self) -> String {
        "answers with its amount as a number".to_owned()
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let honest = ask.honest();
        let mut body: Value = serde_json::from_slice(&honest.body).unwrap_or_default();
        let number = body["amount"].as_str().and_then(|amount| amount.parse::<u64>().ok());
        if let Some(number) = number {
            body["amount"] = number.into();
        }
        Reply::json(honest.status, &body)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Inject,
        testing::{Bench, always},
    };

    #[tokio::test]
    async fn the_amount_is_a_number() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::Numbers)).await;
        let settled = bench.post(&double, "/settle", 1).await.unwrap().1;
        assert_eq!((&settled["success"], &settled["amount"]), (&true.into(), &10_000.into()));
        assert_eq!(bench.stop(double).await.1, 1);
    }
}
