//! How the honest part of a double can fail.

/// The honest part failed: never the dispatcher's fault, so it must not look like one of the scenario's.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    #[error("facilitator double's own answer server failed")]
    Server(#[from] reqwest::Error),
    #[error("the chain of paper cannot be read")]
    Chain(#[from] serde_json::Error),
}
