//! What is measured, and what is wanted of it.

use std::time::Duration;

/// One row of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub name: &'static str,
    pub kind: Kind,
    pub concurrency: usize,
    /// Requests in one round at most.
    pub requests: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request without a payment, which gets a 402 with the offer.
    Unpaid,
    /// Each request with a payment of its own, verified and settled.
    Paid,
}

impl Case {
    /// Unpaid before paid: what a server keeps of payments must not slow down what comes without one.
    pub const ALL: [Self; 4] = [
        Self { name: "unpaid, 1 at a time", kind: Kind::Unpaid, concurrency: 1, requests: 4_000 },
        Self { name: "unpaid, 32 at a time", kind: Kind::Unpaid, concurrency: 32, requests: 20_000 },
        Self { name: "paid, 1 at a time", kind: Kind::Paid, concurrency: 1, requests: 400 },
        Self { name: "paid, 16 at a time", kind: Kind::Paid, concurrency: 16, requests: 1_200 },
    ];

    /// The runtime compiles what is hot, and settles on the size of its heap, in the first thousands of requests.
    pub const WARM_UP: [Self; 2] = [
        Self { name: "warm-up", kind: Kind::Unpaid, concurrency: 8, requests: 3_000 },
        Self { name: "warm-up", kind: Kind::Paid, concurrency: 4, requests: 150 },
    ];
}

impl Kind {
    /// The smallest share of the reference's requests per second that will do.
    pub fn least_rate(self) -> f64 {
        match self {
            Self::Unpaid => 1.0,
            Self::Paid => 0.55,
        }
    }

    /// The largest share of the reference's 95th percentile that will do.
    pub fn most_p95(self) -> f64 {
        match self {
            Self::Unpaid => 1.0,
            Self::Paid => 2.0,
        }
    }
}

/// How much of it is done.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How often each server is started and measured, in turns, so that a drift of the machine hits both.
    pub rounds: u32,
    /// For each case of a round at most.
    pub within: Duration,
}
