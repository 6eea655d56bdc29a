//! The only two ways by which a tenant's own response becomes an answer: nobody sells it, or nobody pays for what its status
//! says. What a tenant sells leaves as bytes that the paywall gave back.
//!
//! Surprising constraint: what a request looks like decides nothing here but its path, letter by letter, where the tenant's
//! record says that this path is free. A method or a header that made an exemption would be one that every caller can send.

use crate::{message::Outbound, tenant::Tenant};
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

/// Proof that a tenant has no price, or none on a path.
#[derive(Clone, Copy, Debug)]
pub struct Gift(());

impl<'a> Trade<'a> {
    /// The trade of this tenant on a path, by its record alone. The path is the one that its Worker is asked for.
    #[must_use]
    pub fn of(tenant: &'a Tenant, path: &str) -> Self {
        let is_free = tenant.free_paths.iter().any(|free| free == path);
        tenant.price.as_ref().filter(|_| !is_free).map_or(Self::Gives(Gift(())), Self::Sells)
    }
}

impl<O: Outbound> Passed<O> {
    /// A redirect or an error, which is free whoever sells. Any other response comes back: it is for sale, or none at all.
    pub fn unsold(response: O) -> Result<Self, O> {
        if response.status() >= 300 { Ok(Self(response)) } else { Err(response) }
    }

    /// Any response of a tenant that gives.
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
    use crate::{
        message::CollectError,
        tenant::{Available, TenantRecord},
    };
    use x402_protocol::Network;

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
    fn only_the_very_path_that_a_record_lists_is_free() {
        let price = r#"{"amount":"1","network":"eip155:84532","payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C"}"#;
        let record = format!(r#"{{"id":"a","plan":"pro","freePaths":["/v1/schema"],"price":{price}}}"#);
        let record: TenantRecord = serde_json::from_str(&record).unwrap();
        let available = Available { network: Network::BaseSepolia, facilitators: [].into() };
        let tenant = record.check(&available).unwrap();
        assert!(matches!(Trade::of(&tenant, "/v1/schema"), Trade::Gives(_)));
        for sold in ["/v1/schema/", "/v1/Schema", "/v1/%73chema", "//v1/schema", "/v1/schema;x", "/v1", "/", ""] {
            assert!(matches!(Trade::of(&tenant, sold), Trade::Sells(_)), "{sold:?}");
        }
    }

    #[test]
    fn only_redirects_and_errors_leave_unsold() {
        for status in 0..1_000 {
            assert_eq!(Passed::unsold(Response(status)).is_ok(), status >= 300, "{status}");
        }
    }
}
