//! One purchase from a server that was started with our double, which knows whether money moved.

use super::Asked;
use crate::{
    http::bounded::answer,
    probe::check::{Check, Level::Must, Rule},
};
use system::clock::{Clock, SystemClock};
use traffic::Payers;
use x402_protocol::{header, v2::SettleResponse};

const SERVED: Rule = Rule {
    id: "PAID-1",
    level: Must,
    says: "a payment buys content, and the facilitator was asked to settle it",
    rests_on: "content without a settlement is given away",
};
const RECEIPT: Rule = Rule {
    id: "PAID-2",
    level: Must,
    says: "the content comes with a PAYMENT-RESPONSE that names its transaction",
    rests_on: "specification v2, 5.3",
};
const PRIVATE: Rule = Rule {
    id: "PAID-3",
    level: Must,
    says: "the content is not for a shared cache",
    rests_on: "a cache that keeps it serves it unpaid",
};

pub async fn check(asked: &Asked<'_>, transfers: &dyn Fn() -> usize) -> Vec<Check> {
    let invoice = match &asked.bill.invoice {
        Ok(invoice) => invoice,
        Err(why) => return [SERVED, RECEIPT, PRIVATE].map(|rule| rule.not_judged(why.as_str())).to_vec(),
    };
    let payment = Payers::from_seed(fastrand::u64(..)).pay(invoice, 0, 0, SystemClock::new().unix_now());
    // A lenient server has been paid by what others refuse.
    let before = transfers();
    let got = match answer(asked.request().header(header::PAYMENT_SIGNATURE, payment.header)).await {
        Ok(got) if got.is_content() => got,
        Ok(got) => return without(SERVED.fails(format!("{} for a sound payment", got.status))),
        Err(error) => return without(SERVED.fails(error.to_string())),
    };
    let moved = transfers() - before;
    let served =
        if moved == 1 { SERVED.passes("") } else { SERVED.fails(format!("{} and {moved} transfers", got.status)) };
    let told = got.header(header::PAYMENT_RESPONSE).map(|text| {
        let json = header::decode(text).map_err(|error| error.to_string())?;
        serde_json::from_str::<SettleResponse>(&json).map_err(|error| error.to_string())
    });
    let receipt = match told {
        Some(Ok(told)) if told.success && !told.transaction.is_empty() => RECEIPT.passes(""),
        Some(Ok(_)) => RECEIPT.fails("it says no success, or no transaction"),
        Some(Err(why)) => RECEIPT.fails(format!("it is {why}")),
        None => RECEIPT.fails("there is none"),
    };
    let said = got.list("cache-control");
    let closed = said.iter().any(|one| one == "no-store" || one.split('=').next() == Some("private"));
    let private =
        if closed { PRIVATE.passes("") } else { PRIVATE.fails(format!("Cache-Control: {}", said.join(", "))) };
    vec![served, receipt, private]
}

fn without(served: Check) -> Vec<Check> {
    vec![served, RECEIPT.not_judged("no content"), PRIVATE.not_judged("no content")]
}
