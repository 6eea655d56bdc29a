//! What one of the platform's locations counts, all of a dispatcher's isolates together: so many of a key in a window of ten
//! seconds, under each figure for itself. Cloudflare's own are eventually consistent; this one is exact.

use std::collections::BTreeMap;

const WINDOW_MS: u64 = 10_000;

#[derive(Debug, Default)]
pub struct LocationCounter {
    window: u64,
    /// By figure and key, of this window.
    came: BTreeMap<(u32, String), u32>,
}

impl LocationCounter {
    /// Counts one more. `false`: as many as the figure says have come in this window.
    pub fn count(&mut self, figure: u32, key: &str, now_ms: u64) -> bool {
        let window = now_ms / WINDOW_MS;
        if self.window != window {
            (self.window, self.came) = (window, BTreeMap::new());
        }
        let came = self.came.entry((figure, key.to_owned())).or_default();
        let fits = *came < figure;
        *came += u32::from(fits);
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_has_room_for_each_figures_keys() {
        let mut counter = LocationCounter::default();
        let mut let_in = |figure, key, now_ms| (0..50).filter(|_| counter.count(figure, key, now_ms)).count();
        assert_eq!((let_in(20, "a", 0), let_in(20, "b", 9_999), let_in(30, "a", 0)), (20, 20, 30));
        assert_eq!((let_in(20, "a", 9_999), let_in(20, "a", 10_000)), (0, 20));
    }
}
