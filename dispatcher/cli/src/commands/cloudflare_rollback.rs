//! `402claw cloudflare-rollback-dispatcher`: all requests to a version that served before.

use crate::{
    args::RollbackDispatcherArgs,
    cloudflare::{Account, Api, Rollback, WorkerConfig, choose, crosses_migration, deployment, token},
    exit::Exit,
    failure::Failure,
    home::Home,
    http,
    output::{Format, err, out},
    rollouts::Log,
};
use reqwest::Method;
use serde_json::json;

/// A secret has changed since that version, and Cloudflare wants to be told twice.
const SECRETS_CHANGED: &str = "10220";

pub fn rollback(args: &RollbackDispatcherArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let config = WorkerConfig::read(&args.config)?;
    let at = &args.cloudflare;
    let api = Api::new(&at.api, &at.account, token()?)?;
    http::runtime()?.block_on(go_back(&api, &config.name, args, home, format))
}

async fn go_back(
    api: &Api,
    worker: &str,
    args: &RollbackDispatcherArgs,
    home: &Home,
    format: Format,
) -> Result<Exit, Failure> {
    let account = Account { api };
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Failed, format!("{worker}: {error}")).help("nothing was changed")
    };
    let there = account.there(worker).await.map_err(|error| failed(&error))?;
    let Rollback { from, to } =
        choose(&there, args.to.as_deref()).map_err(|why| Failure::invalid(format!("{worker}: {why}")))?;
    let target = account.version(worker, &to).await.map_err(|error| failed(&error))?;
    if let Some(why) = there.main().and_then(|(_, is)| crosses_migration(is, &target)) {
        let help = "mend it forwards: deploy a version that knows this migration";
        return Err(Failure::invalid(format!("version {to} cannot be gone back to: {why}")).help(help));
    }
    let force = if args.despite_secrets { "?force=true" } else { "" };
    let path = api.path(&format!("workers/scripts/{worker}/deployments{force}"));
    let body = deployment(&to, 100, None, &format!("rollback: {}", args.reason));
    let before: Vec<String> = there.serving().iter().map(|one| format!("{} {}%", one.version, one.percent)).collect();
    if !args.cloudflare.execute {
        match format {
            Format::Json => out(&json!({"worker": worker, "from": from, "to": to, "tag": target.tag, "method": "POST", "path": path, "body": body}).to_string()),
            Format::Text => {
                out(&format!("POST {path}"));
                before.iter().for_each(|line| out(&format!("- {line}")));
                out(&format!("+ {to} 100%, {}", target.tag.as_deref().unwrap_or("without a tag")));
                err("nothing was done: --execute does it");
            }
        }
        return Ok(Exit::Done);
    }
    let log = Log::new(home, worker, target.tag.as_deref().unwrap_or(&to), &format!("rollback: {}", args.reason));
    let step = format!("all requests to {to}");
    log.tell(&format!("begins: {step}"), None)?;
    if let Err(error) = api.send(Method::POST, &path, &body).await {
        log.tell(&format!("failed: {step}"), Some(error.to_string()))?;
        let is_done = match account.there(worker).await {
            Ok(there) => there.serving().len() == 1 && there.serving()[0].version == to,
            Err(second) => {
                let what = format!("{worker}: {error}; and what serves cannot be read: {second}");
                return Err(Failure::new(Exit::Partial, what).help("run the same command again: it looks first"));
            }
        };
        if !is_done {
            let help = if error.to_string().contains(SECRETS_CHANGED) {
                "secrets have changed since that version: --despite-secrets goes back all the same"
            } else {
                "nothing was changed"
            };
            return Err(Failure::new(Exit::Failed, format!("{worker}: {error}")).help(help));
        }
    }
    log.tell(&format!("done: {step}"), None)?;
    match format {
        Format::Json => out(&json!({"worker": worker, "from": from, "to": to, "outcome": "rolled back"}).to_string()),
        Format::Text => out(&format!("{worker}: all requests go to {to}")),
    }
    Ok(Exit::Done)
}
