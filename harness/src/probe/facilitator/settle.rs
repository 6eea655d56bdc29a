//! `/settle`, where it may be asked: one payment is one transfer.

use super::{Desk, Settling, Word, none_judged, payment::Wallet, tell, word};
use crate::probe::check::{Check, Level::Must, Rule};

const SETTLES: Rule = Rule {
    id: "SETTLE-1",
    level: Must,
    says: "a sound payment is settled: success, a transaction, and the payment's own network",
    rests_on: "specification v2, 7.2",
};
const ONCE: Rule = Rule {
    id: "SETTLE-2",
    level: Must,
    says: "the same payment again is the same transaction, or a no",
    rests_on: "an EIP-3009 nonce is spent once; two transactions for one payment are two charges",
};
const REFUSES: Rule = Rule {
    id: "SETTLE-3",
    level: Must,
    says: "a broken payment is not settled, whatever was verified",
    rests_on: "schemes/exact/scheme_exact_evm: a settlement is verified anew",
};
const SPENT: Rule = Rule {
    id: "SETTLE-4",
    level: Must,
    says: "a payment that was settled is valid no more",
    rests_on: "a server that verifies a replay would serve it unpaid",
};

pub async fn check(desk: &Desk<'_>, wallet: Result<&Wallet, &String>, sound: bool, settling: Settling) -> Vec<Check> {
    let all = [SETTLES, ONCE, REFUSES, SPENT];
    if settling == Settling::Never {
        return all.map(|rule| rule.does_not_apply("only with --settle")).to_vec();
    }
    let wallet = match wallet {
        Ok(wallet) => wallet,
        Err(why) => return none_judged(&all, why),
    };
    let (mut wrong, mut unseen) = (Vec::new(), Vec::new());
    let broken = wallet.broken();
    let count = broken.len();
    for one in broken {
        match ask(desk, one.body).await {
            Word::Yes(_) => wrong.push(one.name),
            Word::No(_) | Word::Refused(..) => {}
            // It may have been settled, for all that was heard.
            Word::Unasked(what) | Word::Nothing(what) => unseen.push(format!("{}: {what}", one.name)),
        }
    }
    let refuses = REFUSES.holds_if_seen(&wrong, &unseen, format!("{count} ways to break a payment"));
    let others =
        |settles: Check, why: &str| vec![settles, ONCE.not_judged(why), refuses.clone(), SPENT.not_judged(why)];
    if !sound {
        let why = "/verify did not find a payment of the check's wallet sound, which has no money on a real chain";
        return others(SETTLES.not_judged(why), why);
    }
    let payment = wallet.sound(1);
    let first = match ask(desk, payment.clone()).await {
        Word::Yes(json) => json,
        Word::Unasked(why) => return others(SETTLES.not_judged(why), "nothing was settled"),
        other => return others(SETTLES.fails(tell(&other)), "nothing was settled"),
    };
    let transaction = first["transaction"].as_str().unwrap_or_default();
    let mut lacks = Vec::new();
    if transaction.is_empty() {
        lacks.push("the transaction is empty".to_owned());
    }
    if first["network"] != wallet.network() {
        lacks.push(format!("the network is {}", first["network"]));
    }
    let settles = SETTLES.holds_unless(&lacks, "");
    let once = match ask(desk, payment.clone()).await {
        Word::Yes(again) if again["transaction"] == first["transaction"] => ONCE.passes("the same transaction"),
        Word::Yes(again) => ONCE.fails(format!("{} after {}", again["transaction"], first["transaction"])),
        word @ (Word::No(_) | Word::Refused(..)) => ONCE.passes(tell(&word)),
        Word::Unasked(what) | Word::Nothing(what) => ONCE.not_judged(what),
    };
    let spent = match word(desk.post("/verify", payment).await, "isValid", "invalidReason") {
        Word::Yes(_) => SPENT.fails("yes"),
        word @ (Word::No(_) | Word::Refused(..)) => SPENT.passes(tell(&word)),
        Word::Unasked(what) | Word::Nothing(what) => SPENT.not_judged(what),
    };
    vec![settles, once, refuses, spent]
}

async fn ask(desk: &Desk<'_>, body: String) -> Word {
    word(desk.post("/settle", body).await, "success", "errorReason")
}
