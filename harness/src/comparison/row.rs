//! What is tried at both servers: a fault, or a request out of the ordinary.

use doubles::{
    FaultSpec,
    fault::{
        decline::Decline,
        lie::{Lie, LieAbout},
        pending::{Pending, PendingStyle},
        reset::{Reset, ResetAfter},
        settle_then_status::{SettleThenStatus, SettledBody},
        status::{Status, StatusBody},
    },
};
use reports::event::FaultRef;
use scenario::{Call, Inject, Money, Pick};

/// The path that is bought where nothing depends on it.
pub const QUOTE: &str = "/quote";

pub struct Row {
    pub name: &'static str,
    pub faults: Vec<FaultSpec>,
    pub deed: Deed,
    /// The status that the specification asks for, where it does.
    pub specified: Option<u16>,
}

/// The deeds of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Buys this path, and goes on as a conforming client does until it has an answer.
    Buy(&'static str),
    /// Sends one payment so many times at once.
    Together(usize),
    /// Is served, and sends the payment again.
    Again,
    /// Is served, and sends the payment for another path.
    Elsewhere,
    /// Sends a payment with a HEAD.
    Head,
    /// Asks without a payment.
    Unpaid(Method),
    /// Presents something else than a payment that was asked for.
    Present(Presented),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    NotBase64,
    NotJson,
    Version3,
    AnotherAmount,
    /// A sound payment whose signature is another's.
    Forged,
    /// A sound payment as a client of version 1 sends it.
    Version1,
}

/// The whole table, in its order.
pub fn rows() -> Vec<Row> {
    let verify = |name, inject| buy(name, vec![on(Call::Verify, Pick::First(1), inject)]);
    let settle = |name, pick, inject| buy(name, vec![on(Call::Settle, pick, inject)]);
    let html = |code| Inject::Status(Status { code, body: StatusBody::Html });
    let lie = |about, money| Inject::Lie(Lie { about, money });
    let no_funds = || Inject::Decline(Decline { reason: "insufficient_funds".to_owned() });
    let once = Pick::First(1);
    // As Coinbase's facilitator says it; the pick says how often.
    let pending = || Inject::Pending(Pending { style: PendingStyle::Coinbase, answers: None });
    let settled = |body| Inject::SettleThenStatus(SettleThenStatus { code: 502, body });
    let request = |name, deed, specified| Row { name, faults: Vec::new(), deed, specified };
    let present = |name, presented, specified| request(name, Deed::Present(presented), specified);
    vec![
        buy("nothing goes wrong", Vec::new()),
        verify("verify: no, insufficient funds", no_funds()),
        verify("verify: HTML 500", html(500)),
        verify("verify: HTML 429", html(429)),
        verify("verify: connection reset", Inject::Reset(Reset { after: ResetAfter::Head })),
        verify("verify: never answers", Inject::Hang),
        verify("verify: not JSON", Inject::BadJson),
        verify("verify: JSON of another shape", Inject::WrongShape),
        verify("verify: names another payer", lie(LieAbout::Payer, Money::Kept)),
        Row {
            name: "verify: yes to a forged signature, always",
            faults: vec![on(Call::Verify, Pick::All, lie(LieAbout::Success, Money::Kept))],
            deed: Deed::Present(Presented::Forged),
            specified: Some(402),
        },
        settle("settle: no, insufficient funds", once, no_funds()),
        settle("settle: HTML 500, nothing moved", once, html(500)),
        settle("settle: connection reset, nothing moved", once, Inject::Reset(Reset { after: ResetAfter::Head })),
        settle("settle: never answers, nothing moved", once, Inject::Hang),
        settle("settle: moves the money, then resets", once, Inject::SettleThenReset),
        settle("settle: moves the money, then never answers", once, Inject::SettleThenHang),
        settle("settle: moves the money, then HTML 502", once, settled(SettledBody::Html)),
        settle("settle: moves the money, its answer as a 502", once, settled(SettledBody::Answer)),
        settle("settle: moves the money, answer cut off", once, Inject::Truncate),
        settle("settle: moves the money, answer not JSON", once, Inject::BadJson),
        settle("settle: moves the money, JSON of another shape", once, Inject::WrongShape),
        settle("settle: pending once, then final", once, pending()),
        settle("settle: pending twice, then final", Pick::First(2), pending()),
        settle("settle: pending for ever", Pick::All, pending()),
        settle("settle: yes, without a transaction", once, lie(LieAbout::Transaction, Money::Kept)),
        settle("settle: yes, on another network", once, lie(LieAbout::Network, Money::Kept)),
        settle("settle: yes, by another payer", once, lie(LieAbout::Payer, Money::Kept)),
        settle("settle: yes, of another amount", once, lie(LieAbout::Amount, Money::Kept)),
        request("handler answers 302", Deed::Buy("/status/302"), None),
        request("handler answers 404", Deed::Buy("/status/404"), None),
        request("handler answers 500", Deed::Buy("/status/500"), None),
        request("handler throws", Deed::Buy("/throw"), None),
        request("no payment", Deed::Unpaid(Method::Get), Some(402)),
        request("no payment, HEAD", Deed::Unpaid(Method::Head), Some(402)),
        request("a payment with a HEAD", Deed::Head, None),
        present("payment is not base64", Presented::NotBase64, Some(400)),
        present("payment is not JSON", Presented::NotJson, Some(400)),
        present("payment of version 3", Presented::Version3, Some(400)),
        present("payment for another amount", Presented::AnotherAmount, Some(402)),
        present("payment of version 1 in `X-PAYMENT`", Presented::Version1, None),
        request("one payment, 5 requests at once", Deed::Together(5), None),
        request("one payment, sent again after it was served", Deed::Again, None),
        request("one payment, sent again for another path", Deed::Elsewhere, None),
    ]
}

fn buy(name: &'static str, faults: Vec<FaultSpec>) -> Row {
    Row { name, faults, deed: Deed::Buy(QUOTE), specified: None }
}

fn on(call: Call, pick: Pick, inject: Inject) -> FaultSpec {
    let fault = FaultRef { index: 0, on: super::FACILITATOR.to_owned(), inject: inject.name().to_owned() };
    FaultSpec { fault, call, window: 0..u64::MAX, pick, seed: 0, inject }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doubles::fault::{FAULTS, about::Compared};
    use std::collections::BTreeSet;

    #[test]
    fn every_fault_is_tried_or_says_why_it_is_not() {
        let tried: BTreeSet<_> = rows().iter().flat_map(|row| &row.faults).map(|spec| spec.inject.name()).collect();
        for fault in FAULTS {
            let name = fault.listed.name;
            match fault.compared {
                Compared::Yes => assert!(tried.contains(name), "{name} has no row"),
                Compared::Not { because } => assert!(!tried.contains(name) && !because.is_empty(), "{name}"),
            }
        }
    }

    #[test]
    fn no_two_rows_share_a_name() {
        let names: BTreeSet<_> = rows().iter().map(|row| row.name).collect();
        assert_eq!(names.len(), rows().len());
    }
}
