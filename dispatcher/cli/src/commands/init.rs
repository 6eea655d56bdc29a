//! `402claw init`: a folder that sells something, to begin with.

use crate::{
    args::{InitArgs, Template},
    exit::Exit,
    failure::Failure,
    home,
    output::{self, Format, err, out},
    settings::{FILE, Settings},
};
use dispatcher_core::tenant::is_id;
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::{IsTerminal, Write, stdin},
    path::Path,
};

const CSV: &str = include_str!("../templates/rainfall.csv");
const JSON: &str = include_str!("../templates/books.json");
const PROXY: &str = include_str!("../templates/proxy.mjs");

pub fn init(args: &InitArgs, format: Format) -> Result<Exit, Failure> {
    let is_asked = stdin().is_terminal() && format == Format::Text;
    let folder = args.folder.as_path();
    let name = folder.file_name().map_or_else(|| "my-api".to_owned(), |name| name.to_string_lossy().to_lowercase());
    let slug = if is_id(&name) { name } else { "my-api".to_owned() };
    let template = match args.template {
        Some(template) => template,
        None if is_asked => template(&ask("csv, json or proxy", "csv")?)?,
        None => Template::Csv,
    };
    let price = match &args.price {
        Some(price) => price.to_string(),
        None if is_asked => ask("price of a request in USDC", "0.001")?,
        None => "0.001".to_owned(),
    };
    price.parse::<crate::money::Usdc>().map_err(|error| Failure::invalid(error.to_string()))?;
    let mut settings =
        Settings { tenant: Some(slug), price: Some(price), pay_to: args.pay_to.clone(), ..Settings::default() };
    let (file, content) = match template {
        Template::Csv => ("data.csv", CSV),
        Template::Json => ("data.json", JSON),
        Template::Proxy => ("worker.mjs", PROXY),
    };
    match template {
        Template::Csv => settings.description = Some("Daily rainfall of ten cities".to_owned()),
        Template::Json => settings.description = Some("Books with their authors and editions".to_owned()),
        Template::Proxy => {
            let upstream = match &args.upstream {
                Some(upstream) => upstream.clone(),
                None if is_asked => ask("URL of the API behind it", "https://api.example.com")?,
                None => "https://api.example.com".to_owned(),
            };
            let header = args.secret_header.clone().unwrap_or_else(|| "authorization".to_owned());
            settings.vars = BTreeMap::from([("UPSTREAM".to_owned(), upstream), ("SECRET_HEADER".to_owned(), header)]);
            settings.secrets = vec!["UPSTREAM_SECRET".to_owned()];
        }
    }
    match template {
        Template::Proxy => settings.worker = Some(file.to_owned()),
        Template::Csv | Template::Json => settings.dataset = Some(file.to_owned()),
    }
    let written = [
        (file, content.to_owned()),
        (FILE, format!("{:#}\n", json!(settings))),
        (".gitignore", ".402claw/\n".to_owned()),
    ];
    for (name, _) in &written {
        if folder.join(name).exists() && !args.force {
            let what = format!("{} is there already", folder.join(name).display());
            return Err(Failure::invalid(what).help("another folder, or --force to write over it"));
        }
    }
    for (name, content) in &written {
        home::write(&folder.join(name), content.as_bytes(), 0o644)?;
    }
    match format {
        Format::Json => out(&json!({"folder": folder, "files": written.map(|(name, _)| name)}).to_string()),
        Format::Text => {
            let enter = if folder == Path::new(".") { String::new() } else { format!("cd {} && ", folder.display()) };
            err(&format!("made {}", written.map(|(name, _)| folder.join(name).display().to_string()).join(", ")));
            out(&format!("{enter}402claw dev"));
        }
    }
    Ok(Exit::Done)
}

fn template(text: &str) -> Result<Template, Failure> {
    let known = [("csv", Template::Csv), ("json", Template::Json), ("proxy", Template::Proxy)];
    let found = known.into_iter().find_map(|(name, template)| (name == text).then_some(template));
    found.ok_or_else(|| Failure::new(Exit::Usage, format!("{text:?} is not csv, json or proxy")))
}

fn ask(what: &str, otherwise: &str) -> Result<String, Failure> {
    let failed = |error| Failure::file("reading", Path::new("the terminal"), &error);
    let mut to = anstream::stderr();
    write!(to, "{what} [{otherwise}]: ").and_then(|()| to.flush()).map_err(failed)?;
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(failed)?;
    let line = output::plain(line.trim());
    Ok(if line.is_empty() { otherwise.to_owned() } else { line })
}
