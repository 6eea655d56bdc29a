//! The report as JSON, alone on the stream, so that another program can read it without looking for its start.

use crate::report::Report;

pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(report).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::failing;

    #[test]
    fn json_says_all_of_the_report() {
        let text = render(&failing()).expect("it is plain data");
        let back: Report = serde_json::from_str(&text).expect("what was written can be read");
        assert_eq!(back, failing());
        insta::assert_snapshot!(text);
    }
}
