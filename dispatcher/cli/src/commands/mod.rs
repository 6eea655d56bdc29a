//! One file a command: it asks for what it needs, calls the part that does it, prints.

pub mod account;
pub mod call;
pub mod catalog;
pub mod cloudflare_deploy;
pub mod cloudflare_rollback;
pub mod deploy;
pub mod dev;
pub mod init;
pub mod lint_pricing;
pub mod payouts;
pub mod publish;
pub mod telemetry;
pub mod tenants;

use crate::failure::Failure;
use crate::{exit::Exit, output};
use std::io::{IsTerminal, Write, stdin};

/// Asks before something is destroyed. Where nobody can answer, the answer is no.
fn confirm(what: &str, is_sure: bool) -> Result<(), Failure> {
    if is_sure {
        return Ok(());
    }
    let refused = || Failure::new(Exit::Usage, format!("{what}: not done")).help("--yes does it without asking");
    if !stdin().is_terminal() {
        return Err(refused());
    }
    let mut to = anstream::stderr();
    let mut line = String::new();
    let asked = write!(to, "{what}? [y/N] ").and_then(|()| to.flush()).and_then(|()| stdin().read_line(&mut line));
    match asked {
        Ok(_) if matches!(output::plain(line.trim()).as_str(), "y" | "Y" | "yes") => Ok(()),
        _ => Err(refused()),
    }
}
