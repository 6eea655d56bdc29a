//! A server that sells by x402, from outside: its offer, and what it says to what is no payment. Each payment here is broken,
//! and signed by a wallet that was made for the check and has no money, so that none can be settled.

mod bill;
mod http;
mod offer;
mod paid;
mod refusals;
pub mod started;

#[cfg(test)]
mod tests;

use super::check::Check;
use super::target::Target;
use crate::bounded_http::{Answer, BoundedHttp, NoAnswer};
use bill::Bill;

/// A server's answer to an unpaid GET, and the bill that it has.
pub struct Asked<'a> {
    pub http: &'a BoundedHttp,
    pub target: &'a Target,
    pub unpaid: Answer,
    pub bill: Bill,
}

/// Every check that needs no payment.
pub async fn check(http: &BoundedHttp, target: &Target) -> Result<Vec<Check>, NoAnswer> {
    let unpaid = http.get(target.as_str()).await?;
    let bill = Bill::read(&unpaid);
    let asked = Asked { http, target, unpaid, bill };
    let mut checks = offer::check(&asked);
    checks.extend(http::check(&asked).await);
    checks.extend(refusals::check(&asked).await);
    Ok(checks)
}
