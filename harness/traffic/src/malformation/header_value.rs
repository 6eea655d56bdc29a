//! The header is not base64 of anything, or is too large to be looked at.

use super::{JudgedBy, Malformation, Spoil, UNREADABLE};
use crate::payer::plain;
use fastrand::Rng;
use reqwest::header::HeaderValue;

/// Over what a dispatcher should decode, under what a platform lets in.
const LARGE: usize = 20 * 1024;
/// Over what a platform lets in, which may answer for itself.
const ENORMOUS: usize = 200 * 1024;
const UNREADABLE_OR_TOO_LARGE: &[u16] = &[400, 413, 431];
/// An empty header says as much as none.
const UNREADABLE_OR_NONE: &[u16] = &[400, 402];

pub const ALL: &[Malformation] = &[
    Malformation { answers: UNREADABLE_OR_NONE, ..header("header-empty", |_, _| plain(String::new())) },
    header("header-not-base64", |_, _| plain("$$$ not base64 $$$".to_owned())),
    header("header-in-the-url-safe-alphabet", |header, _| {
        // Both letters that differ, so that it is url-safe whatever the payment was.
        plain(format!("-_{}", header.replace('+', "-").replace('/', "_")))
    }),
    header("header-binary", |_, chance| {
        let bytes: Vec<u8> = (0..64).map(|_| chance.u8(0x80..)).collect();
        HeaderValue::from_bytes(&bytes).expect("bytes above ASCII are valid in a header")
    }),
    // Base64 of 0xff, which is no UTF-8 wherever it stands.
    header("header-not-utf8", |_, _| plain("////".to_owned())),
    header("header-with-a-gap", |header, chance| {
        let (before, after) = header.split_at(chance.usize(1..header.len()));
        plain(format!("{before} {after}"))
    }),
    header("header-cut", |header, chance| plain(header[..chance.usize(4..header.len() - 8)].to_owned())),
    header("header-twice", |header, _| plain(format!("{header}, {header}"))),
    Malformation { answers: UNREADABLE_OR_TOO_LARGE, ..header("header-large", |_, _| plain("A".repeat(LARGE))) },
    Malformation { answers: UNREADABLE_OR_TOO_LARGE, ..header("header-enormous", |_, _| plain("A".repeat(ENORMOUS))) },
];

const fn header(name: &'static str, spoil: fn(String, &mut Rng) -> HeaderValue) -> Malformation {
    Malformation { name, answers: UNREADABLE, judged_by: JudgedBy::Anyone, spoil: Spoil::Header(spoil) }
}
