//! The platform's rate limiting bindings: what all isolates of a location count together. Our own binding, because that of
//! workers-rs goes by way of serde for a call of one field.

use crate::prompt;
use dispatcher_core::ports::{RateLimiter, Rung};
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::Env;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object)]
    type LimitBinding;

    #[wasm_bindgen(method, catch)]
    fn limit(this: &LimitBinding, options: &JsValue) -> Result<Promise, JsValue>;
}

pub struct LimitBindings(Env);

impl LimitBindings {
    pub fn new(env: &Env) -> Self {
        Self(env.clone())
    }

    async fn count(&self, rung: Rung, key: &str) -> Result<JsValue, JsValue> {
        let binding = Reflect::get(&self.0, &rung.binding().into())?.unchecked_into::<LimitBinding>();
        let options = Object::new();
        Reflect::set(&options, &"key".into(), &key.into())?;
        let outcome = prompt::promised(binding.limit(&options)?).await?;
        Reflect::get(&outcome, &"success".into())
    }
}

impl RateLimiter for LimitBindings {
    /// Without the binding, or where it fails, each isolate goes by what it saw itself.
    async fn count(&self, rung: Rung, key: &str) -> bool {
        Self::count(self, rung, key).await.map_or(true, |success| success != JsValue::FALSE)
    }
}
