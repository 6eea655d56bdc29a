//! `402claw publish`: uploads what a tenant runs. Without `--execute` it prints what it would do, and does nothing.

use crate::{
    args::PublishArgs,
    clock,
    cloudflare::{Api, Module, Script, token},
    exit::Exit,
    failure::Failure,
    gate,
    home::Home,
    http,
    output::{Format, err, out},
    registry::{Registry, author},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// Each step that was taken, a line each.
const RECORD: &str = "cloudflare.jsonl";
/// The most bytes that the platform takes for one script.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The part of a data set's Worker that is the same for all tenants.
const SHARED: [&str; 2] = ["index.js", "index_bg.wasm"];

pub fn publish(args: &PublishArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    Registry::load(home)?.expect(&args.tenant)?;
    let script = script(args, home)?;
    if args.execute {
        let why = gate(args, &script)?;
        let api = Api::new(&args.api, &args.account, &args.dispatch_namespace, token()?)?;
        return http::runtime()?.block_on(execute(&api, &script, &why, home, format));
    }
    // A plan needs no token, but says more with one.
    let api = Api::new(&args.api, &args.account, &args.dispatch_namespace, token().unwrap_or_default())?;
    let there = match token() {
        Ok(_) => Some(http::runtime()?.block_on(api.tags(&script.name)).map_err(|error| failed(&error.to_string()))?),
        Err(_) => None,
    };
    plan(&api, &script, there.as_ref(), format);
    Ok(Exit::Done)
}

fn failed(why: &str) -> Failure {
    Failure::new(Exit::Failed, why).help("nothing was changed")
}

fn script(args: &PublishArgs, home: &Home) -> Result<Script, Failure> {
    let folder = home.scripts().join(&args.tenant);
    let read = |path: &Path| fs::read(path).map_err(|error| Failure::file("reading", path, &error));
    let settings: Value = serde_json::from_slice(&read(&folder.join("tenant.json"))?).unwrap_or_default();
    let mut modules = BTreeMap::new();
    let listed = fs::read_dir(&folder).map_err(|error| Failure::file("reading", &folder, &error))?;
    for entry in listed {
        let path = entry.map_err(|error| Failure::file("reading", &folder, &error))?.path();
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if name != "tenant.json" && !name.starts_with('.') {
            modules.insert(name, read(&path)?);
        }
    }
    if modules.contains_key("data.bin") {
        for name in SHARED {
            let path = args.worker.join(name);
            let bytes = read(&path)
                .map_err(|failure| failure.help("build it: cd dispatcher/dataset-worker && worker-build --release"))?;
            modules.insert(name.to_owned(), bytes);
        }
    }
    let bytes: usize = modules.values().map(Vec::len).sum();
    if bytes > MAX_BYTES {
        return Err(Failure::invalid(format!("the script has {bytes} bytes, and the platform takes {MAX_BYTES}")));
    }
    let all: BTreeMap<String, String> = serde_json::from_value(settings["vars"].clone()).unwrap_or_default();
    let wanted = crate::settings::Settings::load(Path::new("."))?.secrets;
    let (secrets, vars) = all.into_iter().partition(|(name, _)| wanted.contains(name));
    Ok(Script {
        name: args.tenant.clone(),
        main: settings["main"].as_str().unwrap_or("index.mjs").to_owned(),
        modules: modules.into_iter().map(|(name, content)| Module { name, content }).collect(),
        vars,
        secrets,
        tags: vec![format!("tenant-{}", args.tenant), format!("env-{}", home.environment.as_str())],
    })
}

/// The reason why it may go out, for the record.
fn gate(args: &PublishArgs, script: &Script) -> Result<String, Failure> {
    if let Some(reason) = &args.without_gate {
        return Ok(format!("without a gate: {reason}"));
    }
    let Some(path) = &args.gate else {
        let help = "--gate gate.json, or --without-gate REASON, which is recorded";
        return Err(Failure::new(Exit::Usage, "nothing says that this passed the release gate").help(help));
    };
    gate::passed(path, &script.modules)?;
    Ok(format!("gate {}", path.display()))
}

fn plan(api: &Api, script: &Script, there: Option<&Option<Vec<String>>>, format: Format) {
    let modules: Vec<Value> =
        script.modules.iter().map(|module| json!({"name": module.name, "bytes": module.content.len()})).collect();
    let tag = script.digest_tag();
    let state = match there {
        None => "unknown: no token was given",
        Some(None) => "not there: it would be new",
        Some(Some(tags)) if tags.contains(&tag) => "there already: nothing to do",
        Some(Some(_)) => "another one: it would be replaced",
    };
    let metadata = script.metadata(false);
    if format == Format::Json {
        let told = json!({"method": "PUT", "path": api.path(&script.name), "digest": script.digest(), "metadata": metadata, "modules": modules, "there": state});
        out(&told.to_string());
        return;
    }
    out(&format!("PUT {}", api.path(&script.name)));
    out(&format!("  there       {state}"));
    if let Some(Some(tags)) = there.filter(|_| !state.starts_with("there")) {
        tags.iter().filter(|known| known.starts_with("digest-")).for_each(|known| out(&format!("- {known}")));
    }
    out(&format!("+ {tag}"));
    for module in &script.modules {
        out(&format!("  module      {:<16} {} bytes", module.name, module.content.len()));
    }
    out(&format!("  metadata    {metadata}"));
    err("nothing was done: --execute does it");
}

async fn execute(api: &Api, script: &Script, why: &str, home: &Home, format: Format) -> Result<Exit, Failure> {
    let told = |what: &str, error: Option<String>| {
        let line = json!({
            "at": clock::rfc3339(clock::unix_ms()), "author": author(None), "script": script.name, "digest": script.digest(),
            "step": what, "error": error, "gate": why,
        });
        home.append(RECORD, &line.to_string())
    };
    let tag = script.digest_tag();
    let there = api.tags(&script.name).await.map_err(|error| failed(&error.to_string()))?;
    if there.is_some_and(|tags| tags.contains(&tag)) {
        told("already there", None)?;
        return Ok(done(script, "already there", format));
    }
    // Before it is done, so that what was half done is found.
    told("upload begins", None)?;
    let bytes: usize = script.modules.iter().map(|module| module.content.len()).sum();
    err(&format!("uploading {bytes} bytes"));
    if let Err(error) = api.upload(script).await {
        told("upload failed", Some(error.to_string()))?;
        // The answer may have got lost after the work was done.
        return match api.tags(&script.name).await {
            Ok(Some(tags)) if tags.contains(&tag) => {
                told("uploaded after all", None)?;
                Ok(done(script, "uploaded", format))
            }
            Ok(_) => Err(failed(&error.to_string())),
            Err(second) => {
                Err(Failure::new(Exit::Partial, format!("{error}; and what is there cannot be read: {second}"))
                    .help("run the same command again: it looks first, and uploads what is not there"))
            }
        };
    }
    told("uploaded", None)?;
    Ok(done(script, "uploaded", format))
}

fn done(script: &Script, what: &str, format: Format) -> Exit {
    match format {
        Format::Json => out(&json!({"script": script.name, "digest": script.digest(), "outcome": what}).to_string()),
        Format::Text => out(&format!("{} {what}: {}", script.name, script.digest())),
    }
    Exit::Done
}
