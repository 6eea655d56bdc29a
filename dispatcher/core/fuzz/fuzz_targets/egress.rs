//! Looks for a request of a tenant's Worker that leaves and must not, or that leads elsewhere than the filter thinks. Run as the
//! README says.
#![no_main]

#[path = "../../tests/egress/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| property::check(bytes));
