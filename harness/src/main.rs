//! The harness: `cargo run -p harness -- scenario outage`. Everything it can do is in `cli.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::main().into()
}
