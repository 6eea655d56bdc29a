//! Plain objects for the runtime, such as the second argument of `fetch`: written as JSON here and parsed there, because a
//! crossing between wasm and JavaScript costs more than the text of a dozen properties.

use serde::Serialize;
use wasm_bindgen::JsValue;

pub fn from(value: &impl Serialize) -> JsValue {
    let text = serde_json::to_string(value).expect("plain objects have string keys and plain values");
    js_sys::JSON::parse(&text).expect("what was just written as JSON is JSON")
}
