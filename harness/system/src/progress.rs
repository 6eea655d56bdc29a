//! Progress of work that takes longer than two seconds: a bar where a person looks at standard error, and where nobody does a plain
//! line now and then.

use std::{
    io::IsTerminal,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    clock::{Clock, SystemClock},
    output::errln,
    screen,
};

/// Between two plain lines.
const EVERY: Duration = Duration::from_secs(10);
/// Work that is over by then shows nothing.
const SHORT: Duration = Duration::from_secs(2);
const STYLE: &str = "{msg} [{bar:30}] {elapsed}, about {eta} to go";

/// Work that is under way.
#[derive(Debug)]
pub struct Headway {
    /// The bar that is drawn if somebody looks.
    drawn: Option<ProgressBar>,
    total: u64,
    clock: SystemClock,
    told: Mutex<Duration>,
}

impl Headway {
    /// Of work that is done at `total`, in whatever it is counted in.
    #[must_use]
    pub fn of(total: u64) -> Self {
        let drawn = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(STYLE).unwrap_or_else(|_| ProgressStyle::default_bar());
            screen::draw(ProgressBar::new(total).with_style(style))
        });
        Self { drawn, total, clock: SystemClock::start(), told: Mutex::new(Duration::ZERO) }
    }

    /// Tells how far it is, and in words what came of it so far.
    pub fn at(&self, done: u64, so_far: &str) {
        let passed = Duration::from_micros(self.clock.now_us());
        if passed < SHORT {
            return;
        }
        if let Some(drawn) = &self.drawn {
            drawn.set_message(so_far.to_owned());
            drawn.set_position(done);
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if passed >= *told + EVERY {
            *told = passed;
            errln!("{so_far}; {} s passed{}", passed.as_secs(), to_go(passed, done, self.total));
        }
    }
}

impl Drop for Headway {
    fn drop(&mut self) {
        if let Some(drawn) = &self.drawn {
            drawn.finish_and_clear();
        }
    }
}

/// As if the rest were as slow as what is done.
fn to_go(passed: Duration, done: u64, total: u64) -> String {
    if done == 0 || done >= total {
        return String::new();
    }
    let left = passed.as_secs_f64() * (total - done) as f64 / done as f64;
    format!(", about {left:.0} s to go")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_what_is_done() {
        let minute = Duration::from_secs(60);
        assert_eq!(to_go(minute, 20, 100), ", about 240 s to go");
        assert_eq!((to_go(minute, 0, 100), to_go(minute, 100, 100)), (String::new(), String::new()));
    }
}
