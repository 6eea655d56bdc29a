//! The events of an isolate that are still to be sent to where they are kept. A batch leaves a second after the first of it, so
//! a busy isolate sends one message a second and not one a request.
//!
//! Surprising: nothing here is safe. Whatever is lost on the way is in the log, and how much it was is told with the next batch.

use std::{
    cell::{Cell, RefCell},
    fmt::Write,
};
use x402_paywall::UnixMillis;

/// The version of a batch's form. A consumer puts aside what it does not know.
pub const VERSION: u32 = 1;

/// The pause between the first event of a batch and its leave.
pub const PAUSE_MS: u64 = 1_000;
/// The time after which a sender that never came back is not waited for any more: its request was cut off.
const GIVEN_UP_MS: u64 = 10_000;
/// The most bytes of a batch. A queue's message has 128 kB at most.
const MOST_BATCH_BYTES: usize = 96 * 1024;
/// The most bytes that wait. What comes on top is counted as lost.
const MOST_BYTES: usize = 1024 * 1024;

/// The events that wait in one isolate.
#[derive(Debug, Default)]
pub struct Outbox {
    events: RefCell<Vec<String>>,
    bytes: Cell<usize>,
    lost: Cell<u64>,
    /// The time at which somebody set out to send.
    began: Cell<Option<UnixMillis>>,
}

/// A batch of events, on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    events: Vec<String>,
    lost: u64,
}

impl Outbox {
    /// Takes an event: its kind of line, and the line's JSON.
    pub fn put(&self, at: UnixMillis, log: &str, line: &str) {
        let mut text = String::with_capacity(line.len() + log.len() + 40);
        let members = line.strip_prefix('{').unwrap_or(line);
        write!(text, r#"{{"at":{},"log":"{log}",{members}"#, at.0).expect("a string takes any text");
        if self.bytes.get() + text.len() > MOST_BYTES {
            self.lost.set(self.lost.get() + 1);
            return;
        }
        self.bytes.set(self.bytes.get() + text.len());
        self.events.borrow_mut().push(text);
    }

    /// Whether the caller is to send what waits, [`PAUSE_MS`] from now: nobody else is about to.
    #[must_use]
    pub fn wants_sender(&self, now: UnixMillis) -> bool {
        if self.events.borrow().is_empty() || self.began.get().is_some_and(|began| now.since(began) < GIVEN_UP_MS) {
            return false;
        }
        self.began.set(Some(now));
        true
    }

    /// The next batch, until nothing waits.
    pub fn take(&self) -> Option<Parcel> {
        let mut waiting = self.events.borrow_mut();
        if waiting.is_empty() {
            self.began.take();
            return None;
        }
        let mut bytes = 0;
        let fits = waiting.iter().take_while(|event| {
            bytes += event.len() + 1;
            bytes <= MOST_BATCH_BYTES
        });
        let many = fits.count().max(1);
        let events: Vec<String> = waiting.drain(..many).collect();
        self.bytes.set(self.bytes.get() - events.iter().map(String::len).sum::<usize>());
        Some(Parcel { events, lost: self.lost.take() })
    }

    /// The events that were never sent, and of which nobody has been told.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.get()
    }

    /// Takes note that a batch could not be sent.
    pub fn failed(&self, parcel: &Parcel) {
        self.lost.set(self.lost.get() + parcel.lost + parcel.events.len() as u64);
    }
}

impl Parcel {
    /// The message, as a consumer reads it ([`super::event::Batch`]). The same id twice is the same batch.
    #[must_use]
    pub fn message(&self, id: &str, environment: &str, network: &str) -> String {
        let Self { events, lost } = self;
        format!(
            r#"{{"v":{VERSION},"id":"{id}","environment":"{environment}","network":"{network}","lost":{lost},"events":[{}]}}"#,
            events.join(",")
        )
    }

    /// The events before it that were never sent.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::event::{Batch, Event};

    const LINE: &str = r#"{"payment":"p","why":"x"}"#;

    fn at(ms: u64) -> UnixMillis {
        UnixMillis(ms)
    }

    #[test]
    fn one_sender_takes_what_came_until_it_left() {
        let outbox = Outbox::default();
        assert!(!outbox.wants_sender(at(1)), "there is nothing to send");
        outbox.put(at(1), "trouble", LINE);
        assert!(outbox.wants_sender(at(1)));
        outbox.put(at(2), "trouble", LINE);
        assert!(!outbox.wants_sender(at(2)), "somebody has set out");
        let batch = Batch::read(&outbox.take().unwrap().message("b", "test", "eip155:84532")).unwrap();
        assert_eq!((batch.events.len(), batch.events[1].at, batch.lost), (2, at(2), 0));
        assert!(matches!(&batch.events[0].event, Event::Trouble(line) if line.why == "x"));
        assert_eq!(outbox.take(), None);
        outbox.put(at(3), "trouble", LINE);
        assert!(outbox.wants_sender(at(3)), "the first has come back");
    }

    #[test]
    fn a_sender_that_was_cut_off_is_not_waited_for_for_ever() {
        let outbox = Outbox::default();
        outbox.put(at(1), "trouble", LINE);
        assert!(outbox.wants_sender(at(1)) && !outbox.wants_sender(at(GIVEN_UP_MS)));
        assert!(outbox.wants_sender(at(1 + GIVEN_UP_MS)));
    }

    #[test]
    fn what_is_lost_is_counted_and_told_with_the_next_batch() {
        let outbox = Outbox::default();
        outbox.put(at(1), "trouble", LINE);
        outbox.failed(&outbox.take().unwrap());
        outbox.put(at(2), "trouble", LINE);
        let parcel = outbox.take().unwrap();
        assert_eq!(Batch::read(&parcel.message("b", "test", "n")).unwrap().lost, 1);
        outbox.failed(&parcel);
        outbox.put(at(3), "trouble", LINE);
        assert_eq!(outbox.take().unwrap().lost, 2, "and not forgotten where that fails too");
    }

    #[test]
    fn no_batch_is_too_long_for_a_message_and_no_isolate_keeps_more_than_it_may() {
        let (outbox, long) = (Outbox::default(), format!(r#"{{"why":"{}"}}"#, "x".repeat(1_000)));
        for n in 0..2_000 {
            outbox.put(at(n), "trouble", &long);
        }
        let (mut told, mut lost) = (0, 0);
        while let Some(parcel) = outbox.take() {
            assert!(parcel.message("b", "test", "n").len() < 128 * 1024);
            (told, lost) = (told + parcel.len() as u64, lost + parcel.lost);
        }
        assert!(told > 900 && told + lost == 2_000, "{told} and {lost}");
    }
}
