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

use super::{check::Check, target::Target};
use crate::http::{
    bounded::{Answer, BoundedHttp, NoAnswer},
    request_form::RequestForm,
};
use bill::Bill;
use reqwest::RequestBuilder;

/// The reason why a check says nothing of an endpoint that sent no bill.
const NO_BILL: &str = "the endpoint was not asked: no bill came";

/// A server's answer to an unpaid request, and the bill that it has.
pub struct Asked<'a> {
    pub http: &'a BoundedHttp,
    pub target: &'a Target,
    pub form: &'a RequestForm,
    pub unpaid: Answer,
    pub bill: Bill,
}

impl<'a> Asked<'a> {
    pub async fn unpaid(http: &'a BoundedHttp, target: &'a Target, form: &'a RequestForm) -> Result<Self, NoAnswer> {
        let unpaid = http.ask(form.request(http.client(), target.as_str())).await?;
        let bill = Bill::read(&unpaid);
        Ok(Self { http, target, form, unpaid, bill })
    }

    /// The same request once more.
    pub fn request(&self) -> RequestBuilder {
        self.form.request(self.http.client(), self.target.as_str())
    }

    /// Tells whether the paid endpoint answered, however badly.
    fn was_billed(&self) -> bool {
        self.unpaid.status == 402 || self.bill.is_there()
    }
}

/// Every check that needs no payment.
pub async fn check(http: &BoundedHttp, target: &Target, form: &RequestForm) -> Result<Vec<Check>, NoAnswer> {
    let asked = Asked::unpaid(http, target, form).await?;
    let mut checks = offer::check(&asked);
    if !asked.was_billed() {
        // Whatever answers here, nothing that it says of other requests is said of what is sold.
        checks.extend(http::RULES.iter().chain(&refusals::RULES).map(|rule| rule.not_judged(NO_BILL)));
        return Ok(checks);
    }
    checks.extend(http::check(&asked).await);
    checks.extend(refusals::check(&asked).await);
    Ok(checks)
}
