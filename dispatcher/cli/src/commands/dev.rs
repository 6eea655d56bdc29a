//! `402claw dev`: sells on this machine, and buys once from it.
//!
//! Surprising constraint: the platform around the dispatcher is another program, `402claw-dev`, as git has its subcommands.
//! Nothing here knows what it is made of. It is told a directory and a folder of scripts, and says in lines of JSON where it serves
//! and what was settled.

use super::{call, deploy};
use crate::{
    args::{CallArgs, DeployArgs, DevArgs},
    clock,
    exit::Exit,
    failure::Failure,
    home::{Environment, Home},
    http,
    money::Usdc,
    output::{Format, err, out},
    program,
    registry::Registry,
    settings::Settings,
    settlements::{self, Settlement},
    store::Store,
};
use serde_json::Value;
use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

const PROGRAM: &str = "402claw-dev";
/// Names another program in its place.
const VARIABLE: &str = "CLAW_DEV";

pub fn dev(args: &DevArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    if home.environment != Environment::Test {
        return Err(Failure::new(Exit::Usage, "dev is for the test environment: nothing here moves real money"));
    }
    let settings = Settings::load(Path::new("."))?;
    let deployment = DeployArgs { dataset: args.file.clone(), price: args.price, ..DeployArgs::default() };
    let settings = match &args.file {
        Some(file) => {
            let settings = with_names_of(file, settings);
            // What a folder sells besides is not asked for here.
            Settings { dataset: None, worker: None, ..settings }
        }
        None => settings,
    };
    // What is sold on this machine is this folder's own, whatever it is logged in to.
    let deployed = deploy::run(&deployment, &settings, home, &Store::Files(home))?;
    let record = deployed.record.clone();
    if format == Format::Text {
        deployed.warnings.iter().for_each(|warning| err(&format!("warning: {warning}")));
    }
    let program = program::find(PROGRAM, VARIABLE, "in a checkout: cargo build -p harness --bin 402claw-dev")?;
    home.write("directory.json", Registry::load(home)?.directory().to_string().as_bytes())?;
    http::runtime()?.block_on(serve(args, home, format, &record, &program))
}

/// A file that is named alone is sold under its own name.
fn with_names_of(file: &Path, settings: Settings) -> Settings {
    let stem = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().to_lowercase());
    let slug: String = stem.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' }).collect();
    let slug = slug.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let slug = if slug.is_empty() { "data".to_owned() } else { slug.chars().take(63).collect() };
    Settings {
        tenant: settings.tenant.or(Some(slug)),
        price: settings.price.or_else(|| Some("0.001".to_owned())),
        ..settings
    }
}

async fn serve(args: &DevArgs, home: &Home, format: Format, record: &Value, program: &Path) -> Result<Exit, Failure> {
    let mut command = Command::new(program);
    command.arg("--directory").arg(home.path("directory.json")).arg("--scripts").arg(home.scripts());
    if let Some(port) = args.port {
        command.arg("--port").arg(port.to_string());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let failed = |what: &str, error: std::io::Error| {
        Failure::new(Exit::Failed, format!("{}: {what}: {error}", program.display()))
    };
    let mut child = command.spawn().map_err(|error| failed("cannot be started", error))?;
    let stdout = child.stdout.take().ok_or_else(|| Failure::new(Exit::Failed, format!("{PROGRAM} has no output")))?;
    let mut lines = BufReader::new(stdout).lines();
    err("starting the dispatcher on this machine; the first time it is built, which takes some minutes");
    let url = ready(&mut lines).await?;
    let tenant = record["id"].as_str().unwrap_or_default().to_owned();
    let base = format!("{url}/t/{tenant}");
    let path = if record["freePaths"].is_array() { "/v1/records?limit=3" } else { "/" };
    let call_args =
        CallArgs { url: format!("{base}{path}"), max_price: Usdc(1_000_000_000_000), retry_for: 60, accept: None };
    let (bought, outcome) = call::buy(&call_args, home).await?;
    call::print(&outcome, format);
    if bought == Exit::Done
        && record["price"].is_object()
        && let Some(line) = lines.next_line().await.ok().flatten()
    {
        keep(home, &line)?;
    }
    if args.once || bought != Exit::Done {
        stop(child, lines, home).await?;
        return Ok(bought);
    }
    if format == Format::Text {
        out(&format!(
            "\nserving    {base}{path}\nbuy        402claw call '{base}{path}'\npayouts    402claw payouts {tenant}"
        ));
        err("stops at Ctrl-C");
    }
    loop {
        tokio::select! {
            line = lines.next_line() => match line.ok().flatten() {
                Some(line) => keep(home, &line)?,
                None => {
                    let ended = child.wait().await.map_err(|error| failed("cannot be waited for", error))?;
                    return Err(Failure::new(Exit::Failed, format!("{PROGRAM} ended by itself: {ended}")));
                }
            },
            _ = tokio::signal::ctrl_c() => {
                stop(child, lines, home).await?;
                return Ok(Exit::Done);
            }
        }
    }
}

async fn ready(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<String, Failure> {
    while let Some(line) = lines.next_line().await.ok().flatten() {
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(url) = said["ready"]["url"].as_str() {
            return Ok(url.to_owned());
        }
    }
    Err(Failure::new(Exit::Failed, format!("{PROGRAM} ended before it served")).help("what it said stands above"))
}

/// Keeps what was settled, for `payouts`.
fn keep(home: &Home, line: &str) -> Result<(), Failure> {
    let said: Value = serde_json::from_str(line).unwrap_or_default();
    let told = &said["settled"];
    let word = |name: &str| told[name].as_str().map(str::to_owned);
    let pay_to = word("payTo").unwrap_or_default();
    let registry = Registry::load(home)?;
    let of = |record: &&Value| {
        record["price"]["payTo"].as_str().is_some_and(|address| address.eq_ignore_ascii_case(&pay_to))
    };
    let by_address = registry.tenants.iter().find(of).and_then(|record| record["id"].as_str()).map(str::to_owned);
    let (Some(tenant), Some(transaction), Some(amount)) =
        (word("tenant").or(by_address), word("transaction"), word("amount"))
    else {
        return Ok(());
    };
    let settlement = Settlement {
        at_ms: told["atMs"].as_u64().unwrap_or_else(clock::unix_ms),
        tenant,
        transaction,
        payer: word("payer").unwrap_or_default(),
        pay_to,
        amount,
        network: word("network").unwrap_or_default(),
    };
    let line = serde_json::to_string(&settlement).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    home.append(settlements::FILE, &line)
}

/// Asks it to stop, and waits until it has: it has processes of its own.
async fn stop(mut child: Child, mut lines: Lines<BufReader<ChildStdout>>, home: &Home) -> Result<(), Failure> {
    if let Some(id) = child.id() {
        // By the program that every Unix has: the signal is what a terminal's Ctrl-C sends.
        let _ = Command::new("kill").args(["-INT", &id.to_string()]).status().await;
    }
    while let Some(line) = lines.next_line().await.ok().flatten() {
        keep(home, &line)?;
    }
    let _ = child.wait().await;
    Ok(())
}
