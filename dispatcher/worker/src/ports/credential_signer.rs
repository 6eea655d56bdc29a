//! Signs tokens for facilitators with the runtime's own cryptography. Pure Rust for both algorithms would be 19 kB more of
//! wasm after gzip.

use crate::{plain_object, prompt};
use dispatcher_core::paywall::{
    facilitator::token::{Algorithm, SigningKey},
    ports::{CredentialSigner, SignError},
};
use js_sys::{Array, Object, Promise, Uint8Array};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    type SubtleCrypto;

    #[wasm_bindgen(thread_local_v2, js_namespace = crypto, js_name = subtle)]
    static SUBTLE: SubtleCrypto;

    #[wasm_bindgen(method, catch, js_name = importKey)]
    fn import_key(
        this: &SubtleCrypto,
        format: &str,
        key: &Uint8Array,
        algorithm: &Object,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn sign(this: &SubtleCrypto, algorithm: &Object, key: &JsValue, message: &Uint8Array) -> Result<Promise, JsValue>;
}

pub struct SubtleSigner;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    named_curve: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'static str>,
}

impl CredentialSigner for SubtleSigner {
    async fn sign(&self, key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        signature(key, message).await.map_err(|_| SignError)
    }

    fn nonce(&self) -> String {
        super::randomness::uuid().replace('-', "")
    }
}

async fn signature(key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, JsValue> {
    let algorithm = match key.algorithm {
        Algorithm::EdDSA => Named { name: "Ed25519", named_curve: None, hash: None },
        // The runtime reads of each what the step wants.
        Algorithm::ES256 => Named { name: "ECDSA", named_curve: Some("P-256"), hash: Some("SHA-256") },
    };
    let algorithm: Object = plain_object::from(&algorithm).unchecked_into();
    let pkcs8 = Uint8Array::from(key.pkcs8.as_slice());
    let usages = Array::of1(&JsValue::from_str("sign"));
    let imported = SUBTLE.with(|subtle| subtle.import_key("pkcs8", &pkcs8, &algorithm, false, &usages))?;
    let imported = prompt::promised(imported).await?;
    let message = Uint8Array::from(message);
    let signed = SUBTLE.with(|subtle| subtle.sign(&algorithm, &imported, &message))?;
    Ok(Uint8Array::new(&prompt::promised(signed).await?).to_vec())
}
