//! `reset`: the connection dies with a TCP RST (zero linger), not a FIN. The money stays.
//!
//! "After accept" waits for the request line: a double that reset before any byte could not record which call it broke.

use crate::facilitator::exchange::Played;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Nothing is read beyond the request line, so the record cannot name the payment.
    Accept,
    /// The request was read, whole: the caller may think that it was acted on.
    Head,
}

impl After {
    #[must_use]
    pub fn reads_request(self) -> bool {
        self == Self::Head
    }
}

pub fn play() -> Played {
    Played::reset()
}
