//! Our own JavaScript, which does in one crossing what would take many. Texts of several lines are as [`lines`] makes them.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::{ReadableStream, Request, Response};

#[wasm_bindgen(module = "/src/glue.js")]
extern "C" {
    /// `border` counts as JavaScript does, in units of UTF-16.
    #[wasm_bindgen(catch)]
    pub fn respond(status: u16, text: &str, border: usize, bare: bool) -> Result<Response, JsValue>;

    #[wasm_bindgen(catch, js_name = respondBytes)]
    pub fn respond_bytes(status: u16, head: &str, body: Option<Uint8Array>) -> Result<Response, JsValue>;

    #[wasm_bindgen(js_name = headOf)]
    pub fn head_of(response: &Response) -> String;

    pub fn collect(body: Option<ReadableStream>, most: usize) -> Promise;

    pub fn exchange(url: &str, init: &str, body: Option<&str>, timeout: u32, most: usize) -> Promise;

    #[wasm_bindgen(catch)]
    pub fn ask(env: &JsValue, binding: &str, name: &str, frame: &[u8]) -> Result<Promise, JsValue>;

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
    ) -> Result<Option<Promise>, JsValue>;

    #[wasm_bindgen(catch)]
    pub fn first(sql: &JsValue, statement: &str, key: &str) -> Result<JsValue, JsValue>;
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
