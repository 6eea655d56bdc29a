//! A browser's session: what it may show in place of a token, so that no token stands in a URL or in a page's script. It looks, and
//! changes nothing.
//!
//! Surprising: nothing is stored for it. It is a time and a hash that only a holder of the token could make, so it ends with its
//! time, and with its token.

use crate::operations::token::Tokens;
use sha3::{Digest, Keccak256};
use subtle::{Choice, ConstantTimeEq};
use x402_paywall::UnixMillis;

/// The time that a session lasts.
const LASTS_MS: u64 = 8 * 3_600_000;
/// Its cookie. The path keeps it from tenants below a slug, and the prefix from being set without HTTPS.
const COOKIE: &str = "__Secure-platform";

/// The cookie of whoever brought this token. `None`: it opens nothing.
#[must_use]
pub fn begin(tokens: &Tokens, token: &str, now: UnixMillis) -> Option<String> {
    tokens.scope_of(Some(&format!("Bearer {token}")))?;
    let ends_at = now.plus(LASTS_MS);
    Some(cookie(&format!("{}.{}", ends_at.0, seal(token, ends_at)), LASTS_MS / 1_000))
}

/// The cookie that ends a session.
#[must_use]
pub fn end() -> String {
    cookie("", 0)
}

fn cookie(value: &str, seconds: u64) -> String {
    format!("{COOKIE}={value}; Path=/__platform; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict")
}

/// Whether a `Cookie` header has a session that is not over. Every token is tried, whichever fits.
#[must_use]
pub fn is_open(tokens: &Tokens, cookies: Option<&str>, now: UnixMillis) -> bool {
    let pairs = cookies.unwrap_or_default().split(';').filter_map(|pair| pair.trim().split_once('='));
    let values = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
    let read = |value: &str| {
        let (ends_at, seal) = value.split_once('.')?;
        Some((UnixMillis(ends_at.parse().ok()?), seal.to_owned()))
    };
    values.filter_map(read).any(|(ends_at, given)| {
        let all = tokens.operate.iter().chain(&tokens.read);
        let fits = |fit: Choice, token: &String| fit | given.as_bytes().ct_eq(seal(token, ends_at).as_bytes());
        let fits = bool::from(all.fold(Choice::from(0), fits));
        fits && now < ends_at && ends_at <= now.plus(LASTS_MS)
    })
}

fn seal(token: &str, ends_at: UnixMillis) -> String {
    // Keccak takes a key in front: it has no length extension.
    let hash =
        Keccak256::new_with_prefix(token).chain_update(b"\0platform session\0").chain_update(ends_at.0.to_string());
    hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The value of a member of a form, as browsers send it.
#[must_use]
pub fn form_value(form: &str, name: &str) -> Option<String> {
    let value = form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    super::request::unescaped(&value.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn tokens(operate: &str, read: &str) -> Tokens {
        Tokens { operate: vec![operate.to_owned()], read: vec![read.to_owned()] }
    }

    fn header(cookie: &str) -> String {
        format!("other=1; {}; last=2", cookie.split(';').next().unwrap())
    }

    #[test]
    fn a_session_ends_with_its_time_and_with_its_token() {
        let both = tokens("operate", "look");
        let cookie = begin(&both, "look", NOW).unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("look"));
        let header = header(&cookie);
        let open = |tokens: &Tokens, at| is_open(tokens, Some(&header), at);
        assert!(open(&both, NOW) && open(&both, UnixMillis(NOW.0 + LASTS_MS - 1)));
        assert!(!open(&both, NOW.plus(LASTS_MS)) && !open(&tokens("operate", "changed"), NOW));
        assert!(!is_open(&both, None, NOW) && !is_open(&Tokens::default(), Some(&header), NOW));
        assert_eq!(begin(&both, "wrong", NOW), None);
    }

    #[test]
    fn nobody_makes_a_session_last_or_makes_one_up() {
        let both = tokens("operate", "look");
        let value = header(&begin(&both, "look", NOW).unwrap());
        let longer = value.replace(&NOW.plus(LASTS_MS).0.to_string(), &NOW.plus(LASTS_MS + 1).0.to_string());
        assert!(!is_open(&both, Some(&longer), NOW));
        for made_up in ["__Secure-platform=", "__Secure-platform=9999999999999.", "__Secure-platform=.x", "platform=x"]
        {
            assert!(!is_open(&both, Some(made_up), NOW), "{made_up}");
        }
    }

    #[test]
    fn a_form_is_read_as_browsers_send_it() {
        assert_eq!(form_value("leave=yes&token=a%2Bb+c", "token").as_deref(), Some("a+b c"));
        assert_eq!(form_value("tokens=x", "token"), None);
    }
}
