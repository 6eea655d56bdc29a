//! A fault in words: which calls, and what becomes of them and of the money.

use scenario::{Call, Fault, Inject, Money, Pick, show};

pub fn begins(fault: &Fault) -> String {
    format!(
        "fault {} begins, until {}: {}, {} {}",
        fault.number(),
        show(fault.window().to()),
        which(fault),
        fault.on(),
        what(fault.inject(), fault.call())
    )
}

pub fn ends(fault: &Fault) -> String {
    format!("fault {} ends, {} on {}", fault.number(), fault.inject().name(), fault.on())
}

fn which(fault: &Fault) -> String {
    let call = match fault.call() {
        Call::Verify => "/verify",
        Call::Settle => "/settle",
        Call::Any => "anything",
    };
    match fault.pick() {
        Pick::All => format!("asked for {call}"),
        Pick::First(1) => format!("the first time it is asked for {call}"),
        Pick::First(count) => format!("the first {count} times it is asked for {call}"),
        Pick::Nth(number) => format!("at call number {number} for {call}"),
        Pick::Every(step) => format!("one time in {step} that it is asked for {call}"),
        Pick::Odds(odds) => format!("asked for {call}, with a chance of {}", odds.get()),
    }
}

fn what(inject: &Inject, call: Call) -> String {
    let said = inject.says();
    if call == Call::Verify {
        return said;
    }
    match inject.moves() {
        Money::Moved => said + "; the money moves",
        Money::Kept => said + "; no money moves",
    }
}
