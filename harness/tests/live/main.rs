//! End to end: the harness's own program against the release wasm under wrangler dev. The first test to run sets up what
//! is missing, which takes minutes on a fresh machine.
//!
//! One test at a time: two worlds on two cores would measure each other.

mod answers;
mod bad_input;
mod bench;
mod browser;
mod clock;
mod cloudflare;
mod control;
mod first_minute;
mod harness;
mod identifier;
mod interrupt;
mod legacy_client;
mod npm_client;
mod official_client;
mod official_facilitator;
mod one_payment;
mod outbound;
mod quarantine;
mod raw_spelling;
mod report_page;
mod resolution;
mod scenarios;
mod scripted_facilitator;
mod secrets;
mod seller;
mod served;
mod shipped;
mod socket;
mod telemetry;
mod upfront;
