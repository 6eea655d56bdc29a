//! What the Worker sends to the outside: one POST, bounded in time, redirects not followed.

use js_sys::{Promise, futures::JsFuture};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

/// Sends JSON. The error says why it did not arrive: a status that is no 2xx, or no answer in time.
pub async fn post<'a>(
    url: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    body: &str,
    timeout_ms: u32,
) -> Result<(), String> {
    let sent = async {
        let all = Headers::new()?;
        all.set("content-type", "application/json")?;
        for (name, value) in headers {
            all.set(name, value)?;
        }
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_headers(&all);
        init.set_body(&JsValue::from_str(body));
        init.set_redirect(RequestRedirect::Manual);
        init.set_signal(Some(&AbortSignal::timeout_with_u32(timeout_ms)));
        let response: Response = JsFuture::from(fetch(url, &init)?).await?.unchecked_into();
        Ok::<_, JsValue>(response.status())
    };
    match sent.await {
        Ok(200..300) => Ok(()),
        Ok(status) => Err(format!("status {status}")),
        Err(_) => Err("no answer".to_owned()),
    }
}
