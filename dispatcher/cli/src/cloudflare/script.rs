//! A tenant's script as it is uploaded: metadata and modules, in one multipart body.

use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use x402_protocol::hex;

/// Every tenant runs on one date, so that a new runtime changes nothing that was tested.
pub const COMPATIBILITY_DATE: &str = "2026-04-01";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    pub content: Vec<u8>,
}

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

impl Module {
    fn media_type(&self) -> &'static str {
        match self.name.rsplit_once('.').map(|(_, end)| end) {
            Some("js" | "mjs") => "application/javascript+module",
            Some("wasm") => "application/wasm",
            Some("txt") => "text/plain",
            _ => "application/octet-stream",
        }
    }
}

impl Script {
    /// Names what would be uploaded: equal only if all of it is. Secrets count by their names, which is all that can be compared.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Keccak256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(self.main.as_bytes());
        for module in &self.modules {
            part(module.name.as_bytes());
            part(&module.content);
        }
        for (name, value) in &self.vars {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        self.secrets.iter().for_each(|(name, _)| part(name.as_bytes()));
        hex::encode(&hasher.finalize())[2..34].to_owned()
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
        // No module has it in it: it is made of all of them.
        let boundary = format!("402claw-{}", self.digest());
        let mut body = Vec::new();
        let mut part = |disposition: &str, media_type: &str, content: &[u8]| {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {media_type}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        };
        part("name=\"metadata\"", "application/json", self.metadata(true).to_string().as_bytes());
        for module in &self.modules {
            let name = &module.name;
            part(&format!("name=\"{name}\"; filename=\"{name}\""), module.media_type(), &module.content);
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
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
