//! Payers under other names. With a key, an address is kept as a keyed hash that looks like an address: the same payer stays the
//! same, and who has the key can ask for one.
//!
//! Surprising: this hides payers from whoever reads what is kept, and from nobody who has the chain. A transaction's hash names it.

use sha3::{Digest, Keccak256};

/// A deployment's secret for payers' names.
#[derive(Clone)]
pub struct PayerKey(String);

impl PayerKey {
    /// `None`: payers are kept as they are.
    #[must_use]
    pub fn of(secret: Option<String>) -> Option<Self> {
        secret.filter(|secret| !secret.is_empty()).map(Self)
    }

    fn alias(&self, address: &str) -> String {
        // Keccak takes a key in front: it has no length extension.
        let hash = Keccak256::new_with_prefix(&self.0).chain_update([0]).chain_update(address).finalize();
        let digits = |text: String, byte: &u8| text + &format!("{byte:02x}");
        hash[..20].iter().fold("0x".to_owned(), digits)
    }
}

/// The payer in a payment's key.
#[must_use]
pub fn payer_of(payment: &str) -> &str {
    payment.split(':').nth(3).unwrap_or_default()
}

/// A text in which the payer of `payment` has the name under which it is kept.
#[must_use]
pub fn hidden(text: &str, payment: Option<&str>, key: Option<&PayerKey>) -> String {
    match (key, payment.map(payer_of)) {
        (Some(key), Some(payer)) if payer.len() == 42 => {
            let alias = key.alias(&payer.to_ascii_lowercase());
            replaced(text, payer, &alias)
        }
        _ => text.to_owned(),
    }
}

/// In whatever case it is spelt: others write it as they like.
fn replaced(text: &str, address: &str, alias: &str) -> String {
    let (lower, address) = (text.to_ascii_lowercase(), address.to_ascii_lowercase());
    let mut told = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in lower.match_indices(&address) {
        told.push_str(&text[from..at]);
        told.push_str(alias);
        from = at + address.len();
    }
    told.push_str(&text[from..]);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYER: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";

    #[test]
    fn with_a_key_no_spelling_of_a_payer_is_left_and_the_same_one_stays_the_same() {
        let payment = format!("eip155:84532:0x036cbd53842c5426634e7929541ec2318f3dcf7e:{PAYER}:0x01");
        let key = PayerKey::of(Some("k".to_owned()));
        let text = format!("{payment} said größer 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        let told = hidden(&text, Some(&payment), key.as_ref());
        assert!(!told.to_ascii_lowercase().contains(PAYER), "{told}");
        let alias = payer_of(&told).to_owned();
        assert!(alias.len() == 42 && told.ends_with(&alias) && told.contains("größer"));
        let other = PayerKey::of(Some("other".to_owned()));
        assert_ne!(payer_of(&hidden(&text, Some(&payment), other.as_ref())), alias);
        assert_eq!(hidden(&text, Some(&payment), None), text);
        assert!(PayerKey::of(Some(String::new())).is_none());
    }
}
