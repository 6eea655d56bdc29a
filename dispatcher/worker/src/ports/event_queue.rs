//! The queue of events, on the platform's own.

use super::randomness::WebCrypto;
use crate::prompt;
use dispatcher_core::{
    Config,
    config::Environment,
    ports::{EventQueue, Randomness},
    telemetry::outbox::Parcel,
};
use js_sys::{Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::Env;

/// The binding's name.
const BINDING: &str = "TELEMETRY_QUEUE";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    type QueueBinding;

    #[wasm_bindgen(method, catch)]
    fn send(this: &QueueBinding, message: &str, options: &JsValue) -> Result<Promise, JsValue>;
}

pub struct TelemetryQueue {
    env: Env,
    environment: Environment,
}

impl TelemetryQueue {
    pub fn new(env: &Env, config: &Config) -> Self {
        Self { env: env.clone(), environment: config.environment }
    }

    pub fn is_bound(env: &Env) -> bool {
        Reflect::get(env, &BINDING.into()).is_ok_and(|binding| binding.is_object())
    }
}

impl EventQueue for TelemetryQueue {
    async fn send(&self, parcel: &Parcel) -> Result<(), String> {
        let network = self.environment.network().to_string();
        let message = parcel.message(&WebCrypto.request_id(), self.environment.name(), &network);
        let sent = async {
            let queue: QueueBinding = Reflect::get(&self.env, &BINDING.into())?.unchecked_into();
            // As text: anything else is copied by the structure of its members.
            let options = crate::plain_object::from(&serde_json::json!({"contentType": "text"}));
            prompt::promised(queue.send(&message, &options)?).await
        };
        sent.await.map(drop).map_err(|thrown| why(&thrown))
    }
}

/// The message of what was thrown.
pub fn why(thrown: &JsValue) -> String {
    let message = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    message.unwrap_or_else(|| "what was thrown is no error".to_owned())
}
