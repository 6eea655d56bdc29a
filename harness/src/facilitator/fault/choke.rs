//! `choke`: an exception at a payment that the facilitator cannot digest, and so a 500. Here it is the signature of a smart
//! account, which nobody need own or sign. All other payments get the honest answer.

use super::status;
use crate::{
    facilitator::{answers::Ask, reply::Reply},
    scenario::StatusBody,
};
use x402_protocol::Signature;

pub fn reply(ask: &Ask<'_>) -> Reply {
    let signature = ask.request.read().ok().map(|read| &read.exact.signature);
    if matches!(signature, Some(Signature::SmartAccount(_))) {
        return status::reply(500, StatusBody::Json);
    }
    ask.honest()
}

#[cfg(test)]
mod tests {
    use crate::facilitator::testing::{ALWAYS, Bench, Payer, fault};
    use crate::scenario::{Call, Inject, Pick};

    #[tokio::test]
    async fn only_what_cannot_be_digested_is_a_500() {
        let bench = Bench::new();
        let double = bench.double(vec![fault(Call::Any, ALWAYS, Pick::All, Inject::Choke)]).await;
        assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().1["isValid"], true);
        let body = Payer::new(1).body(2);
        let at = body.find(r#""signature":"0x"#).unwrap() + r#""signature":"0x"#.len();
        let wider = format!("{}{}{}", &body[..at], "11".repeat(40), &body[at..]);
        assert_eq!(bench.post_body(&double, "/verify", wider).await.unwrap().0, 500);
        bench.stop(double).await;
    }
}
