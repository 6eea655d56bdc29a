//! Tokens: how one is spelt, and whether one that was given counts. Pure.
//!
//! Surprising constraint: of a token the SHA-256 of its secret is kept and no more. It has 256 bits of randomness, so nothing slower
//! is needed against guessing.

use crate::permission::{Principal, Role};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use x402_protocol::hex;

const MARK: &str = "claw";
const ID_DIGITS: usize = 12;
const SECRET_DIGITS: usize = 64;
/// The longest that a token counts.
pub const MOST_DAYS: u64 = 366;

/// A token as its holder has it: `claw_<id>_<secret>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given<'a> {
    pub id: &'a str,
    secret: &'a str,
}

/// A token as the database has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub id: String,
    pub account: String,
    pub role: String,
    pub tenants: Option<String>,
    pub hash: String,
    pub expires_ms: f64,
    pub revoked_ms: Option<f64>,
}

impl<'a> Given<'a> {
    /// Reads the value of `Authorization`.
    #[must_use]
    pub fn read(authorization: &'a str) -> Option<Self> {
        let mut words = authorization.strip_prefix("Bearer ")?.split('_');
        let (mark, id, secret) = (words.next()?, words.next()?, words.next()?);
        let is_hex = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
        };
        let is_one = mark == MARK && is_hex(id, ID_DIGITS) && is_hex(secret, SECRET_DIGITS) && words.next().is_none();
        is_one.then_some(Self { id, secret })
    }

    /// Whoever holds it, if it counts now.
    #[must_use]
    pub fn principal(&self, row: &Row, now_ms: f64) -> Option<Principal> {
        let is_it = bool::from(hash(self.secret).as_bytes().ct_eq(row.hash.as_bytes()));
        let counts = is_it && row.id == self.id && row.revoked_ms.is_none() && now_ms < row.expires_ms;
        let tenants = match &row.tenants {
            None => None,
            // A list that cannot be read is no list of all.
            Some(text) => Some(serde_json::from_str(text).ok()?),
        };
        let role = Role::named(&row.role)?;
        counts.then(|| Principal::Account { account: row.account.clone(), token: row.id.clone(), role, tenants })
    }
}

/// A new token of random bytes: its id, its text, and the hash that is kept.
#[must_use]
pub fn make(random: &[u8; 38]) -> (String, String, String) {
    let digits = hex::encode(random);
    let (id, secret) = digits[2..].split_at(ID_DIGITS);
    (id.to_owned(), format!("{MARK}_{id}_{secret}"), hash(secret))
}

fn hash(secret: &str) -> String {
    hex::encode(&Sha256::digest(secret.as_bytes()))
}

/// Whether the platform's own token was given.
#[must_use]
pub fn is_platform(authorization: &str, token: Option<&str>) -> bool {
    let Some(token) = token.filter(|token| token.len() >= 32) else { return false };
    let given = authorization.strip_prefix("Bearer ").unwrap_or_default();
    bool::from(given.as_bytes().ct_eq(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> (String, Row) {
        let mut random = [7; 38];
        random[37] = 9;
        let (id, text, hash) = make(&random);
        let row = Row {
            id,
            account: "a".to_owned(),
            role: "operator".to_owned(),
            tenants: None,
            hash,
            expires_ms: 1_000.0,
            revoked_ms: None,
        };
        (format!("Bearer {text}"), row)
    }

    #[test]
    fn a_token_counts_until_it_expires_or_is_revoked() {
        let (text, row) = made();
        let given = Given::read(&text).unwrap();
        assert!(given.principal(&row, 999.0).is_some());
        assert!(given.principal(&row, 1_000.0).is_none());
        assert!(given.principal(&Row { revoked_ms: Some(1.0), ..row.clone() }, 2.0).is_none());
        assert!(!row.hash.contains(text.rsplit('_').next().unwrap()), "the secret is not kept");
    }

    #[test]
    fn another_secret_or_an_odd_spelling_is_nobody() {
        let (text, row) = made();
        let other = format!("{}0", &text[..text.len() - 1]);
        assert!(Given::read(&other).is_some_and(|given| given.principal(&row, 0.0).is_none()));
        for odd in
            ["", "Bearer", "bearer x", &text[7..], &text.to_uppercase(), &format!("{text}_1"), &text[..text.len() - 1]]
        {
            assert!(Given::read(odd).is_none(), "{odd}");
        }
        assert!(Given::read(&text).unwrap().principal(&Row { tenants: Some("x".to_owned()), ..row }, 0.0).is_none());
    }

    #[test]
    fn a_platform_token_that_is_missing_or_short_opens_nothing() {
        let long = "x".repeat(32);
        assert!(is_platform(&format!("Bearer {long}"), Some(&long)));
        assert!(
            !is_platform("Bearer ", Some("")) && !is_platform("Bearer ", None) && !is_platform("Bearer x", Some("x"))
        );
    }
}
