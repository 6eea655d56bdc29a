//! A fault in words: which calls, and what becomes of them and of the money.

use scenario::{
    Call, EmptyField, Fault, Inject, LieAbout, Money, NamedTransaction, PendingStyle, Pick, ResetAfter, SettledBody,
    StatusBody, show,
};

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
    let status_body = |body: StatusBody| match body {
        StatusBody::Html => "a page",
        StatusBody::Empty => "nothing",
        StatusBody::Json => "JSON",
    };
    let settled_body = |body: SettledBody| match body {
        SettledBody::Html => "a page",
        SettledBody::Empty => "nothing",
        SettledBody::Json => "JSON",
        SettledBody::Answer => "its honest answer",
    };
    let said = match inject {
        Inject::Refuse => "refuses the connection".to_owned(),
        Inject::Reset { after: ResetAfter::Accept } => "resets the connection at once".to_owned(),
        Inject::Reset { after: ResetAfter::Head } => "resets the connection once it has the request".to_owned(),
        Inject::Hang => "takes the request and never answers".to_owned(),
        Inject::SettleThenHang => "settles and never answers".to_owned(),
        Inject::SettleThenReset => "settles, then resets the connection".to_owned(),
        Inject::SettleThenStatus { code, body } => format!("settles, then answers {code} with {}", settled_body(*body)),
        Inject::Truncate => "answers, and breaks off in the middle".to_owned(),
        Inject::Drip { every } => format!("answers a byte every {}", show(*every)),
        Inject::Garbage => "answers with bytes that are not HTTP".to_owned(),
        Inject::Slow { by } => format!("answers {} late", show(*by)),
        Inject::Status { code, body } => format!("answers {code} with {}", status_body(*body)),
        Inject::Redirect { code } => format!("answers {code}, to elsewhere"),
        Inject::BadJson => "answers 200 with what is no JSON".to_owned(),
        Inject::WrongShape => "answers 200 with JSON of another shape".to_owned(),
        Inject::Huge { kilobytes } => format!("answers with {kilobytes} kB more than needed"),
        Inject::Deep { levels } => format!("answers with lists nested {levels} deep"),
        Inject::Pending { style, answers } => {
            let style = match style {
                PendingStyle::Coinbase => "a 500 and the transaction",
                PendingStyle::Circle => "a 200 and no transaction",
                PendingStyle::Accepted => "a 202 and no transaction",
            };
            let often = match answers {
                Some(1) => "once".to_owned(),
                Some(answers) => format!("{answers} times"),
                None => "always".to_owned(),
            };
            format!("settles, and says pending {often} of each payment, as {style}")
        }
        Inject::Forget { says: None } => "settles, and says of a repeat that the nonce is used".to_owned(),
        Inject::Forget { says: Some(reason) } => format!("settles, and says of a repeat {reason}"),
        Inject::SettleThenDecline { reason, status, transaction } => {
            let reason = reason.as_deref().map_or("without a reason".to_owned(), |reason| format!("for {reason:?}"));
            let named = match transaction {
                NamedTransaction::None => "no transaction",
                NamedTransaction::Own => "its transaction",
                NamedTransaction::Other => "another transaction",
            };
            format!("settles, and says no {reason} under {status}, with {named}")
        }
        Inject::SlowCheck { by, at, .. } => {
            let pays = at.map_or_else(String::new, |amount| format!(", and to whatever pays {amount} USDC"));
            format!("answers {} late where the signature does not prove the payer{pays}", show(*by))
        }
        Inject::Busy { calls_per_second } => format!("answers 429 beyond {calls_per_second} calls in a second"),
        Inject::Throws { at: None } => "answers 500 where the official library throws".to_owned(),
        Inject::Throws { at: Some(amount) } => format!("answers 500 to whatever pays {amount} USDC"),
        Inject::AnyCase => "reads members without regard to case, the later over the earlier".to_owned(),
        Inject::EmptyStrings { fields } => {
            let names = fields.iter().map(|field| match field {
                EmptyField::Reason => "reason",
                EmptyField::Payer => "payer",
                EmptyField::Amount => "amount",
            });
            format!("answers with an empty {}", names.collect::<Vec<_>>().join(" and "))
        }
        Inject::Numbers => "answers with its amount as a number".to_owned(),
        Inject::Decline { reason } => format!("says no, {reason}"),
        Inject::Lie { about, .. } => match about {
            LieAbout::Payer => "says yes, for another payer".to_owned(),
            LieAbout::Transaction => "says yes, without a transaction".to_owned(),
            LieAbout::Network => "says yes, on another network".to_owned(),
            LieAbout::Amount => "says yes, of another amount".to_owned(),
            LieAbout::Earlier => "says yes, and names another payment's transaction".to_owned(),
            LieAbout::Success => "says yes whatever is true".to_owned(),
        },
    };
    if call == Call::Verify {
        return said;
    }
    match inject.moves() {
        Money::Moved => said + "; the money moves",
        Money::Kept => said + "; no money moves",
    }
}
