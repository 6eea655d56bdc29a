//! The modules of a Worker, and the multipart body in which they are uploaded.

use sha3::{Digest, Keccak256};
use std::{fs, path::Path};
use x402_protocol::hex;

use crate::failure::Failure;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    pub content: Vec<u8>,
}

impl Module {
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        match self.name.rsplit_once('.').map(|(_, end)| end) {
            Some("js" | "mjs") => "application/javascript+module",
            Some("wasm") => "application/wasm",
            Some("txt") => "text/plain",
            _ => "application/octet-stream",
        }
    }

    /// Reads one file of a folder.
    pub fn read(folder: &Path, name: &str) -> Result<Self, Failure> {
        let path = folder.join(name);
        let content = fs::read(&path).map_err(|error| Failure::file("reading", &path, &error))?;
        Ok(Self { name: name.to_owned(), content })
    }
}

/// A digest over parts, of which each counts with its length.
#[derive(Default)]
pub struct Sum(Keccak256);

impl Sum {
    pub fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    pub fn add_modules(&mut self, modules: &[Module]) {
        for module in modules {
            self.add(module.name.as_bytes());
            self.add(&module.content);
        }
    }

    /// The first 32 digits.
    #[must_use]
    pub fn text(self) -> String {
        hex::encode(&self.0.finalize())[2..34].to_owned()
    }
}

/// An upload's media type, and its body: the metadata, and then each module.
#[must_use]
pub fn multipart(metadata: &str, modules: &[Module]) -> (String, Vec<u8>) {
    let mut sum = Sum::default();
    sum.add(metadata.as_bytes());
    sum.add_modules(modules);
    // No module has it in it: it is made of all of them.
    let boundary = format!("402claw-{}", sum.text());
    let mut body = Vec::new();
    let mut part = |disposition: &str, media_type: &str, content: &[u8]| {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {media_type}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    };
    part("name=\"metadata\"", "application/json", metadata.as_bytes());
    for module in modules {
        let name = &module.name;
        part(&format!("name=\"{name}\"; filename=\"{name}\""), module.media_type(), &module.content);
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}
