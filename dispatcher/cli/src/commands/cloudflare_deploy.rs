//! `402claw cloudflare-deploy-dispatcher`: the Workers that the dispatcher names, the outbound one first, and then the dispatcher.
//!
//! Surprising constraint: nothing is built here. What is uploaded are the folders that lie there, byte by byte, since those are what
//! the gate judged.

use crate::{
    args::DeployDispatcherArgs,
    cloudflare::{
        Account, Api, ApiError, Broken, Module, Plan, Resource, Rollout, There, Wanted, Worker, WorkerConfig, is_name,
        plan, token, token_if_any, told,
    },
    exit::Exit,
    failure::Failure,
    gate,
    home::Home,
    http,
    output::{Format, err, out},
    rollouts::Log,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, env, fs, path::Path};

/// The modules of a built Worker, the main one first.
const MODULES: [&str; 2] = ["index.js", "index_bg.wasm"];
/// The module that a Worker with an entry of its own has beside it.
const GENERATED: &str = "generated.js";

/// One Worker, and what is to become of it.
struct Part {
    worker: Worker,
    there: There,
    plan: Plan,
}

pub fn deploy(args: &DeployDispatcherArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let workers = workers(args)?;
    let at = &args.cloudflare;
    let word = if at.execute { Some(word(args, &workers)?) } else { None };
    let token = if at.execute { Some(token()?) } else { token_if_any()? };
    let is_seen = token.is_some();
    let api = Api::new(&at.api, &at.account, token.unwrap_or_default())?;
    http::runtime()?.block_on(async {
        let account = Account { api: &api };
        let parts = look(account, workers, args.percent, is_seen).await?;
        match word {
            None => {
                print(account, parts, is_seen, format);
                Ok(Exit::Done)
            }
            Some(word) => execute(account, parts, &word, home, format).await,
        }
    })
}

/// The Workers that the dispatcher names, and the dispatcher behind them.
fn workers(args: &DeployDispatcherArgs) -> Result<Vec<Worker>, Failure> {
    let config = WorkerConfig::read(&args.config)?;
    let mut others = BTreeMap::new();
    for folder in &args.beside {
        let path = folder.join("wrangler.jsonc");
        if path.exists() {
            let config = WorkerConfig::read(&path)?;
            others.insert(config.name.clone(), (config, folder.join("build")));
        }
    }
    let mut workers = Vec::new();
    for name in config.names() {
        let (mut other, build) = others.remove(name).ok_or_else(|| {
            Failure::invalid(format!("the dispatcher names the Worker {name:?}, and no folder has it"))
                .help("--beside DIR for the folder of each Worker that it names")
        })?;
        if config.outbound() == Some(name) {
            let variable = "PLATFORM_HOSTS".to_owned();
            if !args.platform_hosts.is_empty() {
                other.vars.insert(variable.clone(), json!(json!(args.platform_hosts).to_string()));
            }
            if !other.vars.contains_key(&variable) {
                let what = "the outbound Worker has no PLATFORM_HOSTS, and nothing would leave any tenant";
                return Err(Failure::invalid(what).help("--platform-host HOST for each host of the platform's own"));
            }
        }
        workers.push(Worker { config: other, modules: modules(&build)?, secrets: BTreeMap::new() });
    }
    workers.push(Worker { config, modules: modules(&args.gate.bundle)?, secrets: secrets(&args.secrets)? });
    for worker in &workers {
        is_name("a Worker", &worker.config.name)?;
    }
    Ok(workers)
}

fn modules(folder: &Path) -> Result<Vec<Module>, Failure> {
    let read = |name| Module::read(folder, name);
    let generated = Some(GENERATED).filter(|name| folder.join(name).is_file());
    let modules: Result<Vec<Module>, Failure> = MODULES.into_iter().chain(generated).map(read).collect();
    modules.map_err(|failure| {
        failure.help("build it: `worker-build --release` in the Worker's folder, as its wrangler.jsonc says")
    })
}

fn secrets(names: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let read = |name: &String| match env::var(name) {
        Ok(value) if !value.is_empty() => Ok((name.clone(), value)),
        _ => Err(Failure::new(Exit::Usage, format!("--secret {name}: there is no {name} in the environment"))
            .help("a secret's value is never an argument, which others see")),
    };
    names.iter().map(read).collect()
}

/// The word on which it goes out, once the gate's record was held against every file.
fn word(args: &DeployDispatcherArgs, workers: &[Worker]) -> Result<String, Failure> {
    let config = fs::read(&args.config).map_err(|error| Failure::file("reading", &args.config, &error))?;
    let name = args.config.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    gate::word(&args.gate, |record| {
        record.configured(&name, &config)?;
        let (dispatcher, others) = workers.split_last().expect("the dispatcher is always among them");
        others.iter().try_for_each(|other| record.judged(Some(&other.config.name), &other.modules))?;
        record.judged(None, &dispatcher.modules)
    })
}

/// Each Worker's state, and what is to be done. Without a token nothing is seen, and everything is planned.
async fn look(account: Account<'_>, workers: Vec<Worker>, percent: u32, is_seen: bool) -> Result<Vec<Part>, Failure> {
    let failed = |error: ApiError| Failure::new(Exit::Failed, error.to_string()).help("nothing was changed");
    let last = workers.len() - 1;
    let mut parts = Vec::new();
    for (n, worker) in workers.into_iter().enumerate() {
        let (mut ids, mut there, mut known) = (BTreeMap::new(), There::default(), BTreeMap::new());
        if is_seen {
            ids = account.ids(&worker.config.resources()).await.map_err(failed)?;
            there = account.there(&worker.config.name).await.map_err(failed)?;
            known = consumers(account, &worker, &ids).await.map_err(failed)?;
        }
        // Both versions of the dispatcher share the Workers beside them, so of each there is one.
        let percent = if n == last { percent } else { 100 };
        let wanted = Wanted { worker: &worker, percent, consumers: &known, ids: &ids };
        let name = &worker.config.name;
        let plan = plan(&wanted, &there).map_err(|why| Failure::invalid(format!("{name}: {why}")))?;
        parts.push(Part { worker, there, plan });
    }
    Ok(parts)
}

async fn consumers(
    account: Account<'_>,
    worker: &Worker,
    ids: &BTreeMap<Resource, String>,
) -> Result<BTreeMap<String, (String, Value)>, ApiError> {
    let mut found = BTreeMap::new();
    for consumer in &worker.config.queues.consumers {
        let Some(id) = ids.get(&Resource::Queue(consumer.queue.clone())) else { continue };
        if let Some(own) = account.consumer(id, &worker.config.name).await? {
            found.insert(consumer.queue.clone(), own);
        }
    }
    Ok(found)
}

fn print(account: Account<'_>, parts: Vec<Part>, is_seen: bool, format: Format) {
    let mut told_parts = Vec::new();
    for Part { worker, there, plan } in parts {
        let mut ids = BTreeMap::new();
        let rollout = Rollout { account, worker: &worker, ids: &mut ids, message: String::new(), uploaded: None };
        let steps: Vec<Value> = plan
            .steps
            .iter()
            .map(|step| {
                let (method, path) = rollout.request(step);
                json!({"method": method.as_str(), "path": path, "what": told(step)})
            })
            .collect();
        if format == Format::Json {
            let metadata = worker.metadata(&BTreeMap::new(), None, false);
            let serving: Vec<Value> =
                there.serving().iter().map(|one| json!({"version": one.version, "percent": one.percent})).collect();
            told_parts.push(json!({
                "worker": worker.config.name, "digest": worker.digest(), "serving": serving, "diff": plan.diff,
                "steps": steps, "metadata": metadata,
            }));
            continue;
        }
        out(&format!("{}  {}", worker.config.name, worker.tag()));
        there.serving().iter().for_each(|one| out(&format!("    serves      {} {}%", one.version, one.percent)));
        plan.diff.iter().for_each(|line| out(&format!("    {line}")));
        for step in &steps {
            let word = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
            out(&format!("  {:<5} {}  {}", word("method"), word("path"), word("what")));
        }
        if steps.is_empty() {
            out("  nothing to do");
        }
    }
    if format == Format::Json {
        out(&json!({"workers": told_parts, "seen": is_seen}).to_string());
    } else {
        if !is_seen {
            err("what is there is unknown: no token was given");
        }
        err("nothing was done: --execute does it");
    }
}

async fn execute(
    account: Account<'_>,
    parts: Vec<Part>,
    word: &str,
    home: &Home,
    format: Format,
) -> Result<Exit, Failure> {
    let mut done: Vec<String> = Vec::new();
    let mut outcomes = Vec::new();
    for Part { worker, plan, .. } in parts {
        let name = worker.config.name.clone();
        let log = Log::new(home, &name, &worker.digest(), word);
        let mut ids = account
            .ids(&worker.config.resources())
            .await
            .map_err(|error| broke_off(&done, &format!("{name}: {error}"), false))?;
        let message = format!("402claw: {word}");
        let mut rollout = Rollout { account, worker: &worker, ids: &mut ids, message, uploaded: None };
        if plan.steps.is_empty() {
            log.tell("already there", None)?;
        }
        for step in &plan.steps {
            let what = told(step);
            // Before it is done, so that what was half done is found.
            log.tell(&format!("begins: {what}"), None)?;
            err(&format!("{name}: {what}"));
            if let Err(broken) = rollout.carry_out(step).await {
                log.tell(&format!("failed: {what}"), Some(broken.error.to_string()))?;
                let Broken { is_open, .. } = broken;
                return Err(broke_off(&done, &format!("{name}: {broken}"), is_open));
            }
            log.tell(&format!("done: {what}"), None)?;
            done.push(format!("{name}: {what}"));
        }
        outcomes.push(
            json!({"worker": name, "digest": worker.digest(), "version": rollout.uploaded, "steps": plan.steps.len()}),
        );
    }
    match format {
        Format::Json => out(&json!({"workers": outcomes, "done": done}).to_string()),
        Format::Text if done.is_empty() => out("everything is there already"),
        Format::Text => done.iter().for_each(|line| out(&format!("done  {line}"))),
    }
    Ok(Exit::Done)
}

/// A failure with all that was done before it, and how to go on.
fn broke_off(done: &[String], why: &str, is_open: bool) -> Failure {
    if done.is_empty() && !is_open {
        return Failure::new(Exit::Failed, why).help("nothing was changed");
    }
    let list = if done.is_empty() { "none that is known".to_owned() } else { done.join("; ") };
    Failure::new(Exit::Partial, format!("{why}\ndone before: {list}"))
        .help("run the same command again: it looks first, and goes on with what is not done")
}
