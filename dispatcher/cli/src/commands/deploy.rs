//! `402claw deploy`: checks everything first, then writes what the tenant runs, then its record.

use crate::{
    args::{DeployArgs, Flow, PlanName},
    exit::Exit,
    facilitators,
    failure::Failure,
    home::{Environment, Home},
    money::{SETTLEMENT_COST, Usdc},
    output::{Format, err, out},
    registry::{Change, author, nearest},
    settings::Settings,
    site::{self, Told},
    store::{FORMER_PLAN, Store},
    wallet,
};
use dataset::{Dataset, Kind, Meta, Options, SourceOptions, source};
use dispatcher_core::{
    paywall::challenge::Bill,
    plan::Plan,
    tenant::{Available, TenantRecord, is_id},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

const ENTRY: &str = include_str!("../../../dataset-worker/entry.mjs");
/// Some clients take no more headers than that.
const MAX_OFFER_BYTES: usize = 8_000;

/// The result of a deploy.
#[derive(Debug)]
pub struct Deployed {
    pub record: Value,
    pub meta: Option<Meta>,
    pub warnings: Vec<String>,
}

/// The files of a tenant's script.
type Modules = Vec<(&'static str, Vec<u8>)>;

pub fn deploy(args: &DeployArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let deployed = run(args, &Settings::load(Path::new("."))?, home, &Store::open(home)?)?;
    print(&deployed, args.dry_run, format);
    Ok(Exit::Done)
}

pub fn run(args: &DeployArgs, settings: &Settings, home: &Home, store: &Store<'_>) -> Result<Deployed, Failure> {
    let told = |flag: &Option<String>, setting: &Option<String>| flag.clone().or_else(|| setting.clone());
    let slug = told(&args.tenant, &settings.tenant).ok_or_else(|| {
        Failure::new(Exit::Usage, "no tenant is named").help("--tenant SLUG, or `tenant` in 402claw.json")
    })?;
    if !is_id(&slug) {
        let rule = "1 to 63 lower-case letters, digits, - or _, with a letter or digit at both ends and no --";
        return Err(Failure::invalid(format!("{slug:?} is not a slug: {rule}")));
    }
    let file =
        args.dataset.clone().or_else(|| settings.dataset.as_ref().or(settings.worker.as_ref()).map(PathBuf::from));
    let file = file.ok_or_else(|| {
        Failure::new(Exit::Usage, "there is nothing to deploy")
            .help("name a data file, or make one with `402claw init`")
    })?;
    let price = match (&args.price, &settings.price) {
        (Some(price), _) => Some(*price),
        (None, Some(text)) => Some(text.parse::<Usdc>().map_err(|error| Failure::invalid(error.to_string()))?),
        (None, None) => None,
    };
    let mut warnings = Vec::new();
    if let Some(price) = price.filter(|price| *price < SETTLEMENT_COST) {
        warnings.push(format!(
            "a settlement on Base costs about {SETTLEMENT_COST} USDC of gas, which is more than the price of {price}: whoever pays the gas loses"
        ));
    }
    let available = facilitators::available(args, home.environment)?;
    let pay_to = match (told(&args.pay_to, &settings.pay_to), home.environment) {
        (Some(address), _) => address,
        (None, _) if price.is_none() => String::new(),
        (None, Environment::Test) => wallet::test_seller(home)?.address().to_string(),
        (None, Environment::Prod) => {
            return Err(Failure::new(Exit::Usage, "no address is named that is paid").help("--pay-to ADDRESS"));
        }
    };
    let description = told(&args.description, &settings.description);
    let mut record = record(args, &slug, price, &pay_to, home.environment, description.as_deref());
    let is_worker = matches!(file.extension().and_then(|end| end.to_str()), Some("mjs" | "js"));
    let (modules, meta) = if is_worker {
        (worker(&file, settings)?, None)
    } else {
        let offer = Told {
            slug: &slug,
            host: args.hosts.first().map(String::as_str),
            price,
            network: home.environment.network().caip2(),
            asset: home.environment.network().usdc().address.to_string(),
            pay_to: pay_to.clone(),
            title: &slug,
            description: description.as_deref().unwrap_or("A data set"),
        };
        record["freePaths"] = json!(if price.is_some() { site::free_paths() } else { Vec::new() });
        if price.is_some() {
            let bazaar = site::bazaar();
            if !site::conforms(&bazaar["info"], &bazaar["schema"]) {
                return Err(Failure::new(Exit::Failed, "the example of a request does not follow its own schema"));
            }
            record["price"]["bazaar"] = bazaar;
            record["price"]["mimeType"] = json!("application/json");
            record["catalogue"]["path"] = json!(dataset::api::RECORDS);
        }
        let (modules, meta) = data(&file, args, &offer)?;
        if let Some(why) = dataset::build::unused_id(&meta) {
            warnings.push(format!(
                "column \"id\" cannot name rows, since {why}: /v1/records/{{id}} takes a row's number, or --id COLUMN names another"
            ));
        }
        (modules, Some(meta))
    };
    warnings.extend(check(&record, &available)?);
    if args.dry_run {
        return Ok(Deployed { record, meta, warnings });
    }
    let edit = store.begin()?;
    let mut registry = edit.tenants.registry.clone();
    if registry.tenant(&slug).is_none() {
        let known: Vec<&str> = registry.ids().collect();
        if let Some(alike) = nearest(&slug, &known) {
            warnings.push(format!("{slug:?} is new, and spelt much like {alike:?}"));
        }
    }
    let former = registry.tenant(&slug).map(|known| known["plan"].clone());
    let is_quarantined = former.is_some_and(|plan| plan == "quarantine");
    let wanted = record["plan"].clone();
    if is_quarantined {
        warnings.push(format!("{slug} stays in quarantine: `402claw quarantine {slug} --lift` brings it back"));
        record["plan"] = json!("quarantine");
    }
    registry.put(record.clone());
    // The record is checked with all others before anything of the tenant's is replaced.
    registry.check(&available)?;
    let staged = Staged::write(home, &slug, &modules, !settings.secrets.is_empty() && is_worker)?;
    let mut about = json!({"owner": args.owner, "source": file, "rows": meta.as_ref().map(|meta| meta.rows), "version": meta.as_ref().map(|meta| &meta.version)});
    if is_quarantined {
        about[FORMER_PLAN] = wanted;
    }
    let author = author(None);
    let unchecked = args.unchecked_facilitators.then_some("facilitators were not asked");
    let change =
        Change { what: "deploy", tenant: &slug, author: &author, reason: args.reason.as_deref().or(unchecked) };
    edit.put(record.clone(), &about, &available, &change)?;
    staged.take_the_place()?;
    Ok(Deployed { record, meta, warnings })
}

fn record(
    args: &DeployArgs,
    slug: &str,
    price: Option<Usdc>,
    pay_to: &str,
    environment: Environment,
    description: Option<&str>,
) -> Value {
    let plan = match args.plan.unwrap_or(PlanName::Pro) {
        PlanName::Free => Plan::Free,
        PlanName::Pro => Plan::Pro,
        PlanName::Business => Plan::Business,
        PlanName::Enterprise => Plan::Enterprise,
    };
    let mut record = json!({"id": slug, "slug": slug, "plan": plan, "hosts": args.hosts});
    if let Some(price) = price {
        let flow = if args.x402 == Some(Flow::Upfront) { "upfront" } else { "authorization" };
        let network = environment.network().caip2();
        record["price"] =
            json!({"amount": price.0.to_string(), "network": network, "payTo": pay_to, "paymentFlow": flow});
        if let Some(description) = description {
            record["price"]["description"] = json!(description);
        }
    }
    if args.unlisted {
        record["catalogue"]["hidden"] = json!(true);
    }
    if let (Some(cpu_ms), Some(sub_requests)) = (args.cpu_ms, args.subrequests) {
        record["override"] = json!({
            "cpuMs": cpu_ms, "subRequests": sub_requests, "author": author(None),
            "reason": args.reason, "expires": args.expires,
        });
    }
    record
}

/// Checks the record as the dispatcher does, and that its offer fits into headers.
fn check(record: &Value, available: &Available) -> Result<Vec<String>, Failure> {
    let read: TenantRecord =
        serde_json::from_value(record.clone()).map_err(|error| Failure::invalid(error.to_string()))?;
    let tenant = read.check(available).map_err(|error| {
        let failure = Failure::invalid(error.to_string());
        if error.key == "price.payTo" {
            failure.help("copy the address from your wallet, with its capital letters")
        } else {
            failure
        }
    })?;
    let Some(price) = &tenant.price else { return Ok(Vec::new()) };
    let url = format!("https://a-host-of-usual-length.example/t/{}/v1/records?limit=100", tenant.id);
    let bytes = Bill { price, url: &url }.header("payment_required").len();
    Ok((bytes > MAX_OFFER_BYTES)
        .then(|| format!("the offer has {bytes} bytes, and some clients take 8 kB of headers: shorten the description"))
        .into_iter()
        .collect())
}

fn data(file: &Path, args: &DeployArgs, told: &Told<'_>) -> Result<(Modules, Meta), Failure> {
    let bytes = fs::read(file).map_err(|error| Failure::file("reading", file, &error))?;
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let delimiter = match args.delimiter.as_deref() {
        None => name.to_ascii_lowercase().ends_with(".tsv").then_some('\t'),
        Some("\\t" | "tab") => Some('\t'),
        Some(text) => match text.chars().collect::<Vec<_>>()[..] {
            [one] if one != '"' && one != '\n' && one != '\r' => Some(one),
            _ => return Err(Failure::new(Exit::Usage, format!("--delimiter {text:?} is not one character"))),
        },
    };
    let encoding = args.encoding.as_deref().map(|name| {
        let known = source::Encoding::named(name);
        known.ok_or_else(|| {
            Failure::new(Exit::Usage, format!("--encoding {name:?} is none of utf-8, utf-16le, utf-16be, windows-1252"))
        })
    });
    let options = SourceOptions {
        format: source::Format::of_name(&name),
        encoding: encoding.transpose()?,
        delimiter,
        has_header: !args.no_header,
        nulls: args.nulls.clone(),
    };
    let place = |what: String| Failure::invalid(format!("{}:\n{what}", file.display()));
    let table = source::read(&bytes, &options).map_err(|error| place(error.to_string()))?;
    drop(bytes);
    let about = dataset::About { name: told.title.to_owned(), description: Some(told.description.to_owned()) };
    let preview = args.preview.unwrap_or(dataset::build::DEFAULT_PREVIEW);
    let options = Options { kinds: kinds(&args.kinds)?, id: args.id.clone(), preview, about };
    let bytes = dataset::build(&table, &options).map_err(|error| {
        let failure = place(error.to_string());
        if matches!(error, dataset::build::BuildError::Values(_)) {
            failure.help("--type COLUMN=text takes a column as it is")
        } else {
            failure
        }
    })?;
    drop(table);
    let dataset =
        Dataset::open(bytes).map_err(|error| Failure::new(Exit::Failed, format!("what was laid out {error}")))?;
    let documents = site::documents(&dataset, told);
    let (meta, bytes) = (dataset.meta().clone(), dataset.source().clone());
    let site = serde_json::to_vec(&documents).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let settings = json!({"main": "entry.mjs"}).to_string().into_bytes();
    let modules = vec![("entry.mjs", ENTRY.into()), ("data.bin", bytes), ("site.txt", site), ("tenant.json", settings)];
    Ok((modules, meta))
}

fn kinds(told: &[String]) -> Result<BTreeMap<String, Kind>, Failure> {
    let read = |text: &String| {
        let (column, name) = text
            .rsplit_once('=')
            .ok_or_else(|| Failure::new(Exit::Usage, format!("--type {text:?} is not COLUMN=TYPE")))?;
        let known: Vec<&str> = Kind::ALL.map(Kind::as_str).to_vec();
        let kind = Kind::named(name).ok_or_else(|| {
            let what = format!("--type: there is no {name:?}; there are {}", known.join(", "));
            let failure = Failure::new(Exit::Usage, what);
            match nearest(name, &known) {
                Some(meant) => failure.help(format!("did you mean {meant:?}?")),
                None => failure,
            }
        })?;
        Ok((column.to_owned(), kind))
    };
    told.iter().map(read).collect()
}

/// A Worker of the seller's own. Its secrets come in the environment.
fn worker(file: &Path, settings: &Settings) -> Result<Modules, Failure> {
    let source = fs::read(file).map_err(|error| Failure::file("reading", file, &error))?;
    let mut vars: BTreeMap<String, String> = settings.vars.clone();
    for name in &settings.secrets {
        let value = env::var(name).map_err(|_| {
            Failure::invalid(format!("{name} is not set, and the Worker wants it"))
                .help("set it in the environment; it is no argument")
        })?;
        vars.insert(name.clone(), value);
    }
    let settings = json!({"main": "index.mjs", "vars": vars}).to_string().into_bytes();
    Ok(vec![("index.mjs", source), ("tenant.json", settings)])
}

/// A tenant's script that waits beside the one that runs, until the tenant's record is taken: a record can be refused.
struct Staged {
    new: PathBuf,
    old: PathBuf,
    script: PathBuf,
}

impl Staged {
    fn write(home: &Home, slug: &str, modules: &Modules, has_secrets: bool) -> Result<Self, Failure> {
        let beside = |end: &str| home.path("staged").join(format!("{slug}.{end}"));
        let staged = Self { new: beside("new"), old: beside("old"), script: home.scripts().join(slug) };
        staged.clear()?;
        let mode = if has_secrets { 0o600 } else { 0o644 };
        for (name, bytes) in modules {
            crate::home::write(&staged.new.join(name), bytes, mode)?;
        }
        Ok(staged)
    }

    fn take_the_place(self) -> Result<(), Failure> {
        let moved =
            |from: &Path, to: &Path| fs::rename(from, to).map_err(|error| Failure::file("moving", from, &error));
        fs::create_dir_all(&self.old).map_err(|error| Failure::file("making", &self.old, &error))?;
        if self.script.exists() {
            moved(&self.script, &self.old)?;
        }
        if let Err(failure) = moved(&self.new, &self.script) {
            // The script that ran before runs on.
            let back = moved(&self.old, &self.script);
            return Err(if back.is_err() { failure.help("deploy once more: the script is gone") } else { failure });
        }
        self.clear()
    }

    fn clear(&self) -> Result<(), Failure> {
        for folder in [&self.new, &self.old] {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::file("taking away", folder, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Staged {
    /// A record that was refused leaves nothing beside the script that runs. The next deploy clears what cannot be taken away.
    fn drop(&mut self) {
        drop(self.clear());
    }
}

pub fn print(deployed: &Deployed, is_dry: bool, format: Format) {
    let Deployed { record, meta, warnings } = deployed;
    let id = record["id"].as_str().unwrap_or_default();
    let host = record["hosts"][0].as_str().map(|host| format!("https://{host}"));
    let base = host.unwrap_or_else(|| format!("https://YOUR-DISPATCHER/t/{id}"));
    let path = if meta.is_some() { "/v1/records?limit=5" } else { "/" };
    let price = record["price"]["amount"]
        .as_str()
        .and_then(|atomic| atomic.parse().ok())
        .map(|atomic| Usdc(atomic).to_string());
    let plan: Option<Plan> = serde_json::from_value(record["plan"].clone()).ok();
    let (limits, rates) = (plan.map(Plan::limits), plan.map(Plan::rates));
    if format == Format::Json {
        let columns = meta.as_ref().map(|meta| {
            let column =
                |column: &dataset::ColumnMeta| json!({"name": column.name, "type": column.kind, "nulls": column.nulls});
            meta.columns.iter().map(column).collect::<Vec<_>>()
        });
        let rows = meta.as_ref().map(|meta| meta.rows);
        let told = json!({
            "tenant": record, "endpoint": format!("{base}{path}"), "price": price, "limits": limits, "rows": rows, "columns": columns,
            "warnings": warnings, "written": !is_dry,
        });
        out(&told.to_string());
        return;
    }
    for warning in warnings {
        err(&format!("warning: {warning}"));
    }
    if let Some(meta) = meta {
        let columns: Vec<String> =
            meta.columns.iter().map(|column| format!("{} {}", column.name, column.kind.as_str())).collect();
        out(&format!("data       {} rows: {}", meta.rows, columns.join(", ")));
    }
    out(&format!("endpoint   {base}{path}"));
    out(&format!(
        "price      {}",
        price.clone().map_or("free".to_owned(), |price| format!(
            "{price} USDC a request, to {}",
            record["price"]["payTo"].as_str().unwrap_or_default()
        ))
    ));
    if let (Some(limits), Some(rates)) = (limits, rates) {
        out(&format!(
            "limits     {} ms of CPU and {} subrequests a request; {} requests in ten seconds, {} of one payer",
            limits.cpu_ms, limits.sub_requests, rates.tenant, rates.payer
        ));
    }
    out(&format!("\ncurl       curl -i '{base}{path}'"));
    if price.is_some() {
        out(&format!("buy        402claw call '{base}{path}' --max-price {}", price.unwrap_or_default()));
        out(&format!(
            "client     import {{ wrapFetchWithPayment }} from \"@x402/fetch\";\n           const answer = await wrapFetchWithPayment(fetch, client)(\"{base}{path}\");"
        ));
    }
    if is_dry {
        err("nothing was written: this was a dry run");
    }
}
