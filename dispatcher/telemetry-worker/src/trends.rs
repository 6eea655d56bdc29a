//! Trends, in Analytics Engine: a point a request, a payment's settlement and a change of a facilitator. It samples and forgets after
//! three months, so no figure of money is made from it. Under `wrangler dev` its binding drops every point.

use dispatcher_core::telemetry::event::Batch;
use js_sys::{Array, Reflect};
use serde_json::json;
use telemetry::trends::{MOST_POINTS, Point, points};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::Env;

/// The binding's name.
const BINDING: &str = "TRENDS";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    type DataSet;

    #[wasm_bindgen(method, catch, js_name = writeDataPoint)]
    fn write(this: &DataSet, point: &JsValue) -> Result<(), JsValue>;
}

/// Writes the points of a message that was stored. Without the binding there are none.
pub fn write(env: &Env, message: &str) {
    let Some(binding) = Reflect::get(env, &BINDING.into()).ok().filter(JsValue::is_object) else { return };
    let (data_set, Ok(batch)) = (binding.unchecked_into::<DataSet>(), Batch::read(message)) else { return };
    let all = points(&batch);
    let failed = all.iter().take(MOST_POINTS).filter(|point| data_set.write(&plain(point)).is_err()).count();
    if failed > 0 {
        crate::log("trouble", &json!({"what": "trends_not_written", "why": format!("{failed} points were refused")}));
    }
}

fn plain(point: &Point) -> JsValue {
    let told = js_sys::Object::new();
    let blobs: Array = point.blobs.iter().map(|blob| JsValue::from_str(blob)).collect();
    let doubles: Array = point.doubles.iter().map(|double| JsValue::from_f64(*double)).collect();
    let indexes = Array::of1(&JsValue::from_str(&point.index));
    for (name, value) in [("blobs", &blobs), ("doubles", &doubles), ("indexes", &indexes)] {
        // A plain object takes any member.
        let _taken = Reflect::set(&told, &name.into(), value);
    }
    told.into()
}
