//! Where credentials for facilitators come from: the deployment's secrets, and whatever signs tokens with them.

use super::token::SigningKey;
use std::{collections::BTreeMap, future::Future};

/// The deployment's secrets. Read when the configuration is, and never told to anyone but the facilitator they are for.
pub trait Secrets {
    fn secret(&self, name: &str) -> Option<String>;
}

impl Secrets for BTreeMap<String, String> {
    fn secret(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }
}

/// Signs tokens for facilitators that want one for each call.
pub trait CredentialSigner {
    /// The signature of the message: 64 bytes.
    fn sign(&self, key: &SigningKey, message: &[u8]) -> impl Future<Output = Result<Vec<u8>, SignError>>;
    /// Some letters and digits that are never the same twice.
    fn nonce(&self) -> String;
}

/// The signature could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the credential could not be signed")]
pub struct SignError;

/// Signs nothing: for adapters whose facilitators want no tokens.
#[derive(Clone, Copy, Debug)]
pub struct NoSigner;

impl CredentialSigner for NoSigner {
    async fn sign(&self, _key: &SigningKey, _message: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError)
    }

    fn nonce(&self) -> String {
        String::new()
    }
}
