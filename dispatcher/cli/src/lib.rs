//! `402claw` as a library, so that its parts can be tested and the binary stays a doorway.

mod args;
pub mod bill;
pub mod buyer;
mod chain;
mod clock;
pub mod cloudflare;
mod commands;
mod control;
pub mod exit;
mod facilitators;
pub mod failure;
mod gate;
pub mod home;
mod http;
pub mod money;
mod output;
mod platform;
mod program;
pub mod registry;
mod rollouts;
pub mod settings;
pub mod settlements;
pub mod site;
mod store;
#[cfg(test)]
mod testing;
mod wallet;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use commands::{
    account, call, catalog, cloudflare_deploy, cloudflare_rollback, deploy, dev, init, lint_pricing, payouts, publish,
    telemetry, tenants,
};
use exit::Exit;
use failure::Failure;
use home::Home;
use output::{Format, err, report};

/// Parses the command line and does what it says.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // Help that cannot be printed has nobody to read it.
            let _ = told.print();
            return if told.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let format = cli.format;
    match run(&cli) {
        Ok(exit) => exit,
        Err(failure) => {
            let exit = failure.exit;
            match format {
                Format::Json => err(&failure.json().to_string()),
                Format::Text => report(&format!("{:?}", miette::Report::new(failure))),
            }
            exit
        }
    }
}

fn run(cli: &Cli) -> Result<Exit, Failure> {
    let home = Home::at(&cli.home, cli.environment);
    let format = cli.format;
    match &cli.command {
        Command::Init(args) => init::init(args, format),
        Command::Dev(args) => dev::dev(args, &home, format),
        Command::Deploy(args) => deploy::deploy(args, &home, format),
        Command::List => tenants::list(&home, format),
        Command::Show(args) => tenants::show(args, &home, format),
        Command::Status(args) => tenants::status(args, &home, format),
        Command::Telemetry(args) => telemetry::telemetry(args, format),
        Command::Logs(args) => telemetry::logs(args, format),
        Command::Call(args) => call::call(args, &home, format),
        Command::Payouts(args) => payouts::payouts(args, &home, format),
        Command::Override(args) => tenants::override_limits(args, &home, format),
        Command::Quarantine(args) => tenants::quarantine(args, &home, format),
        Command::Remove(args) => tenants::remove(args, &home, format),
        Command::ExportTenantDirectory(args) => tenants::export(args, &home),
        Command::Catalog(args) => catalog::catalog(args, &home, format),
        Command::Publish(args) => publish::publish(args, &home, format),
        Command::CloudflareDeployDispatcher(args) => cloudflare_deploy::deploy(args, &home, format),
        Command::CloudflareRollbackDispatcher(args) => cloudflare_rollback::rollback(args, &home, format),
        Command::Login(args) => account::login(args, &home, format),
        Command::Logout => account::logout(&home),
        Command::Tokens(task) => account::tokens(task, &home, format),
        Command::Accounts(task) => account::accounts(task, &home, format),
        Command::Audit(args) => account::audit(args, &home, format),
        Command::LintPricing(args) => lint_pricing::lint_pricing(args, format),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "402claw", &mut std::io::stdout());
            Ok(Exit::Done)
        }
        Command::Man => {
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout());
            rendered.map_err(|error| Failure::new(Exit::Failed, format!("printing: {error}")))?;
            Ok(Exit::Done)
        }
    }
}
