//! How much a load test measures.

use crate::route::Route;

/// The extent of a measurement: a fault that is planted to be seen by one check needs no other.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// CPU time beside the bare Worker, on these routes.
    pub cpu: &'static [Route],
    pub latency: bool,
    pub memory: bool,
    pub doubt: bool,
}

impl Parts {
    pub const ALL: Self = Self { cpu: &Route::ALL, latency: true, memory: true, doubt: true };
    pub const NONE: Self = Self { cpu: &[], latency: false, memory: false, doubt: false };
}

/// Counts of requests and turns.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Turns of one burst at each server, at the least and at the most: it goes on while nobody can say.
    pub least_pairs: usize,
    pub most_pairs: usize,
    /// Requests in a burst that is not paid, and in one that is.
    pub burst: usize,
    pub paid_burst: usize,
    /// Turns at a fixed rate.
    pub slices: usize,
    /// Between the two looks at what a server has in memory.
    pub remembered: usize,
    /// Payments whose settlement's answer gets lost.
    pub doubts: usize,
}

impl Extent {
    /// For a gate: about a minute and a half.
    pub const GATE: Self = Self {
        least_pairs: 60,
        most_pairs: 200,
        burst: 120,
        paid_burst: 30,
        slices: 8,
        remembered: 12_000,
        doubts: 12,
    };
    /// For the tests of these tests: a third of that, and less sure of itself.
    pub const QUICK: Self =
        Self { least_pairs: 30, most_pairs: 80, burst: 80, paid_burst: 16, slices: 5, remembered: 4_000, doubts: 4 };
}
