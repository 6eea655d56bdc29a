//! The credential that a double wants, and whether a caller has shown it.

use super::{
    http1::{Head, RequestLine},
    token::TokenDesk,
};

/// The proof that a double wants before it looks at anything.
#[derive(Clone, Debug, Default)]
pub enum Wants {
    #[default]
    Nothing,
    /// This, as `x-api-key`.
    Key(String),
    /// A token made for the call, as `Authorization`.
    Tokens(TokenDesk),
}

/// A request, as far as credentials go.
pub struct Shown<'a> {
    pub head: &'a Head,
    pub line: &'a RequestLine,
    /// Unix seconds.
    pub now: u64,
}

impl Wants {
    /// Tells whether the caller has shown another facilitator's credential.
    pub fn is_stray(&self, shown: &Shown<'_>) -> bool {
        let Head { api_key, authorization, .. } = shown.head;
        match self {
            Self::Nothing => api_key.is_some() || authorization.is_some(),
            Self::Key(key) => authorization.is_some() || api_key.as_ref().is_some_and(|shown| shown != key),
            Self::Tokens(_) => api_key.is_some(),
        }
    }

    /// The error says what is wrong with the credential.
    pub fn admit(&self, shown: &Shown<'_>) -> Result<(), &'static str> {
        match self {
            Self::Nothing => Ok(()),
            Self::Key(key) if shown.head.api_key.as_ref() == Some(key) => Ok(()),
            Self::Key(_) => Err("no such key"),
            Self::Tokens(desk) => {
                let path = shown.line.path.split('?').next().unwrap_or_default();
                let call = format!("{} {}{path}", shown.line.method, shown.head.host);
                desk.admit(shown.head.authorization.as_deref(), &call, shown.now)
            }
        }
    }
}
