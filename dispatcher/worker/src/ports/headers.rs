//! Headers of the runtime as pairs.

use dispatcher_core::protocol::json;
use js_sys::{Array, JSON};
use web_sys::Headers;

/// Reads one text for all of them: by the iterator each header costs eight crossings.
pub fn pairs(headers: &Headers) -> Vec<(String, String)> {
    let text = JSON::stringify(&Array::from(headers)).expect("pairs of strings can be written as JSON");
    json::read(&String::from(text)).expect("headers are pairs of strings")
}
