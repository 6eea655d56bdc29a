//! What stands in the base64 is not one JSON document that is a payment.

use super::{JudgedBy, Malformation, Spoil, UNREADABLE};

/// Deeper than a parser's stack should be made to go, and small enough for the header.
const DEPTH: usize = 5_000;

pub const ALL: &[Malformation] = &[
    json_text("not-json", |_| "pay me later".to_owned()),
    json_text("null", |_| "null".to_owned()),
    json_text("a-number", |_| "2".to_owned()),
    json_text("a-string", |payment| format!("{payment:?}")),
    json_text("a-list", |payment| format!("[{payment}]")),
    json_text("an-empty-object", |_| "{}".to_owned()),
    json_text("nothing", |_| String::new()),
    json_text("two-documents", |payment| format!("{payment}{payment}")),
    json_text("a-key-twice", |payment| format!("{{\"payload\":null,{}", &payment[1..])),
    json_text("a-key-twice-in-two-spellings", |payment| format!("{{\"p\\u0061yload\":null,{}", &payment[1..])),
    // To a reader that ignores case, as Go's does, a key twice.
    json_text("a-key-in-another-case", |payment| format!("{{\"Payload\":null,{}", &payment[1..])),
    json_text("a-key-with-a-long-s", |payment| {
        payment.replacen("\"signature\"", "\"\u{17f}ignature\":\"\",\"signature\"", 1)
    }),
    json_text("a-key-that-is-no-name-to-some", |payment| format!("{{\"__proto__\":{{}},{}", &payment[1..])),
    json_text("a-key-that-no-payment-has", |payment| format!("{{\"note\":1,{}", &payment[1..])),
    json_text("a-number-out-of-range", |payment| format!("{{\"note\":1e999,{}", &payment[1..])),
    json_text("half-a-character", |payment| format!("{{\"note\":\"\\ud800\",{}", &payment[1..])),
    json_text("version-with-a-fraction", |payment| payment.replacen("\"x402Version\":2", "\"x402Version\":2.0", 1)),
    json_text("cut-off", |payment| payment[..payment.len() - 1].to_owned()),
    json_text("very-deep", |payment| {
        let (open, close) = ("[".repeat(DEPTH), "]".repeat(DEPTH));
        format!("{{\"note\":{open}{close},{}", &payment[1..])
    }),
    json_text("with-a-byte-order-mark", |payment| format!("\u{feff}{payment}")),
];

const fn json_text(name: &'static str, spoil: fn(&str) -> String) -> Malformation {
    Malformation { name, answers: UNREADABLE, judged_by: JudgedBy::Anyone, spoil: Spoil::JsonText(spoil) }
}
