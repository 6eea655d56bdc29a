//! `/__platform/*` as it is answered. What there is to ask stands in [`crate::platform_api`].

use super::Server;
use crate::{
    admission::Source,
    answer::Answer,
    directory::stored::StoredTenants,
    hygiene::REQUEST_ID,
    message::{CollectError, Inbound},
    platform::{Hosting, InboundOf, OutboundOf},
    platform_api::{self, PlatformRequest},
    ports::{HealthObject, OperatorSecrets, PaymentRecords, Randomness, TroubleLog},
    quarantine::{QuarantineCall, QuarantineObject},
    quarantine_request::QuarantineRequest,
    refusal::Refusal,
    telemetry::Trouble,
};
use serde_json::{Value, json};
use x402_paywall::ports::LedgerError;

/// The largest body of an operator's request. A reason, an author and a time fit many times.
const MAX_BODY_BYTES: usize = 64 * 1024;

impl<P: Hosting> Server<P> {
    pub(super) async fn answer_operator(&self, request: &InboundOf<P>) -> Answer<OutboundOf<P>> {
        let request_id = self.dispatcher.randomness().request_id();
        let answer = match self.describe(request).await {
            Ok(described) => Answer::json(200, &described).with("cache-control", "no-store"),
            Err(refusal) => Answer::refusal(&refusal, &request_id),
        };
        answer.with(REQUEST_ID, &request_id)
    }

    async fn describe(&self, request: &InboundOf<P>) -> Result<Value, Refusal> {
        let authorization = request.header("authorization");
        let token = self.surroundings.secrets.token();
        let (source, is_a_guess) = (Source::of(request), authorization.is_some());
        let admit =
            || platform_api::admit(request.method(), request.path(), authorization.as_deref(), token.as_deref());
        match self.memory.token_guard.watch(source.as_ref(), is_a_guess, self.now(), admit)? {
            PlatformRequest::Facilitators => {
                let unavailable = |error| self.refused(&Trouble::HealthUnavailable(error), Refusal::HealthUnavailable);
                self.surroundings.health.describe().await.map_err(unavailable)
            }
            PlatformRequest::Quarantines => self.change_quarantines(QuarantineCall::List).await,
            PlatformRequest::LiftQuarantine(id) => self.change_quarantines(QuarantineCall::Lift(id)).await,
            PlatformRequest::Quarantine(id) => {
                let body = body_of(request).await?;
                let asked = QuarantineRequest::read(&id, &body, self.now());
                let asked = asked.map_err(|why| Refusal::PlatformBody { why })?;
                let quarantine = asked.for_tenant(self.dispatcher.tenants().knows(&id).await)?;
                self.change_quarantines(QuarantineCall::Put(quarantine)).await
            }
            PlatformRequest::Payment(payment) => {
                let unavailable = |error: LedgerError| {
                    self.refused(&Trouble::LedgerUnavailable { payment: &payment, error }, Refusal::LedgerUnavailable)
                };
                self.dispatcher.ledger().describe(&payment).await.map_err(unavailable)
            }
        }
    }

    /// Changes the list or reads it, and has this isolate know it at once.
    async fn change_quarantines(&self, call: QuarantineCall) -> Result<Value, Refusal> {
        let send = async |call| self.surroundings.quarantines.call(call).await;
        let unavailable = |error| self.refused(&Trouble::QuarantineUnavailable(error), Refusal::QuarantineUnavailable);
        let list = self.memory.warden.tell(call, self.dispatcher.clock(), send).await.map_err(unavailable)?;
        Ok(json!({ "quarantines": list }))
    }

    fn refused(&self, trouble: &Trouble<'_>, refusal: Refusal) -> Refusal {
        self.dispatcher.log().trouble(trouble);
        refusal
    }
}

async fn body_of(request: &impl Inbound) -> Result<String, Refusal> {
    let refused = |why: String| Refusal::PlatformBody { why };
    let body = request.body(MAX_BODY_BYTES).await.map_err(|error| match error {
        CollectError::TooLarge => refused(format!("the body has more than {MAX_BODY_BYTES} bytes")),
        CollectError::Broken => refused("the body broke off".to_owned()),
    })?;
    String::from_utf8(body).map_err(|_| refused("the body is not UTF-8".to_owned()))
}
