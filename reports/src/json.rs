//! The report as JSON, alone on the stream, so that another program can read it without looking for its start.

use serde::Serialize;

/// A report, or a list of them; ends with a newline.
pub fn render(reports: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(reports).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture::failing, report::Report};

    #[test]
    fn json_says_all_of_the_report() {
        let text = render(&failing()).expect("it is plain data");
        let back: Report = serde_json::from_str(&text).expect("what was written can be read");
        assert_eq!(back, failing());
        insta::assert_snapshot!(text);
    }
}
