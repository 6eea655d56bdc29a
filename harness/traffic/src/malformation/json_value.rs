//! Signed, then changed: fields missing, of the wrong type, or saying something else than what was signed or offered.

use super::{JudgedBy, Malformation, NO_PAYMENT, Spoil, UNREADABLE, UNREADABLE_OR_NO_PAYMENT};
use fastrand::Rng;
use serde_json::{Value, json};

const AUTHORIZATION: [&str; 6] = ["from", "to", "value", "validAfter", "validBefore", "nonce"];

pub const ALL: &[Malformation] = &[
    json_value("version-missing", UNREADABLE, |payment, _| remove(payment, "", "x402Version")),
    json_value("version-of-the-future", UNREADABLE, |payment, _| payment["x402Version"] = json!(3)),
    json_value("version-as-text", UNREADABLE, |payment, _| payment["x402Version"] = json!("2")),
    json_value("version-below-zero", UNREADABLE, |payment, _| payment["x402Version"] = json!(-2)),
    json_value("payload-missing", UNREADABLE, |payment, _| remove(payment, "", "payload")),
    json_value("payload-of-another-kind", UNREADABLE, |payment, _| payment["payload"] = json!(["transaction"])),
    json_value("accepted-missing", UNREADABLE, |payment, _| remove(payment, "", "accepted")),
    json_value("accepted-a-list", UNREADABLE, |payment, _| payment["accepted"] = json!([payment["accepted"]])),
    json_value("signature-missing", UNREADABLE, |payment, _| remove(payment, "/payload", "signature")),
    json_value("signature-not-hex", UNREADABLE, |payment, _| {
        payment["payload"]["signature"] = json!(format!("0x{}", "zz".repeat(65)));
    }),
    json_value("authorization-field-missing", UNREADABLE, |payment, chance| {
        remove(payment, "/payload/authorization", AUTHORIZATION[chance.usize(0..AUTHORIZATION.len())]);
    }),
    json_value("authorization-field-a-number", UNREADABLE, |payment, chance| {
        payment["payload"]["authorization"][AUTHORIZATION[chance.usize(0..AUTHORIZATION.len())]] = json!(10_000);
    }),
    json_value("nonce-too-short", UNREADABLE, |payment, _| {
        payment["payload"]["authorization"]["nonce"] = json!("0x12")
    }),
    json_value("payer-no-address", UNREADABLE, |payment, _| payment["payload"]["authorization"]["from"] = json!("me")),
    json_value("value-in-hex", UNREADABLE, |payment, _| payment["payload"]["authorization"]["value"] = json!("0x2710")),
    json_value("value-below-zero", UNREADABLE, |payment, _| payment["payload"]["authorization"]["value"] = json!("-1")),
    json_value("value-beyond-256-bits", UNREADABLE, |payment, _| {
        payment["payload"]["authorization"]["value"] = json!("9".repeat(90));
    }),
    json_value("date-in-words", UNREADABLE, |payment, _| {
        payment["payload"]["authorization"]["validBefore"] = json!("tomorrow");
    }),
    json_value("amount-altered", NO_PAYMENT, |payment, _| payment["accepted"]["amount"] = json!("1")),
    json_value("payee-altered", NO_PAYMENT, |payment, _| {
        payment["accepted"]["payTo"] = payment["payload"]["authorization"]["from"].clone();
    }),
    json_value("asset-altered", NO_PAYMENT, |payment, _| {
        payment["accepted"]["asset"] = payment["payload"]["authorization"]["from"].clone();
    }),
    json_value("network-altered", NO_PAYMENT, |payment, _| payment["accepted"]["network"] = json!("eip155:8453")),
    json_value("network-unknown", NO_PAYMENT, |payment, _| payment["accepted"]["network"] = json!("solana:mainnet")),
    json_value("scheme-altered", NO_PAYMENT, |payment, _| payment["accepted"]["scheme"] = json!("upto")),
    json_value("domain-altered", NO_PAYMENT, |payment, _| payment["accepted"]["extra"]["name"] = json!("Other Coin")),
    json_value("null-beside-the-authorization", UNREADABLE_OR_NO_PAYMENT, |payment, _| {
        payment["payload"]["permit2Authorization"] = Value::Null;
        // For who takes null for absence, and signs nothing else away.
        payment["payload"]["authorization"]["value"] = json!("1");
    }),
    unproven("nonce-altered", |payment, chance| {
        let nonce = format!("0x{:032x}{:032x}", chance.u128(..), chance.u128(..));
        payment["payload"]["authorization"]["nonce"] = json!(nonce);
    }),
    json_value("window-altered", NO_PAYMENT, |payment, _| {
        payment["payload"]["authorization"]["validBefore"] = json!("9999999999");
    }),
    unproven("payer-altered", |payment, _| {
        payment["payload"]["authorization"]["from"] = payment["accepted"]["payTo"].clone();
    }),
];

const fn json_value(name: &'static str, answers: &'static [u16], spoil: fn(&mut Value, &mut Rng)) -> Malformation {
    Malformation { name, answers, judged_by: JudgedBy::Anyone, spoil: Spoil::JsonValue(spoil) }
}

/// It may be signed for a smart account, whoever signed it.
const fn unproven(name: &'static str, spoil: fn(&mut Value, &mut Rng)) -> Malformation {
    Malformation { judged_by: JudgedBy::Facilitator, ..json_value(name, NO_PAYMENT, spoil) }
}

fn remove(payment: &mut Value, at: &str, key: &str) {
    let object = payment.pointer_mut(at).and_then(Value::as_object_mut);
    object.expect("a signed payment has this object").remove(key);
}
