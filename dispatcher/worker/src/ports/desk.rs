//! The desk at which questions about kept events are answered: the telemetry Worker, by a service binding.

use super::event_queue::why;
use crate::prompt;
use dispatcher_core::{
    log_text::bounded,
    operations::question::{Asked, DeskError, Told},
    ports::Desk,
};
use js_sys::{Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{RequestInit, Response};
use worker::Env;

/// The binding's name.
const BINDING: &str = "TELEMETRY";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    type ServiceBinding;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &ServiceBinding, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

pub struct TelemetryDesk(Env);

impl TelemetryDesk {
    pub fn new(env: &Env) -> Self {
        Self(env.clone())
    }
}

impl Desk for TelemetryDesk {
    async fn ask(&self, asked: &Asked) -> Result<Told, DeskError> {
        let binding = Reflect::get(&self.0, &BINDING.into()).ok().filter(JsValue::is_object);
        let service: ServiceBinding =
            binding.ok_or_else(|| DeskError::Unavailable(format!("{BINDING} is not bound")))?.unchecked_into();
        let body = serde_json::to_string(asked).expect("questions have string keys and plain values");
        let asked = async {
            let init = RequestInit::new();
            init.set_method("POST");
            init.set_body(&body.into());
            // The Worker is addressed by its binding; the host only has to be a valid URL.
            let response: Response =
                prompt::promised(service.fetch("https://telemetry/ask", &init)?).await?.unchecked_into();
            let content_type = response.headers().get("content-type")?.unwrap_or_default();
            let text = prompt::promised(response.text()?).await?.as_string().unwrap_or_default();
            Ok((response.status(), Told { content_type, text }))
        };
        match asked.await.map_err(|thrown: JsValue| DeskError::Unavailable(why(&thrown)))? {
            (200, told) => Ok(told),
            (400, told) => Err(DeskError::Refused(told.text)),
            (status, told) => Err(DeskError::Unavailable(bounded(&format!("status {status}: {}", told.text)))),
        }
    }
}
