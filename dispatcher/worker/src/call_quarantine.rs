//! Calls to the object that knows who is in quarantine.

use crate::{
    call_object::{Objects, call_object},
    ports::{clock::WallClock, log::ConsoleLog},
};
use dispatcher_core::{
    paywall::ports::LedgerError,
    quarantine::{Errand, QuarantineCall, Quarantines, Warden},
};
use worker::Env;

/// There is one object of the class.
const NAME: &str = "all";

/// Changes the list or reads it, and has this isolate know it at once.
pub async fn call(env: &Env, warden: &Warden, call: QuarantineCall) -> Result<Quarantines, LedgerError> {
    warden.tell(call, &WallClock, async |call| send(env, &call).await).await
}

/// What the warden wants to tell or know.
pub async fn run(env: &Env, warden: &Warden, errand: Errand) {
    if let Err(error) = warden.run(errand, &WallClock, async |call| send(env, &call).await).await {
        ConsoleLog.quarantine_unavailable(&error);
    }
}

async fn send(env: &Env, call: &QuarantineCall) -> Result<Quarantines, LedgerError> {
    let (list, _) = call_object(env, Objects::TenantQuarantine, NAME, call, &[]).await?;
    Ok(list)
}
