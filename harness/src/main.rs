//! The harness: `cargo run -p harness -- scenario outage`. Temporary: only the guard, until the command line is merged.

use std::ffi::OsString;
use std::process::ExitCode;

use harness::world::guard;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match args.as_slice() {
        [subcommand, dashes, command @ ..] if subcommand == guard::SUBCOMMAND && dashes == "--" => {
            match guard::run(command.to_vec()).await {
                Ok(code) => ExitCode::from(code),
                Err(error) => {
                    eprintln!("harness guard: {error}");
                    ExitCode::from(70)
                }
            }
        }
        _ => ExitCode::from(70),
    }
}
