//! `throws`: HTTP 500 and a line of text for whatever the official library throws at: a signature that is not its payer's by the
//! key alone, and a payload with both kinds of authorization, be one of them null. The money stays.
//!
//! The library's own example answers so, and nothing is wrong with a facilitator that does: its caller sent the payment.

use crate::{answers::Ask, reply::Reply};

pub fn reply(ask: &Ask<'_>) -> Reply {
    if ask.request.is_proven(ask.chain.signers()) {
        return ask.honest();
    }
    Reply::text(500, "text/plain", "TypeError: Cannot read properties of null (reading 'from')")
}

#[cfg(test)]
mod tests {
    use crate::{
        Inject,
        testing::{Bench, Payer, always},
    };

    #[tokio::test]
    async fn it_throws_at_what_is_odd_and_serves_the_rest() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::Throws)).await;
        let odd =
            Payer::new(1).body(1).replace("\"authorization\":", "\"permit2Authorization\":null,\"authorization\":");
        let forged = Payer::new(1).body(1).replace("\"value\":\"10000\"", "\"value\":\"10001\"");
        for body in [odd, forged] {
            assert_eq!(bench.post_body(&double, "/verify", body).await.unwrap().0, 500);
        }
        assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().1["isValid"], true);
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
        assert_eq!(bench.stop(double).await.1, 1);
    }
}
