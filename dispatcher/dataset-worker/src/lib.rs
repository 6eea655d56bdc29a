//! The Worker of a tenant with a data set. What is answered is `dataset::api`'s to say; here is only the runtime around it.
//!
//! Surprising constraint: the data stays where the runtime put it, outside of wasm's memory, and is read from there piece by
//! piece. A copy would need the isolate's memory twice.

use dataset::{
    Dataset, Source,
    api::{self, Site},
};
use js_sys::{ArrayBuffer, JsString, Reflect, Uint8Array};
use std::cell::OnceCell;
use wasm_bindgen::JsCast;
use web_sys::{Request, Response, ResponseInit, Url, console};
use worker::{Context, Env, Result, event};

/// Names under which `entry.mjs` leaves what lies beside the wasm.
const DATA: &str = "__dataset_data";
const SITE: &str = "__dataset_site";

/// A buffer of the runtime's.
struct Outside(Uint8Array);

impl Source for Outside {
    fn len(&self) -> usize {
        self.0.length() as usize
    }

    fn read(&self, at: usize, into: &mut [u8]) {
        let length = self.len();
        let (from, to) = (at.min(length), at.saturating_add(into.len()).min(length));
        let (there, beyond) = into.split_at_mut(to - from);
        self.0.subarray(from as u32, to as u32).copy_to(there);
        beyond.fill(0);
    }
}

struct Opened {
    dataset: Dataset<Outside>,
    site: Site,
}

thread_local! {
    static OPENED: OnceCell<Opened> = const { OnceCell::new() };
}

#[event(fetch)]
async fn fetch_event(request: Request, _: Env, _: Context) -> Result<Response> {
    OPENED.with(|opened| {
        if opened.get().is_none() {
            match open() {
                Ok(new) => drop(opened.set(new)),
                Err(why) => {
                    console::error_1(&format!("the data set cannot be opened: {why}").into());
                    return refusal();
                }
            }
        }
        match opened.get() {
            Some(opened) => serve(opened, &request),
            None => refusal(),
        }
    })
}

fn open() -> std::result::Result<Opened, String> {
    let global = js_sys::global();
    let value = |name: &str| Reflect::get(&global, &name.into()).map_err(|_| format!("there is no {name}"));
    let data = value(DATA)?.dyn_into::<ArrayBuffer>().map_err(|_| "its data is no buffer".to_owned())?;
    let site = value(SITE)?.dyn_into::<JsString>().map_err(|_| "its documents are no text".to_owned())?;
    let site = serde_json::from_str(&String::from(site)).map_err(|error| format!("its documents: {error}"))?;
    let dataset = Dataset::open(Outside(Uint8Array::new(&data))).map_err(|error| error.to_string())?;
    Ok(Opened { dataset, site })
}

fn serve(Opened { dataset, site }: &Opened, request: &Request) -> Result<Response> {
    let url = Url::new(&request.url())?;
    let (method, path, search) = (request.method(), url.pathname(), url.search());
    let header = |name: &str| request.headers().get(name).ok().flatten();
    let (accept, if_none_match) = (header("accept"), header("if-none-match"));
    let asked = api::Request {
        method: &method,
        path: &path,
        query: search.strip_prefix('?').unwrap_or_default(),
        accept: accept.as_deref(),
        if_none_match: if_none_match.as_deref(),
    };
    let api::Response { status, headers, body } = api::answer(dataset, site, &asked);
    let init = ResponseInit::new();
    init.set_status(status);
    // Of a 304 there is none, not even an empty one.
    let body = Some(body.as_str()).filter(|_| status != 304);
    let response = Response::new_with_opt_str_and_init(body, &init)?;
    for (name, value) in headers {
        response.headers().set(name, &value)?;
    }
    Ok(response)
}

/// Nobody is charged for it. The log says why.
fn refusal() -> Result<Response> {
    let init = ResponseInit::new();
    init.set_status(500);
    let body = r#"{"error":{"code":"data_set_unreadable","message":"the data set cannot be read"}}"#;
    let response = Response::new_with_opt_str_and_init(Some(body), &init)?;
    response.headers().set("content-type", "application/json")?;
    Ok(response)
}
