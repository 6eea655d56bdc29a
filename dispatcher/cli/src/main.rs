//! `402claw`. Everything it can do is in `args.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    claw::main().into()
}
