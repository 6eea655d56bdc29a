//! Tenants' Workers, and requests and responses as they see them.

use super::ports::Ports;
use dispatcher_core::{
    plan::Limits,
    ports::{CollectError, Dispatch, Inbound, Namespace, Outbound},
    tenant_failure::TenantFailure,
};
use std::{collections::BTreeMap, future::pending};

#[derive(Clone, Copy, Debug)]
pub enum Tenant {
    Answers(u16),
    /// With these headers.
    Says(u16, &'static [(&'static str, &'static str)]),
    Throws(&'static str),
    Endless,
    /// Never answers.
    Hangs,
    /// Begins to answer, and never comes to an end.
    Trickles,
}

#[derive(Clone, Debug)]
pub struct Run {
    pub limits: Limits,
    pub strip: fn(&str, &str) -> bool,
    pub set: Vec<(String, String)>,
}

pub struct SimRequest {
    pub method: String,
    pub origin: String,
    pub path: String,
    pub query: Option<String>,
    pub headers: BTreeMap<&'static str, String>,
}

impl Inbound for SimRequest {
    fn method(&self) -> &str {
        &self.method
    }
    fn origin(&self) -> &str {
        &self.origin
    }
    fn host(&self) -> &str {
        &self.origin["https://".len()..]
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }
    fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).cloned()
    }

    async fn body(&self, _limit: usize) -> Result<Vec<u8>, CollectError> {
        Ok(Vec::new())
    }
}

#[derive(Debug)]
pub struct SimResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub tenant: Tenant,
}

impl Outbound for SimResponse {
    fn status(&self) -> u16 {
        self.status
    }
    fn headers(&self) -> Vec<(String, String)> {
        self.headers.clone()
    }
    async fn collect(self, _limit: usize) -> Result<Vec<u8>, CollectError> {
        match self.tenant {
            Tenant::Endless => Err(CollectError::TooLarge),
            Tenant::Trickles => pending().await,
            _ => Ok(self.body),
        }
    }
}

impl Namespace for Ports {
    type Inbound = SimRequest;
    type Outbound = SimResponse;

    async fn run(&self, dispatch: Dispatch<'_>, request: &SimRequest) -> Result<SimResponse, TenantFailure> {
        let set = dispatch.set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.0.runs.borrow_mut().push(Run { limits: dispatch.limits, strip: dispatch.strip, set });
        let query = request.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
        let tenant = self.0.tenant.get().unwrap_or(Tenant::Answers(200));
        let response = |status| SimResponse {
            status,
            headers: vec![("cache-control".to_owned(), "public".to_owned())],
            body: format!("content of {}{query}", dispatch.path).into_bytes(),
            tenant,
        };
        match tenant {
            Tenant::Answers(status) => Ok(response(status)),
            Tenant::Says(status, said) => {
                let headers = said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                Ok(SimResponse { headers, ..response(status) })
            }
            Tenant::Endless | Tenant::Trickles => Ok(response(200)),
            Tenant::Hangs => pending().await,
            Tenant::Throws(message) => Err(TenantFailure::from_message(message)),
        }
    }
}
