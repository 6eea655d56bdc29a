//! Request ids from the runtime's cryptographic randomness: they hold claims on payments, so they must not be guessed.

use dispatcher_core::ports::Randomness;
use wasm_bindgen::{JsCast, JsValue};

pub struct WebCrypto;

impl Randomness for WebCrypto {
    fn request_id(&self) -> String {
        let crypto = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("crypto"))
            .expect("reading a property of the global object does not throw");
        crypto.unchecked_into::<web_sys::Crypto>().random_uuid()
    }
}
