//! `harness conform`: any x402 server or facilitator, from outside. The rules are those that a client, a browser or a server
//! depends on, whatever software answers.
//!
//! The surprising constraint: a check may be pointed at a stranger's server, so what it sends is signed by wallets without
//! money, no redirect is followed, and every answer is bounded.

mod check;
mod facilitator;
mod report;
mod server;
mod target;

pub use facilitator::Settling;
pub use report::Conformity;
pub use server::started::{Start, StartError};
pub use target::{Reach, Target, TargetError};

use crate::{
    exit::Exit,
    http::{
        bounded::{BoundedHttp, NoAnswer},
        request_form::RequestForm,
    },
};
use reqwest::header::HeaderMap;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ConformError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Target(#[from] TargetError),
    #[error("{0} does not answer")]
    #[diagnostic(help("start it first, or let --start do it"))]
    Silent(String, #[source] NoAnswer),
    #[error("the HTTP client")]
    Http(#[source] reqwest::Error),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Start(#[from] StartError),
}

impl ConformError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Target(_) => Exit::Usage,
            Self::Silent(..) => Exit::DidNotStart,
            Self::Start(error) => error.exit(),
            Self::Http(_) => Exit::Internal,
        }
    }
}

/// A server that runs, asked in this form.
pub async fn server(target: &Target, form: &RequestForm) -> Result<Conformity, ConformError> {
    let checks = server::check(&http()?, target, form).await.map_err(|error| silent(target, error))?;
    Ok(Conformity::new(target.as_str(), checks))
}

/// A server that is started with our facilitator double, once for each fault.
pub async fn started(
    target: &Target,
    form: &RequestForm,
    start: &Start,
    say: &dyn Fn(&str),
) -> Result<Conformity, ConformError> {
    let checks = server::started::check(&http()?, target, form, start, say).await?;
    Ok(Conformity::new(target.as_str(), checks))
}

/// A facilitator, which gets these headers with each request.
pub async fn facilitator(target: &Target, headers: &HeaderMap, settling: Settling) -> Result<Conformity, ConformError> {
    let checks =
        facilitator::check(&http()?, target, headers, settling).await.map_err(|error| silent(target, error))?;
    Ok(Conformity::new(target.as_str(), checks))
}

fn http() -> Result<BoundedHttp, ConformError> {
    BoundedHttp::new().map_err(ConformError::Http)
}

fn silent(target: &Target, error: NoAnswer) -> ConformError {
    ConformError::Silent(target.as_str().to_owned(), error)
}
