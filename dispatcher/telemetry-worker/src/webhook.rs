//! The webhook that alerts go to, signed.

use dispatcher_core::paywall::UnixMillis;
use js_sys::{Promise, futures::JsFuture};
use serde_json::json;
use telemetry::alerts::{episodes::Episode, sign::signature};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};
use worker::Env;

/// The time that a receiver has to answer.
const TIMEOUT_MS: u32 = 10_000;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

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
        let sent = async {
            let headers = Headers::new()?;
            headers.set("content-type", "application/json")?;
            headers.set("x-402claw-timestamp", &now.seconds().to_string())?;
            headers.set("x-402claw-signature", &signature(&self.secret, now.seconds(), &body))?;
            let init = RequestInit::new();
            init.set_method("POST");
            init.set_headers(&headers);
            init.set_body(&JsValue::from_str(&body));
            init.set_redirect(RequestRedirect::Manual);
            init.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)));
            let response: Response = JsFuture::from(fetch(&self.url, &init)?).await?.unchecked_into();
            Ok::<_, JsValue>(response.status())
        };
        match sent.await {
            Ok(200..300) => Ok(()),
            Ok(status) => Err(format!("status {status}")),
            Err(_) => Err("no answer".to_owned()),
        }
    }
}
