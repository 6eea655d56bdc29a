//! One caller's connection: request after request, each with its own fault, each recorded once however it ends.

use super::{
    answers,
    caller::Caller,
    exchange::{Exchange, Played, Then},
    http1::{Head, ReadError, RequestLine},
    origin::HonestPart,
    reply::{JSON, Reply},
    request::{FacilitatorRequest, PaymentSeen},
    script::{Admitted, Script},
    signers::Signers,
    wants::{Shown, Wants},
};
use journal::Journal;
use reports::event::{Event, FacilitatorCall, FacilitatorEndpoint, FaultRef};
use std::{error::Error, sync::Arc};
use tokio::{select, sync::watch};

/// The state that all connections of a double share.
pub struct Double {
    pub name: Arc<str>,
    /// Without it nobody is answered.
    pub wants: Wants,
    pub script: Arc<Script>,
    pub origin: HonestPart,
    pub signers: Arc<Signers>,
    pub journal: Journal,
}

/// Why a connection is closed from our side in mid-life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// A `refuse` window began.
    Refused(FaultRef),
    /// The double stops.
    Stopped,
}

pub async fn serve(mut caller: Caller, double: Arc<Double>, mut closing: watch::Receiver<Option<Closing>>) {
    loop {
        let line = select! {
            biased;
            _ = closed(&mut closing) => return caller.reset(),
            line = caller.request_line() => line,
        };
        let line = match line {
            Ok(Some(line)) => line,
            Ok(None) => return,
            Err(error) => return double.turn_away(caller, &error).await,
        };
        let Some(endpoint) = endpoint(&line) else {
            let (facilitator, path) = (double.name.to_string(), format!("{} {}", line.method, line.path));
            double.tell(Event::FacilitatorAskedElsewhere { facilitator, path });
            return answer_and_close(caller, &Reply::text(404, JSON, r#"{"message":"no such endpoint"}"#)).await;
        };
        let received_us = double.journal.clock().now_us();
        let admitted = double.script.admit(endpoint, received_us);
        let mut seen = PaymentSeen::default();
        let (played, fault) = select! {
            biased;
            closing = closed(&mut closing) => interrupted(closing, &admitted),
            played = play(&mut caller, &double, &line, endpoint, &admitted, &mut seen) => (played, bitten(&admitted)),
        };
        double.tell(Event::FacilitatorCalled(FacilitatorCall {
            facilitator: double.name.to_string(),
            endpoint,
            nth: admitted.nth,
            payment: seen.payment,
            payload_hash: seen.payload_hash,
            received_us,
            ended_us: double.journal.clock().now_us(),
            fault,
            stray_key: seen.stray_key,
            answer: played.answer,
        }));
        match played.then {
            Then::KeepOpen => {}
            Then::Close => return caller.close().await,
            Then::Reset => return caller.reset(),
        }
    }
}

/// Reads the rest of the request and lets the fault, or the honest part, have the call.
async fn play(
    caller: &mut Caller,
    double: &Double,
    line: &RequestLine,
    endpoint: FacilitatorEndpoint,
    admitted: &Admitted,
    seen: &mut PaymentSeen,
) -> Played {
    let inject = admitted.fault.as_ref().map(|(_, spec)| &spec.inject);
    if inject.is_some_and(|inject| !inject.reads_request()) {
        return Played::reset();
    }
    let (head, body) = match request(caller).await {
        Ok(request) => request,
        Err(error) => return unread(caller, double, &error).await,
    };
    let body = match inject {
        Some(inject) => inject.as_read(body),
        None => body,
    };
    let read = FacilitatorRequest::parse(&body);
    *seen = read.seen();
    let shown = Shown { head: &head, line, now: double.journal.clock().unix_now() };
    seen.stray_key = double.wants.is_stray(&shown);
    if let Err(why) = double.wants.admit(&shown) {
        return turned_away(caller, why, head.last).await;
    }
    let fault = admitted.fault.as_ref().map(|(position, _)| *position);
    let mut exchange = Exchange {
        caller,
        origin: &double.origin,
        facilitator: &double.name,
        endpoint,
        body,
        request: read,
        signers: &double.signers,
        fault,
    };
    let played = match inject {
        Some(inject) => inject.play(&mut exchange).await,
        None => exchange.answer().await,
    };
    let mut played = played.unwrap_or_else(|error| {
        double.unreadable(chain_of(&error));
        Played::reset()
    });
    if head.last && played.then == Then::KeepOpen {
        played.then = Then::Close;
    }
    played
}

async fn request(caller: &mut Caller) -> Result<(Head, Vec<u8>), ReadError> {
    let head = caller.head().await?;
    let body = caller.body(head.framing).await?;
    Ok((head, body))
}

async fn turned_away(caller: &mut Caller, why: &str, last: bool) -> Played {
    let reply = Reply::text(401, JSON, &serde_json::json!({"message": "unauthorized", "detail": why}).to_string());
    match caller.send(&reply.bytes()).await {
        Ok(()) => Played { answer: reply.sent(), then: if last { Then::Close } else { Then::KeepOpen } },
        Err(_) => Played::caller_gone(),
    }
}

/// Answers a request that cannot be read, if the caller is still there.
async fn unread(caller: &mut Caller, double: &Double, error: &ReadError) -> Played {
    let Some(reply) = complaint(error) else {
        return Played::caller_gone();
    };
    double.unreadable(error.to_string());
    match caller.send(&reply.bytes()).await {
        Ok(()) => Played { answer: reply.sent(), then: Then::Close },
        Err(_) => Played::caller_gone(),
    }
}

fn interrupted(closing: Closing, admitted: &Admitted) -> (Played, Option<FaultRef>) {
    match closing {
        Closing::Refused(fault) => (Played::reset(), Some(fault)),
        Closing::Stopped => (Played { then: Then::Reset, ..Played::hung() }, bitten(admitted)),
    }
}

fn bitten(admitted: &Admitted) -> Option<FaultRef> {
    admitted.fault.as_ref().map(|(_, spec)| spec.fault.clone())
}

async fn closed(closing: &mut watch::Receiver<Option<Closing>>) -> Closing {
    let closing = closing.wait_for(Option::is_some).await.map(|closing| closing.clone());
    // The acceptor drops its end only when it ends itself.
    closing.ok().flatten().unwrap_or(Closing::Stopped)
}

fn endpoint(line: &RequestLine) -> Option<FacilitatorEndpoint> {
    let path = line.path.split('?').next().unwrap_or_default();
    answers::ENDPOINTS.into_iter().find(|endpoint| answers::route(*endpoint) == (line.method.as_str(), path))
}

fn complaint(error: &ReadError) -> Option<Reply> {
    let status = match error {
        ReadError::Gone => return None,
        ReadError::NotHttp(_) => 400,
        ReadError::HeadTooLarge => 431,
        ReadError::BodyTooLarge => 413,
    };
    Some(Reply::text(status, JSON, r#"{"message":"unreadable request"}"#))
}

async fn answer_and_close(mut caller: Caller, reply: &Reply) {
    if caller.send(&reply.bytes()).await.is_ok() {
        caller.close().await;
    }
}

fn chain_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl Double {
    pub fn tell(&self, event: Event) {
        self.journal.record(event);
    }

    pub fn unreadable(&self, text: String) {
        self.tell(Event::Unreadable { source: format!("facilitator {}", self.name), text });
    }

    async fn turn_away(&self, caller: Caller, error: &ReadError) {
        if let Some(reply) = complaint(error) {
            self.unreadable(error.to_string());
            answer_and_close(caller, &reply).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{http1, testing::Bench};
    use reports::event::{Event, FacilitatorAnswer, FacilitatorCall, Recorded};

    #[tokio::test]
    async fn what_is_no_call_is_answered_and_told() {
        let mut bench = Bench::new();
        let double = bench.double(vec![]).await;
        assert_eq!(bench.post(&double, "/metrics", 1).await.unwrap().0, 404);
        assert!(matches!(
            bench.seen.recv().await,
            Some(Recorded { event: Event::FacilitatorAskedElsewhere { .. }, .. })
        ));
        let large = " ".repeat(http1::MAX_BODY_BYTES + 1);
        assert_eq!(bench.post_body(&double, "/settle", large).await.unwrap().0, 413);
        assert!(matches!(bench.seen.recv().await, Some(Recorded { event: Event::Unreadable { .. }, .. })));
        let (calls, _) = bench.stop(double).await;
        assert!(matches!(calls[..], [FacilitatorCall { answer: FacilitatorAnswer::Sent { status: 413, .. }, .. }]));
    }
}
