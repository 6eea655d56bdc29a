//! The webhook that alerts go to, signed.

use crate::outgoing::post;
use dispatcher_core::paywall::UnixMillis;
use serde_json::json;
use telemetry::alerts::{episodes::Episode, sign::signature};
use worker::Env;

/// The time that a receiver has to answer.
const TIMEOUT_MS: u32 = 10_000;

/// The receiver of alerts.
pub struct Webhook {
    url: String,
    secret: String,
}

impl Webhook {
    /// `None`: `ALERT_WEBHOOK_URL` or the secret `ALERT_WEBHOOK_SECRET` is not set.
    pub fn of(env: &Env) -> Option<Self> {
        let url = env.var("ALERT_WEBHOOK_URL").ok()?.to_string();
        let secret = env.secret("ALERT_WEBHOOK_SECRET").ok()?.to_string();
        (!url.is_empty() && !secret.is_empty()).then_some(Self { url, secret })
    }

    /// Tells of an episode. The error says why it has to be told again.
    pub async fn tell(&self, episode: &Episode, now: UnixMillis) -> Result<(), String> {
        let body = json!({"v": 1, "at_ms": now, "notice": episode.notice()}).to_string();
        let (timestamp, signed) = (now.seconds().to_string(), signature(&self.secret, now.seconds(), &body));
        let headers = [("x-402claw-timestamp", timestamp.as_str()), ("x-402claw-signature", signed.as_str())];
        post(&self.url, headers, &body, TIMEOUT_MS).await
    }
}
