//! `402claw-dev`: the platform on this machine that `402claw dev` starts. It is a program of its own, so that nothing below
//! `dispatcher/` has to know the harness.

use std::process::ExitCode;

use system::guard;

fn main() -> ExitCode {
    guard::act_if_asked().unwrap_or_else(|| harness::dev_main().into())
}
