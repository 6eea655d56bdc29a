//! Traces to a collector, once their events are stored. A collector that does not answer costs the queue a few seconds and nothing
//! else: what it did not take is not sent again.

use crate::{log, outgoing::post};
use serde_json::json;
use telemetry::{
    PayerKey,
    otlp::{Export, Sampler, export, headers},
};
use worker::Env;

/// The time that a collector has to answer.
const TIMEOUT_MS: u32 = 5_000;

/// The collector, as OpenTelemetry's own variables name it.
pub struct Collector {
    url: String,
    headers: Vec<(String, String)>,
    sampler: Sampler,
}

impl Collector {
    /// `None`: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is not set.
    pub fn of(env: &Env) -> Option<Self> {
        let var = |name| env.var(name).ok().map(|value| value.to_string()).filter(|value| !value.is_empty());
        let url = var("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")?;
        let secret = env.secret("OTEL_EXPORTER_OTLP_HEADERS").ok().map(|secret| secret.to_string());
        let sampler = match var("OTEL_TRACES_SAMPLER_ARG").map(|text| Sampler::read(&text)) {
            None => Sampler::ALL,
            Some(Ok(sampler)) => sampler,
            Some(Err(why)) => {
                log("trouble", &json!({"what": "traces_not_exported", "why": why}));
                return None;
            }
        };
        Some(Self { url, headers: secret.as_deref().map(headers).unwrap_or_default(), sampler })
    }

    /// Sends what some messages of the queue tell of.
    pub async fn tell(&self, messages: &[String], key: Option<&PayerKey>) {
        // One that cannot be read lies with the dead letters.
        let batches: Vec<_> = messages
            .iter()
            .filter_map(|message| dispatcher_core::telemetry::event::Batch::read(message).ok())
            .collect();
        let Some(Export { body, left_out }) = export(&batches, self.sampler, key) else { return };
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        if let Err(why) = post(&self.url, headers, &body, TIMEOUT_MS).await {
            log("trouble", &json!({"what": "traces_not_exported", "why": why}));
        }
        if left_out > 0 {
            log(
                "trouble",
                &json!({"what": "traces_left_out", "why": format!("{left_out} spans are over the limit of one export")}),
            );
        }
    }
}
