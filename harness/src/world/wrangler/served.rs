//! What `wrangler dev` says that it serves.

/// The URL in the line that wrangler prints once it serves.
pub fn served_url(line: &str) -> Option<&str> {
    line.strip_prefix("[wrangler:info] Ready on ").map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wrangler_itself_can_say_what_is_served() {
        assert_eq!(served_url("[wrangler:info] Ready on http://127.0.0.1:4021"), Some("http://127.0.0.1:4021"));
        assert_eq!(served_url(r#"{"text":"[wrangler:info] Ready on http://127.0.0.1:4021"}"#), None);
    }
}
