//! Request ids from the runtime's cryptographic randomness: they hold claims on payments, so they must not be guessed.

use dispatcher_core::ports::Randomness;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Crypto;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = crypto)]
    static CRYPTO: Crypto;
}

pub struct WebCrypto;

impl Randomness for WebCrypto {
    fn request_id(&self) -> String {
        uuid()
    }

    fn seed(&self) -> u64 {
        let mut bytes = [0; 8];
        let filled = CRYPTO.with(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).map(drop));
        filled.expect("eight bytes are below the platform's 65536");
        u64::from_le_bytes(bytes)
    }
}

/// Letters, digits and hyphens that are never the same twice.
pub fn uuid() -> String {
    CRYPTO.with(Crypto::random_uuid)
}
