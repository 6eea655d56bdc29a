//! Calls to the object that knows who is in quarantine.

use crate::{
    call_object::{Objects, call_object},
    ports::{clock::WallClock, log::ConsoleLog},
};
use dispatcher_core::{
    paywall::ports::{Clock, LedgerError},
    quarantine::{Errand, QuarantineCall, Quarantines, Warden},
};
use worker::Env;

/// There is one object of the class.
const NAME: &str = "all";

/// Changes the list or reads it, and has this isolate know it at once.
pub async fn call(env: &Env, warden: &Warden, call: &QuarantineCall) -> Result<Quarantines, LedgerError> {
    let (list, _): (Quarantines, _) = call_object(env, Objects::TenantQuarantine, NAME, call, &[]).await?;
    warden.learn(list.clone(), WallClock.now());
    Ok(list)
}

/// What the warden wants to tell or know. A list that cannot be read leaves the last one in force.
pub async fn run(env: &Env, warden: &Warden, errand: Errand) {
    if let Err(error) = call(env, warden, &errand.call()).await {
        warden.failed(errand, WallClock.now());
        ConsoleLog.quarantine_unavailable(&error);
    }
}
