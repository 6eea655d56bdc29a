//! What is said to what is no payment: garbage, and signed payments that were broken in each of the ways that the
//! scenarios' `malformed` clients draw from.

use super::Asked;
use crate::{
    http::bounded::Answer,
    probe::check::{
        Check,
        Level::{Must, Should},
        Rule,
    },
};
use fastrand::Rng;
use system::clock::{Clock, SystemClock};
use traffic::{Invoice, Malformation, Payers};
use x402_protocol::header::{PAYMENT_REQUIRED, PAYMENT_SIGNATURE, X_PAYMENT};

const REFUSED: Rule = Rule {
    id: "REFUSE-1",
    level: Must,
    says: "what is no payment is refused with 4xx: never content, a 5xx or a dropped connection",
    rests_on: "transports-v2/http; a 5xx tells the caller that a sound payment might have failed",
};
const RIGHTLY: Rule = Rule {
    id: "REFUSE-2",
    level: Should,
    says: "what cannot be read gets 400, and what pays something else a new bill",
    rests_on: "transports-v2/http: a malformed payload is 400, a failed payment 402",
};
const STRUCTURED: Rule = Rule {
    id: "REFUSE-3",
    level: Should,
    says: "each refusal says why in JSON, or with a new bill",
    rests_on: "a client can act only on what it can read",
};
const LEGACY: Rule = Rule {
    id: "REFUSE-4",
    level: Must,
    says: "a version 1 payment that is garbage is refused with 4xx",
    rests_on: "as REFUSE-1, in X-PAYMENT",
};

pub const RULES: [Rule; 4] = [REFUSED, RIGHTLY, STRUCTURED, LEGACY];

struct Tried {
    name: String,
    /// Statuses that are right.
    right: Vec<u16>,
    /// Whether a facilitator must have been asked: one that is away makes it a 503.
    asks: bool,
    /// Whether who reads it leniently is paid by it.
    lenient: bool,
    got: Result<Answer, String>,
}

pub async fn check(asked: &Asked<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    match &asked.bill.invoice {
        Err(why) => checks.extend([REFUSED, RIGHTLY, STRUCTURED].map(|rule| rule.not_judged(why.as_str()))),
        Ok(invoice) => {
            let tried = try_all(asked, invoice).await;
            let unseen = told(&tried, turned_away);
            let judged = |rule: Rule, wrong| {
                rule.holds_if_seen(&told(&tried, wrong), &unseen, format!("{} ways to break a payment", tried.len()))
            };
            checks.extend([
                judged(REFUSED, not_refused),
                judged(RIGHTLY, not_right),
                judged(STRUCTURED, not_structured),
            ]);
        }
    }
    checks.push(match asked.http.ask(asked.request().header(X_PAYMENT, "%%%")).await {
        Ok(got) if got.status == 429 => LEGACY.not_judged("429"),
        Ok(got) if (400..500).contains(&got.status) => LEGACY.passes(got.status.to_string()),
        Ok(got) => LEGACY.fails(got.status.to_string()),
        Err(error) => LEGACY.fails(error.to_string()),
    });
    checks
}

async fn try_all(asked: &Asked<'_>, invoice: &Invoice) -> Vec<Tried> {
    let (payers, clock) = (Payers::from_seed(fastrand::u64(..)), SystemClock::new());
    let mut tried = Vec::new();
    for (n, malformation) in Malformation::all().enumerate() {
        let (now, mut chance) = (clock.unix_now(), Rng::with_seed(n as u64));
        let payment = malformation.payment(payers.draft(invoice, n as u64, 0, now), now, &mut chance);
        let request = asked.request().header(PAYMENT_SIGNATURE, payment.header);
        let flaw = malformation.flaw();
        let got = asked.http.ask(request).await.map_err(|error| error.to_string());
        let lenient = malformation.is_one_to_the_lenient();
        tried.push(Tried { name: flaw.name, right: flaw.answers, asks: !flaw.local, lenient, got });
    }
    tried
}

fn told(tried: &[Tried], wrong: fn(&Tried) -> Option<String>) -> Vec<String> {
    tried.iter().filter_map(|one| Some(format!("{}: {}", one.name, wrong(one)?))).collect()
}

/// Returns the payment's fate if it was turned away before anyone looked at it.
fn turned_away(tried: &Tried) -> Option<String> {
    tried.got.as_ref().is_ok_and(|got| got.status == 429).then(|| "429, too many requests".to_owned())
}

fn not_refused(tried: &Tried) -> Option<String> {
    match &tried.got {
        Ok(got) if (400..500).contains(&got.status) || (tried.asks && got.status == 503) => None,
        // Paid for, if by a payment that has two readings: a matter of REFUSE-2.
        Ok(got) if tried.lenient && got.is_content() => None,
        Ok(got) => Some(got.status.to_string()),
        Err(error) => Some(error.clone()),
    }
}

fn not_right(tried: &Tried) -> Option<String> {
    let got = tried.got.as_ref().ok()?;
    // A header that is too long for a server may be refused as such.
    let fine =
        tried.right.contains(&got.status) || matches!(got.status, 429 | 431) || (tried.asks && got.status == 503);
    (!fine).then(|| format!("{} and not {}", got.status, list(&tried.right)))
}

fn list(statuses: &[u16]) -> String {
    statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ")
}

fn not_structured(tried: &Tried) -> Option<String> {
    let got = tried.got.as_ref().ok()?;
    let says = got.headers.contains_key(PAYMENT_REQUIRED) || got.json().is_some_and(|json| json.is_object());
    (!says && !matches!(got.status, 429 | 431)).then(|| format!("{} without a reason", got.status))
}
