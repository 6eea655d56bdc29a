//! What tenants may ask of the outside, and callers that have them ask.

use super::Drawing;

/// Policies as a file writes them after `egress = `.
const POLICIES: [&str; 4] = [
    r#"{ deny = ["tracker.example.org"] }"#,
    r#"{ allow = ["*.example.org"] }"#,
    r#"{ allow = ["*.example.org"], deny = ["tracker.example.org"] }"#,
    r#"{ allow = ["api.example.com"] }"#,
];
/// The requests of the tenant double, by the names that it has for them.
const ASKED: [&str; 11] = [
    "public",
    "listed",
    "denied",
    "decimal",
    "mapped",
    "metadata",
    "localhost",
    "port",
    "platform",
    "redirect",
    "redirect-twice",
];

impl Drawing {
    /// A tenant's. The first one has it, or nothing would be confined.
    pub(super) fn policy(&mut self, position: usize) {
        if position == 0 || self.rng.bool() {
            let policy = self.one_of(&POLICIES);
            self.line(&format!("egress = {policy}"));
        }
    }

    pub(super) fn fetches(&mut self, until_s: u64) {
        let mut asked = ASKED.to_vec();
        self.rng.shuffle(&mut asked);
        for what in asked.into_iter().take(self.rng.usize(1..=4)) {
            self.line(&format!(
                "\n[[traffic]]\nname = \"fetch-{what}\"\nfrom = \"0s\"\nto   = \"{until_s}s\"\nrate = 1\n\
                 path = \"/fetch/{what}\"\nmix  = {{ paid = 1 }}"
            ));
        }
        self.must("EGRESS-1", "egress-is-confined = {}");
    }
}
