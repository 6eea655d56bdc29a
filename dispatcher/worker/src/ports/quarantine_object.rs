//! The object that knows who is in quarantine, as everybody else calls it.

use crate::call_object::{Objects, call_object};
use dispatcher_core::{
    paywall::ports::LedgerError,
    quarantine::{QuarantineCall, QuarantineObject, Quarantines},
};
use worker::Env;

/// There is one object of the class.
const NAME: &str = "all";

pub struct DurableQuarantines(Env);

impl DurableQuarantines {
    pub fn new(env: &Env) -> Self {
        Self(env.clone())
    }
}

impl QuarantineObject for DurableQuarantines {
    async fn call(&self, call: QuarantineCall) -> Result<Quarantines, LedgerError> {
        let (list, _) = call_object(&self.0, Objects::TenantQuarantine, NAME, &call, &[]).await?;
        Ok(list)
    }
}
