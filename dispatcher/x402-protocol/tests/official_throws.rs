//! Payments that the official facilitator library throws at, which its servers answer with 500: each must be refused here,
//! before a facilitator is asked, or lose what the library throws at. `testdata/throws` has one file for each distinct error, as
//! `harness/assets/official-facilitator/fuzz.mjs` found them and made them small. Files named `forwarded-*` are those that
//! local checks once let through.

#[path = "official_throws/local_checks.rs"]
mod local_checks;

use local_checks::forwarded;
use std::{collections::BTreeMap, fs, path::Path};

fn throws() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/throws");
    let files = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("it can be read").path());
    let name = |path: &Path| path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    files.map(|path| (name(&path), fs::read_to_string(&path).expect("it is text"))).collect()
}

#[test]
fn what_the_official_library_throws_at_is_refused_before_it_is_asked() {
    let throws = throws();
    assert!(throws.len() >= 40, "{} files", throws.len());
    // A payment that holds, with an extension that nobody offered, goes on without that.
    let throws_still = |text: &String| forwarded(text).is_ok_and(|question| question.contains("extensions"));
    let plain = |text: &String| text.contains("GasSponsoring") || forwarded(text).is_err();
    let passed: Vec<_> =
        throws.iter().filter(|(_, text)| throws_still(text) || !plain(text)).map(|(name, _)| name).collect();
    assert!(passed.is_empty(), "{} of {} would be forwarded: {passed:#?}", passed.len(), throws.len());
}

#[test]
fn good_payments_are_forwarded() {
    for text in [include_str!("../testdata/eip3009-vector.json"), include_str!("../testdata/eip3009-v1-vector.json")] {
        assert!(forwarded(text).is_ok());
    }
}

/// The library takes these for signatures of accounts that are yet to be deployed, or that a chain must check.
#[test]
fn well_formed_signatures_of_smart_accounts_are_forwarded() {
    let vector = include_str!("../testdata/eip3009-vector.json");
    let signature = vector.split('"').find(|text| text.len() == 132).expect("the vector is signed");
    let word = |number: usize| format!("{number:064x}");
    let padded = |bytes: &str| format!("{bytes:0<width$}", width = bytes.len().div_ceil(64) * 64);
    let (call, inner) = ("deadbeef", &signature[2..]);
    let envelope =
        [word(0xfac), word(96), word(160), word(call.len() / 2), padded(call), word(inner.len() / 2), padded(inner)];
    let magic = "6492".repeat(16);
    for smart in [format!("0x{}{magic}", envelope.concat()), format!("{signature}{}", "ab".repeat(60))] {
        assert!(forwarded(&vector.replace(signature, &smart)).is_ok(), "{smart}");
    }
}
