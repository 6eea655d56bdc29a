//! The JSON report's schema, made from the types that are written. A test holds the file beside it to that.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::{REPORT_SCHEMA, Report};

/// The document that `--report json=FILE` writes, and `--format json` prints.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there for its schema alone")]
enum Document {
    /// The report of one run.
    One(Box<Report>),
    /// The reports of several runs, in the order in which they ran.
    Several(Vec<Report>),
}

/// The schema as the committed file has it.
#[must_use]
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(Document);
    schema.insert("title".to_owned(), format!("Report of a run, version {REPORT_SCHEMA}").into());
    let text = serde_json::to_string_pretty(&schema).expect("a schema is plain data");
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_of_what_is_written() {
        assert!(include_str!("../schema.json") == schema(), "write it anew with `harness schema`");
    }
}
