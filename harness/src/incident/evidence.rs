//! What a log says, line by line, whatever it was wrapped in.

use reports::event::{
    DirectoryLine, DispatcherPayment, DispatcherRequest, FacilitatorStanding, OperatorDoes, TenantFacts, TroubleLine,
};

/// A thing that was logged, and when in Unix milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    pub at_ms: u64,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// `limits` is what of the request line says that not the plan alone decided what the run may use.
    Request {
        line: DispatcherRequest,
        limits: Option<String>,
    },
    Payment(DispatcherPayment),
    Standing(FacilitatorStanding),
    Alert {
        alert: String,
        about: String,
        until_ms: Option<u64>,
    },
    Trouble(TroubleLine),
    Directory(DirectoryLine),
    /// The dispatcher refuses its configuration.
    Misconfigured(String),
    /// The ledger, or another Durable Object, could not be asked.
    Unavailable {
        of: String,
        why: String,
    },
    /// Another version of the dispatcher answered from then on.
    Deploy(String),
    /// The dispatcher itself was ended, or threw.
    Ended(String),
    /// The tenants, where the log tells of them: the harness's own does.
    World(Vec<TenantFacts>),
    Operator {
        tenant: String,
        does: OperatorDoes,
    },
}

impl Evidence {
    /// The payment that it is about.
    pub fn payment(&self) -> Option<&str> {
        match &self.what {
            What::Request { line, .. } => line.payment.as_deref(),
            What::Payment(line) => Some(&line.payment),
            What::Trouble(line) => line.payment.as_deref(),
            _ => None,
        }
    }

    /// The request that it is about.
    pub fn request_id(&self) -> Option<&str> {
        match &self.what {
            What::Request { line, .. } => Some(&line.request_id),
            What::Payment(line) => line.request_id.as_deref(),
            _ => None,
        }
    }
}
