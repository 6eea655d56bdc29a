//! What the harness says, on both streams. A write that fails is remembered and told once, at the end, and nothing panics: a
//! full disk below standard output says nothing of the dispatcher.
//!
//! Surprising constraint: who closes the other end of a pipe has seen enough, and that is no failure.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
    sync::OnceLock,
};

use crate::screen::aside;

static FAILED: OnceLock<io::Error> = OnceLock::new();

/// Prints a line on standard output.
#[macro_export]
macro_rules! outln {
    ($($text:tt)*) => { $crate::output::print(format_args!("{}\n", format_args!($($text)*))) };
}

/// Prints on standard output.
#[macro_export]
macro_rules! out {
    ($($text:tt)*) => { $crate::output::print(format_args!($($text)*)) };
}

/// Prints a line on standard error, where nobody could be told that it failed.
#[macro_export]
macro_rules! errln {
    ($($text:tt)*) => { $crate::output::print_to_stderr(format_args!("{}\n", format_args!($($text)*))) };
}

pub use crate::{errln, out, outln};

#[doc(hidden)]
pub fn print(text: fmt::Arguments<'_>) {
    let printed = aside(|| {
        let mut stdout = anstream::stdout().lock();
        stdout.write_fmt(text).and_then(|()| stdout.flush())
    });
    if let Err(error) = printed {
        note(error);
    }
}

#[doc(hidden)]
pub fn print_to_stderr(text: fmt::Arguments<'_>) {
    let _ = aside(|| anstream::stderr().lock().write_fmt(text));
}

/// Returns how many columns the terminal below standard output has; `None` where it is none.
#[must_use]
pub fn columns() -> Option<usize> {
    io::stdout()
        .is_terminal()
        .then(|| terminal_size::terminal_size_of(io::stdout()))
        .flatten()
        .map(|(width, _)| width.0.into())
}

/// Remembers the first failure of standard output, if it is one.
pub fn note(error: io::Error) {
    if error.kind() != io::ErrorKind::BrokenPipe {
        let _ = FAILED.set(error);
    }
}

/// Returns the first failure of standard output.
#[must_use]
pub fn failed() -> Option<&'static io::Error> {
    FAILED.get()
}
