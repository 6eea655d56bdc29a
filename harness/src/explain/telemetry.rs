//! A disturbance of telemetry in words.

use scenario::{Misdelivers, Misdelivery, Pick, show};

pub fn tell(disturbance: &Misdelivery) -> String {
    let which = match disturbance.pick() {
        Pick::All => "each batch".to_owned(),
        Pick::First(count) => format!("the first {count} batches"),
        Pick::Nth(number) => format!("the {number}th batch"),
        Pick::Every(step) => format!("one batch in {step}"),
        Pick::Odds(odds) => format!("with a chance of {} a batch", odds.get()),
    };
    let what = match disturbance.does() {
        Misdelivers::RefuseBatches {} => "is refused by the queue",
        Misdelivers::RefuseStores {} => "finds the database away, and waits",
        Misdelivers::DeliverTwice {} => "is delivered twice",
        Misdelivers::CutBatches {} => "arrives cut off",
    };
    format!("telemetry is disturbed until {}: {which} {what}", show(disturbance.window().to()))
}
