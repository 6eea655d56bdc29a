//! `402claw publish`: uploads what a tenant runs. Without `--execute` it prints what it would do, and does nothing.

use crate::{
    args::PublishArgs,
    cloudflare::{Api, Module, Namespace, Script, token, token_if_any},
    exit::Exit,
    failure::Failure,
    gate,
    home::Home,
    http,
    output::{Format, err, out},
    rollouts::Log,
    store::Store,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// The most bytes that the platform takes for one script.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The part of a data set's Worker that is the same for all tenants.
const SHARED: [&str; 2] = ["index.js", "index_bg.wasm"];

pub fn publish(args: &PublishArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    Store::open(home)?.load()?.registry.expect(&args.tenant)?;
    let script = script(args, home)?;
    let at = &args.cloudflare;
    if at.execute {
        let why = gate(args, &script)?;
        let api = Api::new(&at.api, &at.account, token()?)?;
        let namespace = Namespace::new(&api, &args.dispatch_namespace)?;
        return http::runtime()?.block_on(execute(&namespace, &script, args.again, &why, home, format));
    }
    // A plan needs no token, but says more with one.
    let token = token_if_any()?;
    let api = Api::new(&at.api, &at.account, token.clone().unwrap_or_default())?;
    let namespace = Namespace::new(&api, &args.dispatch_namespace)?;
    let there = match token {
        Some(_) => {
            let tags = http::runtime()?.block_on(namespace.tags(&script.name));
            Some(tags.map_err(|error| failed(&error.to_string()))?)
        }
        None => None,
    };
    plan(&namespace, &script, there.as_ref(), format);
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
    gate::word(&args.gate, |record| {
        // The entry is this program's own.
        let code: Vec<Module> = script.modules.iter().filter(|module| module.name != "entry.mjs").cloned().collect();
        record.judged(Some("dataset-worker"), &code)
    })
}

fn plan(namespace: &Namespace<'_>, script: &Script, there: Option<&Option<Vec<String>>>, format: Format) {
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
        let told = json!({"method": "PUT", "path": namespace.path(&script.name), "digest": script.digest(), "metadata": metadata, "modules": modules, "there": state});
        out(&told.to_string());
        return;
    }
    out(&format!("PUT {}", namespace.path(&script.name)));
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

async fn execute(
    namespace: &Namespace<'_>,
    script: &Script,
    again: bool,
    why: &str,
    home: &Home,
    format: Format,
) -> Result<Exit, Failure> {
    let log = Log::new(home, &script.name, &script.digest(), why);
    let told = |what: &str, error: Option<String>| log.tell(what, error);
    let tag = script.digest_tag();
    let there = namespace.tags(&script.name).await.map_err(|error| failed(&error.to_string()))?;
    if !again && there.is_some_and(|tags| tags.contains(&tag)) {
        told("already there", None)?;
        return Ok(done(script, "already there", format));
    }
    // Before it is done, so that what was half done is found.
    told("upload begins", None)?;
    let bytes: usize = script.modules.iter().map(|module| module.content.len()).sum();
    err(&format!("uploading {bytes} bytes"));
    if let Err(error) = namespace.upload(script).await {
        told("upload failed", Some(error.to_string()))?;
        // The answer may have got lost after the work was done.
        return match namespace.tags(&script.name).await {
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
