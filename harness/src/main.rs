//! The harness: `cargo run -p harness -- scenario outage`. Everything it can do is in `cli.rs`.

fn main() {}
