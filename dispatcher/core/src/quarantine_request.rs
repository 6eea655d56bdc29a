//! What an operator sends to put a tenant away, read once: the quarantine, and whether it is meant for an id that the
//! directory does not have.
//!
//! An unknown id is refused by default. It looks like a quarantine that is in force, and it takes the room of one.

use crate::{directory::cache::Knows, log_text, quarantine::Quarantine, refusal::Refusal};
use serde_json::{Map, Value};
use x402_paywall::UnixMillis;
use x402_protocol::json;

const FORCE: &str = "force";

/// `{"reason", "author", "until_ms"?, "force"?}`, for one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRequest {
    quarantine: Quarantine,
    force: bool,
}

impl QuarantineRequest {
    /// Reads a body; the error says what is wrong with it.
    pub fn read(tenant_id: &str, body: &str, now: UnixMillis) -> Result<Self, String> {
        let mut members: Map<String, Value> = json::read(body).map_err(|error| error.to_string())?;
        let force = match members.remove(FORCE) {
            None => false,
            Some(Value::Bool(force)) => force,
            Some(other) => return Err(format!("force is {other}, not true or false")),
        };
        let quarantine = Quarantine::asked_for(tenant_id, &Value::Object(members).to_string(), now)?;
        for (key, text) in [("reason", &quarantine.reason), ("author", &quarantine.author)] {
            // Whoever lists the quarantines may print them on a terminal.
            if !log_text::is_plain_text(text) {
                return Err(format!("{key} has a control character, or a mark that turns text around"));
            }
        }
        Ok(Self { quarantine, force })
    }

    /// The quarantine to put into the list, by what the directory knows of its tenant's id.
    pub fn for_tenant(self, knows: Knows) -> Result<Quarantine, Refusal> {
        let is_nobodys = knows == Knows::No && !self.force;
        if is_nobodys { Err(Refusal::UnknownTenant) } else { Ok(self.quarantine) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn read(body: &str) -> Result<QuarantineRequest, String> {
        QuarantineRequest::read("acme", body, NOW)
    }

    #[test]
    fn an_id_that_nobody_has_is_put_away_by_force_alone() {
        let plain = read(r#"{"reason":"phishing","author":"ann"}"#).unwrap();
        let forced = read(r#"{"reason":"phishing","author":"ann","force":true}"#).unwrap();
        for knows in [Knows::Yes, Knows::Nothing, Knows::No] {
            assert_eq!(plain.clone().for_tenant(knows).is_ok(), knows != Knows::No, "{knows:?}");
            assert_eq!(forced.clone().for_tenant(knows).unwrap().tenant_id, "acme");
        }
        assert_eq!(plain.for_tenant(Knows::No), Err(Refusal::UnknownTenant));
    }

    #[test]
    fn what_no_terminal_should_be_told_and_what_is_misspelt_is_refused() {
        for (body, said) in [
            (r#"{"reason":"a\u001b[2J","author":"ann"}"#, "reason has a control"),
            (r#"{"reason":"a","author":"ann\u0000"}"#, "author has a control"),
            (r#"{"reason":"a\u202eb","author":"ann"}"#, "reason has a control"),
            (r#"{"reason":"a\u009bb","author":"ann"}"#, "reason has a control"),
            (r#"{"reason":"a","author":"ann","force":"yes"}"#, "force is \"yes\""),
            (r#"{"reason":"a","author":"ann","forced":true}"#, "\"forced\""),
            (r#"{"reason":"","author":"ann"}"#, "reason has 0 bytes"),
            ("[]", "invalid type"),
            ("", "EOF"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.contains(said), "{body}: {error}");
        }
        assert!(read(r#"{"reason":"größe 中文 🙂","author":"ann"}"#).is_ok());
    }
}
