//! What holds of every run, whatever is in it: the rules that scenarios which nobody wrote are held to.

/// The rules as a file writes them: the rule's id, and its checker, which has no parameters.
pub const ALWAYS: [(&str, &str); 9] = [
    ("MONEY-1", "settle-at-most-once"),
    ("MONEY-2", "paid-content-only-after-settlement"),
    ("MONEY-3", "unknown-is-not-failed"),
    ("MONEY-4", "nobody-pays-for-nothing"),
    ("MONEY-5", "settle-stays-put-while-unknown"),
    ("MONEY-6", "verify-before-run-settle-after"),
    ("MONEY-8", "books-balance"),
    ("COST-1", "dispatch-carries-limits"),
    ("LIVE-2", "every-request-ends-once"),
];
