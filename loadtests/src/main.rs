//! The load tests: `cargo run -p loadtests -- budgets`. Everything they can do is in `cli.rs`.

use std::{env, process::ExitCode};

use system::guard;

fn main() -> ExitCode {
    guard::act_if_asked().unwrap_or_else(|| {
        // A world starts its dispatch namespace as another process of the same program.
        let is_supervisor = env::args().nth(1).is_some_and(|first| first == namespace::SUBCOMMAND);
        if is_supervisor { harness::main() } else { loadtests::cli::main() }.into()
    })
}
