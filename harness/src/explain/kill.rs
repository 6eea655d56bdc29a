//! A kill in words.

use scenario::{Kill, When, show};

pub fn tell(kill: &Kill) -> String {
    let moment = match kill.when() {
        When::At(_) => "now".to_owned(),
        When::Random { times, window } => format!("at {times} random moments until {}", show(window.to())),
        When::Payment { reaches, window } => {
            let stage = reaches.as_logged().replace('_', " ");
            format!("when first a payment is {stage}, by {}", show(window.to()))
        }
        When::Stored { of, .. } => format!("when first a record is stored as {}", of.as_logged()),
        When::MoneyMoves { window } => format!("when first money moves, by {}", show(window.to())),
    };
    format!("the dispatcher is killed {moment}, and started again on what it left")
}
