//! What is drawn on a person's terminal and stays there. Whatever is printed meanwhile would tear it apart, so it steps aside first.

use std::sync::OnceLock;

use indicatif::{MultiProgress, ProgressBar};

static DRAWN: OnceLock<MultiProgress> = OnceLock::new();

/// Draws a bar below those that are there.
pub fn draw(bar: ProgressBar) -> ProgressBar {
    DRAWN.get_or_init(MultiProgress::new).add(bar)
}

/// Has what is drawn step aside while something else is printed.
pub fn aside<T>(print: impl FnOnce() -> T) -> T {
    match DRAWN.get() {
        Some(drawn) => drawn.suspend(print),
        None => print(),
    }
}
