//! A tenant's script as it is uploaded: metadata and modules, in one multipart body.

use super::module::{Module, Sum, multipart};
use serde_json::{Value, json};

/// Every tenant runs on one date, so that a new runtime changes nothing that was tested.
pub const COMPATIBILITY_DATE: &str = "2026-04-01";

#[derive(Clone, Debug)]
pub struct Script {
    pub name: String,
    pub main: String,
    pub modules: Vec<Module>,
    /// Variables that anybody who reads the configuration may see.
    pub vars: Vec<(String, String)>,
    pub secrets: Vec<(String, String)>,
    /// For whoever lists the namespace.
    pub tags: Vec<String>,
}

impl Script {
    /// Names what would be uploaded: equal only if all of it is. Secrets count by their names, which is all that can be compared.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut sum = Sum::default();
        sum.add(self.main.as_bytes());
        sum.add_modules(&self.modules);
        for (name, value) in &self.vars {
            sum.add(name.as_bytes());
            sum.add(value.as_bytes());
        }
        self.secrets.iter().for_each(|(name, _)| sum.add(name.as_bytes()));
        sum.text()
    }

    /// The tag by which an upload is known again.
    #[must_use]
    pub fn digest_tag(&self) -> String {
        format!("digest-{}", self.digest())
    }

    /// The metadata; `with_secrets` is for the upload alone.
    #[must_use]
    pub fn metadata(&self, with_secrets: bool) -> Value {
        let var = |(name, value): &(String, String)| json!({"type": "plain_text", "name": name, "text": value});
        let secret = |(name, value): &(String, String)| json!({"type": "secret_text", "name": name, "text": if with_secrets { value } else { "(not shown)" }});
        let bindings: Vec<Value> = self.vars.iter().map(var).chain(self.secrets.iter().map(secret)).collect();
        let tags: Vec<String> = self.tags.iter().cloned().chain([self.digest_tag()]).collect();
        json!({"main_module": self.main, "compatibility_date": COMPATIBILITY_DATE, "bindings": bindings, "tags": tags})
    }

    /// The body of an upload, and its content type.
    #[must_use]
    pub fn multipart(&self) -> (String, Vec<u8>) {
        multipart(&self.metadata(true).to_string(), &self.modules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn script() -> Script {
        let module = |name: &str, content: &[u8]| Module { name: name.to_owned(), content: content.to_vec() };
        Script {
            name: "rain".to_owned(),
            main: "entry.mjs".to_owned(),
            modules: vec![module("entry.mjs", b"export default {}"), module("data.bin", &[0, 255, 13, 10])],
            vars: vec![("A".to_owned(), "1".to_owned())],
            secrets: vec![("S".to_owned(), "hidden".to_owned())],
            tags: vec!["tenant-rain".to_owned()],
        }
    }

    #[test]
    fn a_digest_changes_with_each_byte_and_no_secret() {
        let one = script();
        let mut other = script();
        other.modules[1].content[0] = 1;
        assert_ne!(one.digest(), other.digest());
        let mut moved = script();
        moved.modules[0].content.pop();
        moved.modules[1].name.insert(0, '}');
        assert_ne!(one.digest(), moved.digest());
        let mut secret = script();
        secret.secrets[0].1 = "another".to_owned();
        assert_eq!(one.digest(), secret.digest());
    }

    #[test]
    fn secrets_are_in_the_upload_and_in_nothing_that_is_printed() {
        let script = script();
        assert!(!script.metadata(false).to_string().contains("hidden"));
        let (_, body) = script.multipart();
        assert!(String::from_utf8_lossy(&body).contains("hidden"));
    }
}
