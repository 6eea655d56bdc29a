//! The only two ways by which a tenant's own response becomes an answer: nobody sells it, or nobody pays for what its status
//! says. What a tenant sells leaves as bytes that the paywall gave back.
//!
//! Surprising constraint: what a request looks like decides nothing here. A method or a header that made an exemption would
//! be one that every caller can send.

use crate::{ports::Outbound, tenant::Tenant};
use x402_paywall::Price;

/// A tenant's response that leaves without a sale. Nothing else can stand in an answer as [`crate::answer::Body::Tenant`].
#[derive(Debug)]
pub struct Passed<O>(O);

/// Whether a tenant sells what it answers.
#[derive(Clone, Copy, Debug)]
pub enum Trade<'a> {
    Sells(&'a Price),
    Gives(Gift),
}

/// Proof that a tenant has no price.
#[derive(Clone, Copy, Debug)]
pub struct Gift(());

impl<'a> Trade<'a> {
    /// The trade of this tenant, by its record alone.
    #[must_use]
    pub fn of(tenant: &'a Tenant) -> Self {
        tenant.price.as_ref().map_or(Self::Gives(Gift(())), Self::Sells)
    }
}

impl<O: Outbound> Passed<O> {
    /// A redirect or an error, which is free whoever sells. Any other response comes back: it is for sale, or none at all.
    pub fn unsold(response: O) -> Result<Self, O> {
        if response.status() >= 300 { Ok(Self(response)) } else { Err(response) }
    }

    /// Any response of a tenant that has no price.
    #[must_use]
    pub fn given(response: O, Gift(()): Gift) -> Self {
        Self(response)
    }

    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status()
    }

    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        self.0.headers()
    }
}

impl<O> Passed<O> {
    /// The response, for the platform to send.
    #[must_use]
    pub fn into_inner(self) -> O {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::CollectError;

    #[derive(Debug)]
    struct Response(u16);

    impl Outbound for Response {
        fn status(&self) -> u16 {
            self.0
        }
        fn headers(&self) -> Vec<(String, String)> {
            Vec::new()
        }
        async fn collect(self, _: usize) -> Result<Vec<u8>, CollectError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn only_redirects_and_errors_leave_unsold() {
        for status in 0..1_000 {
            assert_eq!(Passed::unsold(Response(status)).is_ok(), status >= 300, "{status}");
        }
    }
}
