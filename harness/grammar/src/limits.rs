//! How big a scenario may be. Each limit is there to turn a typo into an error before a run has begun, so all are well
//! above what a scenario needs.

use std::time::Duration;

/// A scenario is read by people; past this it is another file given by mistake.
pub const MAX_FILE_BYTES: usize = 256 * 1024;

/// Fits a node name, a hostname label and a file name.
pub const MAX_NAME_BYTES: usize = 63;

/// One scenario must fit a CI job beside others; a soak is the load tests' work.
pub const MAX_RUN: Duration = Duration::from_secs(60 * 60);

/// In virtual time a day costs no more than what happens in it, and a record is kept for seven.
pub const MAX_SIMULATED_RUN: Duration = Duration::from_secs(9 * 24 * 60 * 60);

/// The live tier's client and doubles share a machine with the dispatcher: past this they measure themselves.
pub const MAX_RATE: f64 = 1_000.0;

/// The judges hold a run's events in memory, some ten for each arrival.
pub const MAX_ARRIVALS: u64 = 100_000;

/// Each is a `wrangler dev` of its own, with half a gigabyte of memory, and two show what any number would.
pub const MAX_DISPATCHERS: usize = 2;

/// Each facilitator double is a server with a port and a ledger of its own.
pub const MAX_FACILITATORS: usize = 8;

/// The dispatcher takes no longer patience with a `/verify`, while a caller waits and the payment's window passes.
pub const MAX_VERIFY_TIMEOUT: Duration = Duration::from_secs(15);

/// Nor with a `/settle`.
pub const MAX_SETTLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The highest rate that the dispatcher takes in an override.
pub const MAX_TENANT_RATE: u32 = 1_000_000;

/// Each tenant is a Worker that the live tier bundles and starts.
pub const MAX_TENANTS: usize = 32;

/// Phases, traffic blocks, faults, kills and musts each: a report draws every one of them.
pub const MAX_BLOCKS: usize = 64;

/// Addresses that a traffic block shares out among its clients: as many as an IPv4 prefix of /24 has hosts.
pub const MAX_ADDRESSES: u64 = 250;

/// Payers that a traffic block has to itself: each is a key to be made.
pub const MAX_OWN_PAYERS: u64 = 64;

/// Starting the dispatcher again takes some two seconds, and one that is killed as soon as it answers has served nobody.
pub const RESTART_TAKES: Duration = Duration::from_secs(3);

/// A double holds a huge answer in memory, once for each call in flight.
pub const MAX_HUGE_KILOBYTES: usize = 64 * 1024;

/// Two bytes each, so a few megabytes: enough for any parser that recurses.
pub const MAX_DEEP_LEVELS: usize = 1_000_000;

/// No scenario has more arrivals in a second: past this a busy facilitator would never be busy.
pub const MAX_BUSY_CALLS: u64 = 1_000;

/// TOML's largest integer: a seed that was drawn must be one that a file can carry.
pub const MAX_SEED: u64 = i64::MAX as u64;
