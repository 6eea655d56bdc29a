//! What an object of the deployment answers when it cannot do what it was asked.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("settlement ledger: {0}")]
pub struct LedgerError(pub String);

impl LedgerError {
    /// The error for a message of another version than ours.
    #[must_use]
    pub fn another_question() -> Self {
        Self("the object answered another question".to_owned())
    }
}
