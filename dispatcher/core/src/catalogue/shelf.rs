//! Answers that an isolate keeps for a moment: whoever walks through the catalogue has each page made once, and a flood of one page
//! costs no reads.

use super::request::Asked;
use std::{cell::RefCell, rc::Rc};
use x402_paywall::UnixMillis;

/// The time for which a page is told as it was. Short, because an uptime is on it.
pub const FRESH_MS: u64 = 60_000;
/// A page has some thirty kilobytes.
const MOST: usize = 32;

/// One isolate's.
#[derive(Debug, Default)]
pub struct Shelf(RefCell<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    origin: String,
    asked: Asked,
    at: UnixMillis,
    text: Rc<str>,
}

impl Shelf {
    /// A page as it was made less than [`FRESH_MS`] ago.
    #[must_use]
    pub fn find(&self, origin: &str, asked: Asked, now: UnixMillis) -> Option<Rc<str>> {
        let kept = self.0.borrow();
        let fits = |kept: &&Kept| kept.origin == origin && kept.asked == asked && now.since(kept.at) < FRESH_MS;
        kept.iter().find(fits).map(|kept| Rc::clone(&kept.text))
    }

    /// Keeps a page, in place of the oldest where there is no room.
    pub fn keep(&self, origin: &str, asked: Asked, now: UnixMillis, text: &Rc<str>) {
        let kept = &mut *self.0.borrow_mut();
        kept.retain(|kept| now.since(kept.at) < FRESH_MS && !(kept.origin == origin && kept.asked == asked));
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push(Kept { origin: origin.to_owned(), asked, at: now, text: Rc::clone(text) });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Form, *};

    #[test]
    fn a_page_is_kept_for_a_minute_and_the_oldest_makes_room() {
        let (shelf, text) = (Shelf::default(), Rc::from("text"));
        let asked = |page| Asked { form: Form::Json, after: Some(page) };
        let at = UnixMillis;
        shelf.keep("https://a", asked(0), at(1), &text);
        assert!(shelf.find("https://a", asked(0), at(FRESH_MS)).is_some());
        assert!(shelf.find("https://a", asked(0), at(1 + FRESH_MS)).is_none(), "it is old");
        assert!(shelf.find("https://b", asked(0), at(1)).is_none(), "links lead to the host that was asked");
        for page in 1..=MOST as u32 {
            shelf.keep("https://a", asked(page), at(2), &text);
        }
        assert_eq!((shelf.find("https://a", asked(0), at(2)), shelf.0.borrow().len()), (None, MOST));
    }
}
