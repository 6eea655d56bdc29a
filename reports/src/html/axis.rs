//! The one time axis that everything in the chart shares. Places are shares of its length, so that the chart is as wide as its
//! page and its text is never stretched.

/// Enough to see a second's work in a run of two minutes, few enough to be told apart on a phone.
const MOST_BINS: u64 = 120;

/// Widths that a person can count in, in milliseconds.
const NICE_MS: [u64; 19] = [
    50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
    3_600_000, 7_200_000, 21_600_000, 86_400_000,
];

#[derive(Clone, Copy, Debug)]
pub struct Axis {
    end_us: u64,
    bin_us: u64,
}

impl Axis {
    pub fn new(end_us: u64) -> Self {
        let end_us = end_us.max(1);
        Self { end_us, bin_us: nice_us(end_us, MOST_BINS) }
    }

    pub fn end_us(self) -> u64 {
        self.end_us
    }

    pub fn bin_us(self) -> u64 {
        self.bin_us
    }

    pub fn bins(self) -> usize {
        self.end_us.div_ceil(self.bin_us) as usize
    }

    pub fn bin_of(self, us: u64) -> usize {
        ((us / self.bin_us) as usize).min(self.bins() - 1)
    }

    /// From 0 to 1.
    pub fn share(self, us: u64) -> f64 {
        us.min(self.end_us) as f64 / self.end_us as f64
    }

    /// A moment as a place in the chart.
    pub fn x(self, us: u64) -> String {
        percent(self.share(us))
    }

    /// A time as a width in the chart, of at least a hair.
    pub fn width(self, from_us: u64, to_us: u64) -> String {
        percent((self.share(to_us) - self.share(from_us)).max(0.002))
    }

    /// About so many moments, the same apart, to write beside it.
    pub fn ticks(self, about: u64) -> impl Iterator<Item = u64> {
        let step = nice_us(self.end_us, about);
        (0..=self.end_us / step).map(move |n| n * step)
    }
}

fn nice_us(length_us: u64, most: u64) -> u64 {
    let fits = |ms: &&u64| length_us.div_ceil(**ms * 1000) <= most;
    NICE_MS.iter().find(fits).map_or_else(|| length_us.div_ceil(most), |ms| ms * 1000)
}

pub fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// A moment of the run, as short as it is clear.
pub fn clock(us: u64) -> String {
    let seconds = us as f64 / 1e6;
    match us / 1_000_000 {
        0..600 => format!("{seconds:.3} s"),
        600..86_400 => {
            let whole = us / 1_000_000;
            format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
        }
        whole => format!("day {} {:02}:{:02}", whole / 86_400 + 1, whole / 3600 % 24, whole / 60 % 60),
    }
}

/// A mark on the axis: without thousandths that are nought.
pub fn tick(us: u64) -> String {
    if us < 600_000_000 && us.is_multiple_of(1_000_000) { format!("{} s", us / 1_000_000) } else { clock(us) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_as_wide_as_a_person_counts_and_cover_the_run() {
        for (seconds, bin_ms) in [(5, 50), (12, 100), (38, 500), (120, 1_000), (3_600, 30_000), (691_200, 7_200_000)] {
            let axis = Axis::new(seconds * 1_000_000);
            assert_eq!(axis.bin_us(), bin_ms * 1000, "{seconds} s");
            assert!(axis.bins() as u64 <= MOST_BINS && axis.bins() as u64 * axis.bin_us() >= axis.end_us());
            assert_eq!(axis.bin_of(axis.end_us()), axis.bins() - 1);
        }
        assert_eq!(Axis::new(0).bins(), 1);
    }

    #[test]
    fn moments_are_told_as_their_length_wants() {
        assert_eq!(
            [clock(13_040_000), clock(3_725_000_000), clock(180_000_000_000)],
            ["13.040 s", "1:02:05", "day 3 02:00"]
        );
        assert_eq!([tick(5_000_000), tick(500_000)], ["5 s", "0.500 s"]);
        assert_eq!(Axis::new(38_000_000).ticks(8).collect::<Vec<_>>().len(), 8);
    }
}
