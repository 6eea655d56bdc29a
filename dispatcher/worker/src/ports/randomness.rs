//! Request ids from the runtime's cryptographic randomness: they hold claims on payments, so they must not be guessed.

use dispatcher_core::ports::Randomness;
use wasm_bindgen::{JsCast, JsValue};

pub struct WebCrypto;

impl Randomness for WebCrypto {
    fn request_id(&self) -> String {
        crypto().random_uuid()
    }

    fn seed(&self) -> u64 {
        let mut bytes = [0; 8];
        crypto().get_random_values_with_u8_array(&mut bytes).expect("eight bytes are below the platform's 65536");
        u64::from_le_bytes(bytes)
    }
}

fn crypto() -> web_sys::Crypto {
    let crypto = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("crypto"));
    crypto.expect("reading a property of the global object does not throw").unchecked_into()
}
