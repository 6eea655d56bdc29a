//! The `bazaar` extension of an offer: how its resource is asked for, for catalogues that read offers. It goes out with every 402,
//! in a header, so its size is bounded.

use serde::Deserialize;
use serde_json::{Map, Value, json};

pub const EXTENSION: &str = "bazaar";

/// Together with an offer's other parts it stays below the 8 kB of headers that some clients take, in base64.
const MAX_BYTES: usize = 3 * 1024;

/// A record's word on it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BazaarRecord {
    /// An example of a request, and of its answer.
    pub info: Map<String, Value>,
    /// The JSON Schema that the example follows.
    pub schema: Map<String, Value>,
}

impl BazaarRecord {
    /// The declaration as it goes out.
    pub fn check(self) -> Result<Value, String> {
        let Self { info, schema } = self;
        let input = info.get("input").and_then(|input| input.get("type")).and_then(Value::as_str);
        if input != Some("http") {
            return Err("has no info.input.type \"http\"".to_owned());
        }
        if schema.is_empty() {
            return Err("has an empty schema".to_owned());
        }
        let declaration = json!({"info": info, "schema": schema});
        match declaration.to_string().len() {
            bytes if bytes > MAX_BYTES => Err(format!("has {bytes} bytes, and at most {MAX_BYTES} fit into a header")),
            _ => Ok(declaration),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Value, String> {
        serde_json::from_str::<BazaarRecord>(text).expect("it has both parts").check()
    }

    #[test]
    fn a_declaration_says_how_to_ask_and_fits_into_a_header() {
        let good = r#"{"info":{"input":{"type":"http","method":"GET"}},"schema":{"type":"object"}}"#;
        assert_eq!(check(good).unwrap()["info"]["input"]["method"], "GET");
        assert!(check(&good.replace("http", "ftp")).unwrap_err().contains("input.type"));
        assert!(check(&good.replace(r#"{"type":"object"}"#, "{}")).unwrap_err().contains("empty schema"));
        let long = good.replace("object", &"x".repeat(MAX_BYTES));
        assert!(check(&long).unwrap_err().contains("fit into a header"));
    }
}
