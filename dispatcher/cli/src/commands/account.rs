//! `402claw login`, and what an account has at a control plane: tokens, and the log of changes.

use crate::{
    args::{AccountsTask, AuditArgs, LoginArgs, TokensTask},
    control::{Control, TOKEN},
    exit::Exit,
    failure::Failure,
    home::Home,
    output::{Format, err, out, plain},
    store::Store,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    env,
    io::{IsTerminal, stdin},
};

pub fn login(args: &LoginArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let token = match env::var(TOKEN) {
        Ok(token) => token,
        Err(_) => {
            if stdin().is_terminal() {
                err("the token, which is seen as it is typed:");
            }
            let mut line = String::new();
            let read = stdin().read_line(&mut line);
            read.map_err(|error| Failure::new(Exit::Usage, format!("no token could be read: {error}")))?;
            if line.trim().is_empty() {
                let what = format!("no token was given: on standard input, or in {TOKEN}");
                return Err(Failure::new(Exit::Usage, what));
            }
            line
        }
    };
    let control = Control::new(&args.url, &token)?;
    let me = control.get("/v1/me")?;
    let environment = home.environment.as_str();
    if me["environment"] != environment {
        let what = format!("{} is of environment {}, and this is {environment}", control.url, me["environment"]);
        return Err(Failure::invalid(what).help("--env prod, or --env test"));
    }
    control.keep(home)?;
    match format {
        Format::Json => out(&me.to_string()),
        Format::Text => {
            let word = |key: &str| plain(me[key].as_str().unwrap_or("-"));
            out(&format!("logged in to {}: account {}, role {}", control.url, word("account"), word("role")));
        }
    }
    Ok(Exit::Done)
}

pub fn logout(home: &Home) -> Result<Exit, Failure> {
    let was_there = Control::forget(home)?;
    err(if was_there { "logged out: tenants are those of this folder again" } else { "there was no login" });
    Ok(Exit::Done)
}

fn control(home: &Home) -> Result<Control, Failure> {
    Control::of(home)?
        .ok_or_else(|| Failure::new(Exit::Usage, "this folder is not logged in").help("402claw login URL"))
}

pub fn tokens(task: &TokensTask, home: &Home, format: Format) -> Result<Exit, Failure> {
    let control = control(home)?;
    match task {
        TokensTask::List => {
            let list = control.get("/v1/tokens")?;
            print(&list, "tokens", &["id", "role", "name", "tenants"], format);
        }
        TokensTask::Create { name, role, tenants, days } => {
            let tenants = (!tenants.is_empty()).then_some(tenants);
            let body = json!({"name": name, "role": role.as_str(), "tenants": tenants, "days": days});
            let made = control.send(Method::POST, "/v1/tokens", Some(&body))?;
            told_once(&made, format);
        }
        TokensTask::Revoke { id } => {
            is_segment(id)?;
            let gone = control.send(Method::DELETE, &format!("/v1/tokens/{id}"), None)?;
            out(&if format == Format::Json { gone.to_string() } else { format!("revoked {id}") });
        }
    }
    Ok(Exit::Done)
}

pub fn accounts(task: &AccountsTask, home: &Home, format: Format) -> Result<Exit, Failure> {
    let control = control(home)?;
    match task {
        AccountsTask::List => {
            let list = control.get("/v1/accounts")?;
            print(&list, "accounts", &["id", "name"], format);
        }
        AccountsTask::GiveHost { account, host } => {
            let given = control.send(Method::POST, "/v1/hosts", Some(&json!({"account": account, "host": host})))?;
            let told = || format!("{} may stand at {}", plain(account), plain(host));
            out(&if format == Format::Json { given.to_string() } else { told() });
        }
        AccountsTask::Create { name } => {
            let made = control.send(Method::POST, "/v1/accounts", Some(&json!({"name": name})))?;
            told_once(&made, format);
        }
    }
    Ok(Exit::Done)
}

pub fn audit(args: &AuditArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let lines = Store::open(home)?.audit()?;
    let of = |line: &&Value| args.tenant.as_ref().is_none_or(|tenant| line["tenant"] == tenant.as_str());
    let lines: Vec<&Value> = lines.iter().filter(of).collect();
    if format == Format::Json {
        out(&json!({"lines": lines}).to_string());
        return Ok(Exit::Done);
    }
    for line in lines {
        let word = |key: &str| plain(line[key].as_str().unwrap_or_default());
        out(&format!(
            "{}  {:<20} {:<16} {:<20} {}",
            word("at"),
            word("author"),
            word("what"),
            word("tenant"),
            word("reason")
        ));
    }
    Ok(Exit::Done)
}

/// A token is shown when it is made, and never again.
fn told_once(made: &Value, format: Format) {
    match format {
        Format::Json => out(&made.to_string()),
        Format::Text => {
            err("keep it: it is not shown again");
            out(&plain(made["token"].as_str().unwrap_or_default()));
        }
    }
}

fn print(list: &Value, key: &str, columns: &[&str], format: Format) {
    if format == Format::Json {
        out(&list.to_string());
        return;
    }
    for row in list[key].as_array().into_iter().flatten() {
        let word = |column: &&str| format!("{:<16}", plain(row[*column].as_str().unwrap_or("-")));
        out(columns.iter().map(word).collect::<Vec<_>>().join(" ").trim_end());
    }
}

/// An id stands in a path.
fn is_segment(id: &str) -> Result<(), Failure> {
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_plain { Ok(()) } else { Err(Failure::new(Exit::Usage, format!("{id:?} is not a token's id"))) }
}
