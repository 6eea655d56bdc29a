//! Looks for a request that reaches a tenant which it does not name. Run as the README says.
#![no_main]

#[path = "../../tests/resolution/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| property::check(bytes));
