//! The harness: `cargo run -p harness -- scenario outage`. Everything it can do is in `cli.rs`.

use std::process::ExitCode;

use system::guard;

fn main() -> ExitCode {
    guard::act_if_asked().unwrap_or_else(|| harness::main().into())
}
