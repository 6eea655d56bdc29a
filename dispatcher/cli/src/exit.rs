//! Exit codes, which scripts may rely on.

use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// It could not be done; nothing was changed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The data, the price or the configuration is wrong.
    Invalid = 3,
    /// A payment was refused: no money moved.
    Refused = 4,
    /// Money may have moved. Run the same command again: it sends the same payment.
    Unknown = 5,
    /// Every try was turned away, and no money moved.
    RetriesOver = 6,
    /// The price is above what may be paid.
    TooDear = 7,
    /// Someone else is changing the registry, or has changed it meanwhile.
    Busy = 8,
    /// Some of it was done. The message says how to go on.
    Partial = 9,
    Interrupted = 130,
}

impl Exit {
    pub const LISTED: &'static str = "Exit codes:\n  \
        0  done\n  1  failed, nothing was changed\n  2  wrong command line\n  3  wrong data, price or configuration\n  \
        4  payment refused, no money moved\n  5  outcome unknown, run the same command again\n  \
        6  retries over, no money moved\n  7  price above --max-price\n  8  registry is being changed by another\n  \
        9  half done, the message says how to go on\n  130  interrupted";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
