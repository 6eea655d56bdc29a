//! `/verify`: a yes to what is no payment is content for nothing.

use super::{Desk, Word, none_judged, payment::Wallet, tell, word};
use crate::probe::check::{
    Check,
    Level::{Must, Should},
    Rule,
};

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

/// The checks, and whether a sound payment was found sound.
pub async fn check(desk: &Desk<'_>, wallet: Result<&Wallet, &String>) -> (Vec<Check>, bool) {
    let mut checks = Vec::new();
    let wallet = match wallet {
        Ok(wallet) => wallet,
        Err(why) => {
            checks.extend(none_judged(&[ANSWERS, REFUSES, STANDS, REASONS, COMMITS_NOTHING, UNLISTED], why));
            checks.push(garbage(desk).await);
            return (checks, false);
        }
    };
    let first = ask(desk, wallet.sound(0)).await;
    checks.push(match &first {
        Word::Yes(_) => ANSWERS.passes("yes"),
        Word::No(Some(reason)) => ANSWERS.passes(format!("no, {reason}: the wallet of a check has no money")),
        Word::No(None) => ANSWERS.fails("no, without a reason"),
        Word::Refused(..) => ANSWERS.fails(format!("{}, and no isValid", tell(&first))),
        Word::Unasked(why) => ANSWERS.not_judged(why.as_str()),
        Word::Nothing(what) => ANSWERS.fails(what.as_str()),
    });
    checks.extend(broken(desk, wallet, &first).await);
    checks.push(garbage(desk).await);
    let again = ask(desk, wallet.sound(0)).await;
    checks.push(match (&first, &again) {
        (Word::Yes(_), Word::Yes(_)) => COMMITS_NOTHING.passes("yes twice"),
        (Word::No(first), Word::No(again)) if first == again => COMMITS_NOTHING.passes("no twice"),
        (Word::Yes(_) | Word::No(_), Word::Yes(_) | Word::No(_)) => {
            COMMITS_NOTHING.fails(format!("{}, and then {}", tell(&first), tell(&again)))
        }
        _ => COMMITS_NOTHING.not_judged(format!("{}, and then {}", tell(&first), tell(&again))),
    });
    checks.push(match ask(desk, wallet.elsewhere()).await {
        Word::No(Some(reason)) | Word::Refused(_, Some(reason)) => UNLISTED.passes(reason),
        Word::Unasked(why) => UNLISTED.not_judged(why),
        other => UNLISTED.fails(tell(&other)),
    });
    (checks, matches!(first, Word::Yes(_)))
}

async fn ask(desk: &Desk<'_>, body: String) -> Word {
    word(desk.post("/verify", body).await, "isValid", "invalidReason")
}

async fn broken(desk: &Desk<'_>, wallet: &Wallet, sound: &Word) -> [Check; 3] {
    let [mut taken, mut unread, mut silent, mut unseen, mut undecided] = [const { Vec::new() }; 5];
    let all = wallet.broken();
    let count = all.len();
    for one in all {
        match (ask(desk, one.body).await, sound) {
            (Word::Yes(_), _) => taken.push(format!("{}: yes", one.name)),
            (Word::Unasked(what), _) => unseen.push(format!("{}: {what}", one.name)),
            // Refused with a word that was not to be had, it was not taken: VERIFY-2 asks no more.
            (Word::Nothing(what), _) => unread.push(format!("{}: {what}", one.name)),
            (word @ (Word::No(None) | Word::Refused(_, None)), _) => {
                silent.push(format!("{}: {}", one.name, tell(&word)))
            }
            // What is refused as a sound payment is, may be refused for that alone.
            (
                Word::No(Some(reason)) | Word::Refused(_, Some(reason)),
                Word::No(Some(same)) | Word::Refused(_, Some(same)),
            ) if reason == *same => {
                undecided.push(format!("{}: refused for the reason that a sound payment is refused for", one.name));
            }
            (Word::No(Some(_)) | Word::Refused(_, Some(_)), _) => {}
        }
    }
    let said = format!("{count} ways to break a payment");
    let blind = matches!(sound, Word::Unasked(_) | Word::Nothing(_) | Word::Refused(_, None));
    // A facilitator that says yes to nothing, and not why, has not been seen to tell payments apart.
    let blind = blind.then(|| format!("a sound payment gets no better: {}", tell(sound)));
    let undecided = [&unseen[..], &undecided[..], blind.as_slice()].concat();
    [
        REFUSES.holds_if_seen(&taken, &undecided, said.as_str()),
        STANDS.holds_if_seen(&unread, &unseen, said.as_str()),
        REASONS.holds_if_seen(&silent, &[unseen, unread].concat(), said.as_str()),
    ]
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
    let (mut wrong, mut unseen) = (Vec::new(), Vec::new());
    for body in bodies {
        match ask(desk, body.to_owned()).await {
            Word::No(_) | Word::Refused(..) => {}
            Word::Unasked(why) => unseen.push(format!("`{body}`: {why}")),
            other => wrong.push(format!("`{body}`: {}", tell(&other))),
        }
    }
    GARBAGE.holds_if_seen(&wrong, &unseen, format!("{} bodies", bodies.len()))
}
