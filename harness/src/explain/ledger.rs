//! A disturbance of the settlement ledger in words.

use scenario::{Disturbance, Disturbs, LedgerCall, Pick, show};

pub fn tell(disturbance: &Disturbance) -> String {
    let which = match disturbance.pick() {
        Pick::All => "each time".to_owned(),
        Pick::First(count) => format!("the first {count} times"),
        Pick::Nth(number) => format!("the {number}th time"),
        Pick::Every(step) => format!("one time in {step}"),
        Pick::Odds(odds) => format!("with a chance of {}", odds.get()),
    };
    let what = match disturbance.does() {
        Disturbs::RefuseWrites => "its storage refuses to store a record",
        Disturbs::RefuseAlarms => "its storage refuses to set an alarm",
        Disturbs::LoseAnswers(LedgerCall::Claim) => "it claims, and its answer is lost",
        Disturbs::LoseAnswers(LedgerCall::Settle) => "it settles, and its answer is lost",
        Disturbs::LoseAnswers(LedgerCall::HandedOver) => "it takes note of a hand-over, and its answer is lost",
    };
    format!("the ledger is disturbed until {}: {which}, {what}", show(disturbance.window().to()))
}
