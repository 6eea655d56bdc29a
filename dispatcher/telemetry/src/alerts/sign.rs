//! The signature of a notice: who gets it can tell that it is ours, whole, and new.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// `v1=<hex of HMAC-SHA256 over "<timestamp>.<body>">`, as the header `x-402claw-signature` has it. The timestamp, in Unix seconds,
/// stands in `x-402claw-timestamp`.
#[must_use]
pub fn signature(secret: &str, timestamp: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key may have any length");
    mac.update(format!("{timestamp}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().fold("v1=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_any_other_library_makes_of_it() {
        // From Python's hmac: hmac.new(b"secret", b"1800000000.{}", "sha256").hexdigest()
        assert_eq!(
            signature("secret", 1_800_000_000, "{}"),
            "v1=bb7079132825ac793cea8c013c1dd24d926b9b02132245b10588d9e5c0df70d7"
        );
    }
}
