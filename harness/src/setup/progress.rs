//! Where set-up says what it is doing. Lines, not bars: they must read well in a CI log, and steps run side by side.

use system::output::errln;

/// Takes one finished line at a time.
pub trait Progress: Send {
    fn line(&mut self, line: &str);
}

/// Standard error, so that standard output stays a report.
#[derive(Debug, Default)]
pub struct ToStderr;

impl Progress for ToStderr {
    fn line(&mut self, line: &str) {
        errln!("{line}");
    }
}
