//! `SIGN-IN-WITH-X`: a wallet proves that it is there, without paying (`specs/extensions/sign-in-with-x.md`). The header is
//! base64 of JSON; the signed text is a CAIP-122 message, which on EVM chains is EIP-4361's.
//!
//! Surprising constraint: nothing here says that a proof is fresh or for us. Whoever takes one compares domain, URI and
//! resources with its own, its times with the clock, and spends its nonce. Smart accounts are refused: only a chain could
//! check their signatures.

mod time;

use crate::{
    Address, PayloadError, header,
    json::{
        members::{At, BadMember},
        shape::{self, Others, Path, Shape, Within},
    },
    payload,
    signature::{self, RecoverError, Signature},
};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use std::fmt::Write as _;

/// The extension's name.
pub const EXTENSION: &str = "sign-in-with-x";

/// The URI by which a proof names the payment that it is for, among its resources.
#[must_use]
pub fn payment_resource(payment: &str) -> String {
    format!("urn:x402:payment:{payment}")
}

/// The declaration for a wallet to sign: the message's parts, for one chain. `None`: the URL has no host.
#[must_use]
pub fn challenge(url: &str, nonce: &str, issued_at_ms: u64, chain_id: u64, resource: &str) -> Option<Value> {
    let uri = url.split(['?', '#']).next().unwrap_or(url);
    let domain = uri.split_once("://")?.1.split('/').next().filter(|domain| !domain.is_empty())?;
    Some(json!({
        "info": {
            "domain": domain,
            "uri": uri,
            "version": "1",
            "nonce": nonce,
            "issuedAt": time::text(issued_at_ms),
            "resources": [resource],
        },
        "supportedChains": [{"chainId": format!("eip155:{chain_id}"), "type": "eip191"}],
    }))
}

/// A wallet that proved its address by signing the message. Times are in Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub address: Address,
    /// Host, and port if it is not the scheme's own.
    pub domain: String,
    pub uri: String,
    pub statement: Option<String>,
    pub nonce: String,
    pub chain_id: u64,
    pub issued_at: u64,
    pub expiration: Option<u64>,
    pub not_before: Option<u64>,
    pub request_id: Option<String>,
    pub resources: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    #[error(transparent)]
    Unreadable(#[from] PayloadError),
    #[error("signature is a smart account's, which only a chain can check")]
    SmartAccount,
    #[error(transparent)]
    NoSigner(#[from] RecoverError),
    #[error("signature is not by the address that it names")]
    AnotherSigner,
}

impl From<BadMember> for SignInError {
    fn from(error: BadMember) -> Self {
        Self::Unreadable(error.into())
    }
}

const SHAPE: Shape = Shape {
    members: &[
        ("domain", Within::Value),
        ("address", Within::Value),
        ("statement", Within::Value),
        ("uri", Within::Value),
        ("version", Within::Value),
        ("chainId", Within::Value),
        ("type", Within::Value),
        ("nonce", Within::Value),
        ("issuedAt", Within::Value),
        ("expirationTime", Within::Value),
        ("notBefore", Within::Value),
        ("requestId", Within::Value),
        ("resources", Within::Value),
        ("signatureScheme", Within::Value),
        ("signature", Within::Value),
    ],
    others: Others::Refused,
};

/// Longest nonce. Servers in use draw 32 digits.
const MAX_NONCE: usize = 128;
const MAX_RESOURCES: usize = 64;

/// The message's parts as they were written, which is how they were signed.
struct Message<'a> {
    domain: &'a str,
    address: &'a str,
    statement: Option<&'a str>,
    uri: &'a str,
    chain_id: u64,
    nonce: &'a str,
    issued_at: &'a str,
    expiration: Option<&'a str>,
    not_before: Option<&'a str>,
    request_id: Option<&'a str>,
    resources: Option<Vec<&'a str>>,
}

impl SignedIn {
    /// Reads a header's value and checks that the address that it names has signed it.
    pub fn from_header(header: &str) -> Result<Self, SignInError> {
        Self::parse(&header::decode(header).map_err(PayloadError::from)?)
    }

    /// Reads the JSON inside.
    pub fn parse(text: &str) -> Result<Self, SignInError> {
        let document = payload::read(text)?;
        shape::unambiguous(&document).and_then(|()| shape::check(&document, &SHAPE)).map_err(PayloadError::from)?;
        let root = At { node: Some(&document), path: &Path::ROOT };
        root.object()?;
        for (name, only) in [("version", "1"), ("type", "eip191")] {
            root.member(name, |at| if at.text()? == only { Ok(()) } else { Err(at.bad(format!("is not {only}"))) })?;
        }
        root.member("signatureScheme", |at| match at.if_not_null() {
            Some(at) if !["eip191", "eip1271", "eip6492"].contains(&at.text()?) => Err(at.bad("is not one for EVM")),
            _ => Ok(()),
        })?;
        let (domain, uri) =
            (root.member("domain", |at| matching(&at, is_authority))?, root.member("uri", |at| matching(&at, is_uri))?);
        let (address_text, nonce) = (root.text_at("address")?, root.member("nonce", |at| matching(&at, is_nonce))?);
        let address =
            root.member("address", |at| Address::parse_checked(&address_text).map_err(|error| at.bad(error)))?;
        let statement = optional(&root, "statement", is_statement)?;
        let request_id = optional(&root, "requestId", is_plain)?;
        let chain_id =
            root.member("chainId", |at| chain_of(at.text()?).ok_or_else(|| at.bad("is not eip155:<number>")))?;
        let issued = root.member("issuedAt", |at| moment(&at))?;
        let later = |name| root.member(name, |at| at.if_not_null().map(|at| moment(&at)).transpose());
        let (expiration, not_before) = (later("expirationTime")?, later("notBefore")?);
        let resources = root.member("resources", |at| at.if_not_null().map(|at| uris(&at)).transpose())?;
        let signature: Signature = root.parsed_at("signature")?;
        let message = Message {
            domain: &domain,
            address: &address_text,
            statement: statement.as_deref(),
            uri: &uri,
            chain_id,
            nonce: &nonce,
            issued_at: &issued.0,
            expiration: expiration.as_ref().map(|(text, _)| text.as_str()),
            not_before: not_before.as_ref().map(|(text, _)| text.as_str()),
            request_id: request_id.as_deref(),
            resources: resources.as_ref().map(|uris| uris.iter().map(String::as_str).collect()),
        };
        let Signature::Account(bytes) = signature else { return Err(SignInError::SmartAccount) };
        if signature::recover(&bytes, &digest(&message.text()))? != address {
            return Err(SignInError::AnotherSigner);
        }
        Ok(Self {
            address,
            domain,
            uri,
            statement,
            nonce,
            chain_id,
            issued_at: issued.1,
            expiration: expiration.map(|(_, at)| at),
            not_before: not_before.map(|(_, at)| at),
            request_id,
            resources: resources.unwrap_or_default(),
        })
    }
}

impl Message<'_> {
    /// The text that the wallet showed and signed (EIP-4361).
    fn text(&self) -> String {
        let Self { domain, address, uri, chain_id, nonce, issued_at, .. } = self;
        let mut text = format!("{domain} wants you to sign in with your Ethereum account:\n{address}\n\n");
        if let Some(statement) = self.statement {
            text += statement;
            text += "\n";
        }
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            write!(text, "\n{name}: {value}").expect("a string takes whatever is written to it");
        };
        line("URI", uri);
        line("Version", &1);
        line("Chain ID", chain_id);
        line("Nonce", nonce);
        line("Issued At", issued_at);
        for (name, value) in
            [("Expiration Time", self.expiration), ("Not Before", self.not_before), ("Request ID", self.request_id)]
        {
            if let Some(value) = value {
                line(name, &value);
            }
        }
        if let Some(resources) = &self.resources {
            text += "\nResources:";
            for resource in resources {
                text += "\n- ";
                text += resource;
            }
        }
        text
    }
}

/// The hash that a wallet signs of a text that a person reads (EIP-191, version 0x45).
fn digest(text: &str) -> [u8; 32] {
    Keccak256::new()
        .chain_update(format!("\x19Ethereum Signed Message:\n{}", text.len()))
        .chain_update(text)
        .finalize()
        .into()
}

fn optional(root: &At<'_>, name: &str, fits: fn(&str) -> bool) -> Result<Option<String>, BadMember> {
    root.member(name, |at| at.if_not_null().map(|at| matching(&at, fits)).transpose())
}

fn matching(at: &At<'_>, fits: fn(&str) -> bool) -> Result<String, BadMember> {
    let text = at.text()?;
    if fits(text) { Ok(text.to_owned()) } else { Err(at.bad("is not of the form that the message needs")) }
}

/// A time as it was written, with what it means.
fn moment(at: &At<'_>) -> Result<(String, u64), BadMember> {
    let text = at.text()?;
    time::unix_ms(text).map(|ms| (text.to_owned(), ms)).ok_or_else(|| at.bad("is not an ISO 8601 time with its zone"))
}

fn uris(at: &At<'_>) -> Result<Vec<String>, BadMember> {
    let items = at.items()?;
    if items.len() > MAX_RESOURCES {
        return Err(at.bad(format!("has more than {MAX_RESOURCES} items")));
    }
    let read = |(n, node)| matching(&At { node: Some(node), path: &at.path.item(n) }, is_uri);
    items.iter().enumerate().map(read).collect()
}

/// A host, and a port if there is one. No name of a user, which people would take for the host.
fn is_authority(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b))
}

fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b))
}

fn is_nonce(text: &str) -> bool {
    (8..=MAX_NONCE).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// One line: what follows a line's end would be read as another part of the message.
fn is_statement(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|letter| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}'))
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}

/// The number of an EVM chain, in its one spelling.
fn chain_of(caip2: &str) -> Option<u64> {
    let digits = caip2.strip_prefix("eip155:")?;
    let number: u64 = digits.parse().ok()?;
    (number.to_string() == digits && number > 0).then_some(number)
}

#[cfg(test)]
mod tests;
