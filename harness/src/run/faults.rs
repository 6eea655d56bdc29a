//! The scenario's faults as the facilitator doubles take them.

use crate::{
    facilitator::{self, FaultSpec},
    scenario::{self, Fault, Pick},
};

/// The faults on the facilitator of this name, in the file's order.
#[must_use]
pub fn on(facilitator: &str, faults: &[Fault], seed: u64) -> Vec<FaultSpec> {
    faults.iter().filter(|fault| fault.on().as_str() == facilitator).map(|fault| spec(fault, seed)).collect()
}

fn spec(fault: &Fault, seed: u64) -> FaultSpec {
    let window = fault.window();
    FaultSpec {
        fault: fault.reference(),
        call: match fault.call() {
            scenario::Call::Verify => facilitator::Call::Verify,
            scenario::Call::Settle => facilitator::Call::Settle,
            scenario::Call::Any => facilitator::Call::Any,
        },
        window: window.from().as_micros() as u64..window.to().as_micros() as u64,
        pick: match fault.pick() {
            Pick::All => facilitator::Pick::Every,
            Pick::First(n) => facilitator::Pick::First(n),
            Pick::Nth(n) => facilitator::Pick::Nth(n),
            Pick::Every(n) => facilitator::Pick::EveryNth(n),
            Pick::Odds(odds) => facilitator::Pick::Odds { share: odds.get(), seed },
        },
        inject: inject(fault.inject()),
    }
}

fn inject(inject: &scenario::Inject) -> facilitator::Inject {
    use facilitator::Inject as Double;
    use scenario::Inject;
    match inject.clone() {
        Inject::Refuse => Double::Refuse,
        Inject::Reset { after } => Double::Reset {
            after: match after {
                scenario::ResetAfter::Accept => facilitator::After::Accept,
                scenario::ResetAfter::Head => facilitator::After::Head,
            },
        },
        Inject::Hang => Double::Hang,
        Inject::SettleThenHang => Double::SettleThenHang,
        Inject::SettleThenReset => Double::SettleThenReset,
        Inject::Truncate => Double::Truncate,
        Inject::Drip { every } => Double::Drip { every_ms: every.as_millis() as u64 },
        Inject::Garbage => Double::Garbage,
        Inject::Slow { by } => Double::Slow { by_ms: by.as_millis() as u64 },
        Inject::Status { code, body } => Double::Status {
            code,
            body: match body {
                scenario::StatusBody::Html => facilitator::StatusBody::Html,
                scenario::StatusBody::Empty => facilitator::StatusBody::Empty,
                scenario::StatusBody::Json => facilitator::StatusBody::Json,
            },
        },
        Inject::BadJson => Double::BadJson,
        Inject::WrongShape => Double::WrongShape,
        Inject::Pending => Double::Pending,
        Inject::Decline { reason } => Double::Decline { reason },
        Inject::Lie { about, money } => Double::Lie {
            about: match about {
                scenario::LieAbout::Payer => facilitator::About::Payer,
                scenario::LieAbout::Transaction => facilitator::About::Transaction,
                scenario::LieAbout::Network => facilitator::About::Network,
                scenario::LieAbout::Amount => facilitator::About::Amount,
                scenario::LieAbout::Success => facilitator::About::Success,
            },
            money: match money {
                scenario::Money::Moved => facilitator::Money::Moved,
                scenario::Money::Kept => facilitator::Money::Kept,
            },
        },
    }
}
