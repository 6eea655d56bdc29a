//! Our own JavaScript, which does in one crossing what would take many. Texts of several lines are as [`lines`] makes them.

use js_sys::Uint8Array;
use wasm_bindgen::{JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{ReadableStream, Request, Response};

/// Called with a ticket, a word and a value once what was begun with the ticket is over. A negative word: it failed.
pub type Settled = Closure<dyn Fn(u32, i32, JsValue)>;

#[wasm_bindgen(module = "/src/glue.js")]
extern "C" {
    pub fn promise(task: u32) -> JsValue;

    pub fn settle(task: u32, is_done: bool, value: &JsValue);

    pub fn keep(ctx: &JsValue, task: u32);

    pub fn wait(promise: &JsValue, ticket: u32, settled: &Settled);

    #[wasm_bindgen(js_name = wakeAfter)]
    pub fn wake_after(millis: i32, ticket: u32, settled: &Settled) -> u32;

    #[wasm_bindgen(js_name = neverMind)]
    pub fn never_mind(timer: u32);

    pub fn soon(go_on: &Closure<dyn Fn()>);

    /// `border` counts as JavaScript does, in units of UTF-16.
    #[wasm_bindgen(catch)]
    pub fn respond(status: u16, text: &str, border: usize, bare: bool) -> Result<Response, JsValue>;

    #[wasm_bindgen(catch, js_name = respondBytes)]
    pub fn respond_bytes(status: u16, head: &str, body: Option<Uint8Array>) -> Result<Response, JsValue>;

    #[wasm_bindgen(js_name = headOf)]
    pub fn head_of(response: &Response) -> String;

    pub fn collect(body: Option<ReadableStream>, most: usize, ticket: u32, settled: &Settled);

    pub fn exchange(
        url: &str,
        init: &str,
        body: Option<&str>,
        timeout: u32,
        most: usize,
        ticket: u32,
        settled: &Settled,
    );

    #[wasm_bindgen(catch)]
    pub fn ask(
        env: &JsValue,
        binding: &str,
        name: &str,
        frame: &[u8],
        ticket: u32,
        settled: &Settled,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(catch)]
    pub fn dispatch(
        env: &JsValue,
        script: &str,
        options: &str,
        request: &Request,
        url: &str,
        dropped: &str,
        of_content: Option<&str>,
        set: &str,
        ticket: u32,
        settled: &Settled,
    ) -> Result<bool, JsValue>;

    #[wasm_bindgen(catch)]
    pub fn load(sql: &JsValue, payment: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(catch)]
    pub fn save(
        sql: &JsValue,
        payment: &str,
        record: &str,
        due: Option<f64>,
        open_since: Option<f64>,
        settled_at: Option<f64>,
        body: Option<&[u8]>,
    ) -> Result<(), JsValue>;
}

/// A line for each text, ended. A text that has a line's end would be two, and is refused.
pub fn lines<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<String, String> {
    let mut lines = String::new();
    for text in texts {
        if text.contains('\n') {
            return Err(format!("{text:?} has several lines"));
        }
        lines.push_str(text);
        lines.push('\n');
    }
    Ok(lines)
}

/// Names and values by turns, a line each.
pub fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut lines = text.split('\n');
    std::iter::from_fn(move || Some((lines.next()?, lines.next()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_what_lines_were_made_of_and_no_text_becomes_two() {
        let all = [("accept", ""), ("x-a", "b c")];
        let text = lines(all.iter().flat_map(|(name, value)| [*name, *value])).unwrap();
        assert_eq!(pairs(&text).collect::<Vec<_>>(), all);
        assert_eq!(pairs("").count(), 0);
        assert!(lines(["x-a", "b\nx-admin\nyes"]).is_err());
    }
}
