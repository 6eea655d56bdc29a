//! Facilitators and what each does to a payment.

use super::{
    ONE_TRANSACTION, PAY_TO, SECRET,
    node::CHAIN_RPC,
    payment::{OWN_WALLET, wallet},
    ports::Ports,
};
use dispatcher_core::{
    paywall::{
        ports::{Clock, FacilitatorAnswer, FacilitatorTransport, HttpRequest, TransportError},
        telemetry::Call,
    },
    protocol::{Offer, Proof, v2::PaymentPayload},
};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
pub enum Facilitator {
    Honest,
    Dead,
    /// The money moves, and no answer comes.
    SettlesSilently,
    /// The money moves; it says "pending" once, and then this word of refusal, or the outcome.
    SaysPendingThen(Option<&'static str>),
    /// Settles, and answers after so many milliseconds.
    Slow(u64),
    /// Says a reason that is given before anything is sent.
    RefusesToSettle,
    /// The money moves, and it says no with this reason.
    MovesAndSays(&'static str),
    /// Nothing moves, and it says no with this reason.
    KeepsAndSays(&'static str),
    /// The money moves, and the n-th settlement is answered so, the last for good. See [`Said`].
    MovesAndAnswers(&'static [Said]),
    /// The same, and nothing moves.
    KeepsAndAnswers(&'static [Said]),
    Hangs,
    HangsAtSettle,
    /// Answers 401 to whoever does not send [`SECRET`].
    WantsAKey,
    /// Answers 401 to each settlement.
    WantsAKeyToSettle,
    /// Settles, and names the same transaction for every payment.
    ShowsOneTransaction,
    /// Lists another network in `/supported`.
    ServesAnotherNetwork,
    ClaimsAnotherPayer,
    ClaimsNoTransaction,
    /// An exception, and so a 500, for whoever is not the world's own payer: as of a payload that it cannot digest.
    ChokesOnStrangers,
    /// Says no to every `/verify` by this reason.
    SaysNo(&'static str),
    /// Answers every call with this status and body.
    Says(u16, &'static str),
}

/// A status and a body with `$payer`, `$transaction` and `$digits` (the transaction's, without `0x`). No body: the
/// connection breaks.
pub type Said = (u16, Option<&'static str>);

impl FacilitatorTransport for Ports {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let HttpRequest { url, headers, json, timeout_ms, .. } = request;
        if url == CHAIN_RPC {
            let body = self.0.ask_chain(&serde_json::from_str(json.unwrap()).unwrap()).to_string().into_bytes();
            return Ok(FacilitatorAnswer { status: 200, body });
        }
        let (name, call) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
        let behaviour = self.0.facilitators.borrow().get(name).copied().unwrap_or(Facilitator::Honest);
        let Some(json) = json else {
            let network =
                if matches!(behaviour, Facilitator::ServesAnotherNetwork) { "eip155:1" } else { "eip155:84532" };
            let kinds = json!({"kinds": [{"x402Version": 2, "scheme": "exact", "network": network}]});
            return Ok(FacilitatorAnswer { status: 200, body: kinds.to_string().into_bytes() });
        };
        let call = if call == "verify" { Call::Verify } else { Call::Settle };
        self.0.calls.borrow_mut().push((name.to_owned(), call));
        if matches!((behaviour, call), (Facilitator::WantsAKeyToSettle, Call::Settle)) {
            return Ok(FacilitatorAnswer { status: 401, body: b"unauthorized".to_vec() });
        }
        if matches!(behaviour, Facilitator::WantsAKey)
            && !headers.iter().any(|header| header.fixed_value() == Some(SECRET))
        {
            return Ok(FacilitatorAnswer { status: 401, body: Vec::new() });
        }
        if matches!((behaviour, call), (Facilitator::Hangs, _) | (Facilitator::HangsAtSettle, Call::Settle)) {
            self.sleep(timeout_ms).await;
            return Err(TransportError::Timeout);
        }
        if matches!(behaviour, Facilitator::Dead) {
            return Err(TransportError::Unreachable);
        }
        if let Facilitator::Says(status, body) = behaviour {
            return Ok(FacilitatorAnswer { status, body: body.as_bytes().to_vec() });
        }
        let request: Value = serde_json::from_str(json).unwrap();
        let authorization = &request["paymentPayload"]["payload"]["authorization"];
        let (payer, nonce) = (authorization["from"].as_str().unwrap(), authorization["nonce"].as_str().unwrap());
        let answer = |body: Value| Ok(FacilitatorAnswer { status: 200, body: body.to_string().into_bytes() });
        if call == Call::Verify && is_signed_by_another(&request) {
            return answer(json!({"isValid": false, "invalidReason": "invalid_exact_evm_signature", "payer": payer}));
        }
        if matches!(behaviour, Facilitator::ChokesOnStrangers) && payer.parse() != Ok(wallet(OWN_WALLET).address()) {
            return Ok(FacilitatorAnswer { status: 500, body: b"TypeError: permit2Authorization is null".to_vec() });
        }
        if let (Facilitator::SaysNo(reason), Call::Verify) = (behaviour, call) {
            return answer(json!({"isValid": false, "invalidReason": reason}));
        }
        // What was spent elsewhere it does not see yet.
        let is_settled =
            self.0.chain.borrow().get(nonce).is_some_and(|by| ["primary", "standby"].contains(&by.as_str()));
        if call == Call::Verify && is_settled {
            let reason = "invalid_exact_evm_nonce_already_used";
            return answer(json!({"isValid": false, "invalidReason": reason, "payer": payer}));
        }
        if call == Call::Verify {
            return answer(json!({"isValid": true, "payer": payer}));
        }
        let failure = |reason: &str| json!({"success": false, "errorReason": reason, "transaction": "", "network": ""});
        if matches!(behaviour, Facilitator::RefusesToSettle) {
            return answer(failure("unsupported_scheme"));
        }
        if let Facilitator::MovesAndSays(reason) = behaviour {
            self.0.chain.borrow_mut().insert(nonce.to_owned(), name.to_owned());
            return answer(failure(reason));
        }
        if let Facilitator::KeepsAndSays(reason) = behaviour {
            return answer(failure(reason));
        }
        if let Facilitator::MovesAndAnswers(said) | Facilitator::KeepsAndAnswers(said) = behaviour {
            if matches!(behaviour, Facilitator::MovesAndAnswers(_)) {
                self.0.chain.borrow_mut().insert(nonce.to_owned(), name.to_owned());
            }
            let settles = |(by, call): &&(String, Call)| by == name && *call == Call::Settle;
            let nth = self.0.calls.borrow().iter().filter(settles).count() - 1;
            let (status, body) = said[nth.min(said.len() - 1)];
            let Some(body) = body else { return Err(TransportError::Unreachable) };
            let body = body.replace("$payer", payer).replace("$transaction", nonce).replace("$digits", &nonce[2..]);
            return Ok(FacilitatorAnswer { status, body: body.into_bytes() });
        }
        let by = self.0.chain.borrow_mut().entry(nonce.to_owned()).or_insert(name.to_owned()).clone();
        if by != name {
            return answer(failure("invalid_exact_evm_nonce_already_used"));
        }
        let settles = |(by, call): &&(String, Call)| by == name && *call == Call::Settle;
        let asked = self.0.calls.borrow().iter().filter(settles).count();
        let (payer, transaction) = match behaviour {
            Facilitator::SaysPendingThen(_) if asked == 1 => return answer(failure("settlement_pending")),
            Facilitator::SaysPendingThen(Some(refusal)) => return answer(failure(refusal)),
            Facilitator::SettlesSilently => return Err(TransportError::Timeout),
            Facilitator::Slow(ms) if ms > timeout_ms => return Err(TransportError::Timeout),
            Facilitator::ClaimsAnotherPayer => (PAY_TO, nonce),
            Facilitator::ClaimsNoTransaction => (payer, ""),
            Facilitator::ShowsOneTransaction => (payer, ONE_TRANSACTION),
            _ => (payer, nonce),
        };
        // In the generation in which it was asked.
        let network = if request["x402Version"] == 1 { "base-sepolia" } else { "eip155:84532" };
        answer(json!({"success": true, "payer": payer, "transaction": transaction, "network": network}))
    }
}

/// Whether a version 2 payment does not recover to its payer. On this chain nobody is a smart account.
fn is_signed_by_another(request: &Value) -> bool {
    let Ok(PaymentPayload { accepted, exact, .. }) = PaymentPayload::parse(&request["paymentPayload"].to_string())
    else {
        return false;
    };
    let offer = Offer::from_requirements(&accepted).unwrap();
    exact.signature.proof(exact.transfer.from(), &exact.transfer.digest(&offer)) == Proof::Unproven
}
