//! `/verify`: a yes to what is no payment is content for nothing.

use super::payment::Wallet;
use super::{Desk, Word, none_apply, word};
use crate::conform::check::{Check, Level::Must, Level::Should, Rule};

const ANSWERS: Rule = Rule {
    id: "VERIFY-1",
    level: Must,
    says: "a sound payment gets a yes, or a no with its reason",
    rests_on: "specification v2, 7.1",
};
const REFUSES: Rule = Rule {
    id: "VERIFY-2",
    level: Must,
    says: "a broken payment is refused: its signature, amount, recipient, asset, network, window or shape is wrong",
    rests_on: "schemes/exact/scheme_exact_evm, verification",
};
const STANDS: Rule = Rule {
    id: "VERIFY-3",
    level: Must,
    says: "a broken payment gets an answer that a server can read",
    rests_on: "a 5xx or a dropped connection makes servers leave a facilitator that is well",
};
const REASONS: Rule = Rule {
    id: "VERIFY-4",
    level: Should,
    says: "a refusal has a reason",
    rests_on: "specification v2, 9: callers are shown it",
};
const GARBAGE: Rule = Rule {
    id: "VERIFY-5",
    level: Must,
    says: "what is no request is refused with 4xx, or isValid false",
    rests_on: "as VERIFY-3",
};
const COMMITS_NOTHING: Rule = Rule {
    id: "VERIFY-6",
    level: Must,
    says: "asking twice gets the same answer",
    rests_on: "/verify moves no money and keeps no nonce: servers ask it freely",
};
const UNLISTED: Rule = Rule {
    id: "VERIFY-7",
    level: Must,
    says: "a payment on a network that is not listed is refused with a reason",
    rests_on: "specification v2, 7.3",
};

/// The most that one check tells of what is wrong.
const MOST_TOLD: usize = 6;

/// The checks, and whether a sound payment was found sound.
pub async fn check(desk: &Desk<'_>, wallet: Option<&Wallet>) -> (Vec<Check>, bool) {
    let mut checks = Vec::new();
    let Some(wallet) = wallet else {
        checks.extend(none_apply(&[ANSWERS, REFUSES, STANDS, REASONS, COMMITS_NOTHING, UNLISTED]));
        checks.push(garbage(desk).await);
        return (checks, false);
    };
    let first = ask(desk, wallet.sound(0)).await;
    checks.push(match &first {
        Word::Yes(_) => ANSWERS.passes("yes"),
        Word::No(Some(reason)) => ANSWERS.passes(format!("no, {reason}: the wallet of a check has no money")),
        Word::No(None) => ANSWERS.fails("no, without a reason"),
        Word::Nothing(what) => ANSWERS.fails(what.clone()),
    });
    checks.extend(broken(desk, wallet, &first).await);
    checks.push(garbage(desk).await);
    let again = ask(desk, wallet.sound(0)).await;
    checks.push(match (&first, &again) {
        (Word::Yes(_), Word::Yes(_)) => COMMITS_NOTHING.passes("yes twice"),
        (Word::No(first), Word::No(again)) if first == again => COMMITS_NOTHING.passes("no twice"),
        _ => COMMITS_NOTHING.fails(format!("{}, and then {}", tell(&first), tell(&again))),
    });
    checks.push(match ask(desk, wallet.elsewhere()).await {
        Word::No(Some(reason)) => UNLISTED.passes(reason),
        other => UNLISTED.fails(tell(&other)),
    });
    (checks, matches!(first, Word::Yes(_)))
}

async fn ask(desk: &Desk<'_>, body: String) -> Word {
    word(desk.post("/verify", body).await, "isValid", "invalidReason")
}

fn tell(word: &Word) -> String {
    match word {
        Word::Yes(_) => "yes".to_owned(),
        Word::No(reason) => format!("no, {}", reason.as_deref().unwrap_or("without a reason")),
        Word::Nothing(what) => what.clone(),
    }
}

async fn broken(desk: &Desk<'_>, wallet: &Wallet, sound: &Word) -> [Check; 3] {
    let (mut taken, mut unread, mut silent, mut undecided) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let all = wallet.broken();
    let count = all.len();
    for one in all {
        match (ask(desk, one.body).await, sound) {
            (Word::Yes(_), _) => taken.push(format!("{}: yes", one.name)),
            (Word::Nothing(what), _) => unread.push(format!("{}: {what}", one.name)),
            (Word::No(None), _) => silent.push(one.name),
            // What is refused as a sound payment is, may be refused for that alone.
            (Word::No(Some(reason)), Word::No(Some(same))) if reason == *same => undecided.push(one.name),
            (Word::No(Some(_)), _) => {}
        }
    }
    let said = format!("{count} ways to break a payment");
    let refuses = match (taken.is_empty(), undecided.is_empty()) {
        (false, _) => REFUSES.fails(short(&taken)),
        (true, true) => REFUSES.passes(said.clone()),
        (true, false) => {
            let why = "refused for the reason that a sound payment is refused for";
            REFUSES.unknown(format!("{why}: {}", short(&undecided)))
        }
    };
    let holds = |rule: Rule, wrong: &[String]| {
        if wrong.is_empty() { rule.passes(said.clone()) } else { rule.fails(short(wrong)) }
    };
    [refuses, holds(STANDS, &unread), holds(REASONS, &silent)]
}

fn short(all: &[String]) -> String {
    let told = all[..all.len().min(MOST_TOLD)].join("; ");
    if all.len() > MOST_TOLD { format!("{told}; and {} more", all.len() - MOST_TOLD) } else { told }
}

async fn garbage(desk: &Desk<'_>) -> Check {
    let bodies = [
        "",
        "{",
        "not JSON",
        "null",
        "[]",
        "{}",
        r#"{"x402Version":2}"#,
        r#"{"x402Version":2,"paymentPayload":1,"paymentRequirements":[]}"#,
    ];
    let mut wrong = Vec::new();
    for body in bodies {
        match ask(desk, body.to_owned()).await {
            Word::No(_) => {}
            other => wrong.push(format!("`{body}`: {}", tell(&other))),
        }
    }
    GARBAGE.holds_unless(&wrong, format!("{} bodies", bodies.len()))
}
