//! The load tests: `cargo run -p loadtests -- budgets`. Everything they can do is in `cli.rs`.

use std::process::ExitCode;

use harness::world::guard;

fn main() -> ExitCode {
    guard::act_if_asked().unwrap_or_else(|| loadtests::cli::main().into())
}
