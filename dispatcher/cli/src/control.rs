//! A control plane as its client: where it is, with which token, and what its answers mean.

use crate::{exit::Exit, failure::Failure, home::Home, http, output::plain, platform::escaped};
use reqwest::{Method, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{env, fs, time::Duration};

const PATIENCE: Duration = Duration::from_secs(30);
/// The most pages that are read of one list.
const MOST_PAGES: usize = 1_000;
const FILE: &str = "control.json";
const TOKEN_FILE: &str = "control.token";
/// Holds a token in place of the file.
pub const TOKEN: &str = "CLAW_CONTROL_TOKEN";

/// A login, as it is kept. The token lies beside it, in a file that its owner alone may read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Login {
    pub url: String,
}

pub struct Control {
    pub url: String,
    token: String,
}

/// A precondition of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum If {
    Version(u64),
    New,
}

impl Control {
    /// The control plane that this folder is logged in to; `None`: tenants are kept in files.
    pub fn of(home: &Home) -> Result<Option<Self>, Failure> {
        let Some(text) = home.read(FILE)? else { return Ok(None) };
        let login: Login = serde_json::from_str(&text)
            .map_err(|error| Failure::invalid(format!("{}: {error}", home.path(FILE).display())))?;
        let token = match env::var(TOKEN) {
            Ok(token) => Some(token),
            Err(_) => home.read(TOKEN_FILE)?,
        };
        let token = token.ok_or_else(|| {
            Failure::new(Exit::Usage, format!("there is no token for {}", login.url)).help("402claw login URL")
        })?;
        Self::new(&login.url, &token).map(Some)
    }

    pub fn new(url: &str, token: &str) -> Result<Self, Failure> {
        let url = url.trim_end_matches('/');
        let is_local = url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
        if !url.starts_with("https://") && !is_local {
            return Err(Failure::new(Exit::Usage, format!("{url} is not https, and a token would go there")));
        }
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::new(Exit::Usage, "that is no token"));
        }
        Ok(Self { url: url.to_owned(), token: token.to_owned() })
    }

    pub fn keep(&self, home: &Home) -> Result<(), Failure> {
        home.make()?;
        home.write_secret(TOKEN_FILE, format!("{}\n", self.token).as_bytes())?;
        let login = Login { url: self.url.clone() };
        home.write(FILE, serde_json::json!(login).to_string().as_bytes())
    }

    /// Whether there was a login to forget.
    pub fn forget(home: &Home) -> Result<bool, Failure> {
        let mut was_there = false;
        for name in [FILE, TOKEN_FILE] {
            let path = home.path(name);
            match fs::remove_file(&path) {
                Ok(()) => was_there = true,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::file("taking away", &path, &error)),
            }
        }
        Ok(was_there)
    }

    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::GET, path, None, None)
    }

    /// Every item of a list that comes in pages.
    pub fn pages(&self, path: &str, key: &str) -> Result<(Vec<Value>, Value), Failure> {
        let (mut all, mut after) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let page = match after.as_str() {
                "" => self.get(path)?,
                after => self.get(&format!("{path}?after={}", escaped(after)))?,
            };
            all.extend(page[key].as_array().cloned().unwrap_or_default());
            after = match &page["next"] {
                Value::String(next) => next.clone(),
                Value::Number(next) => next.to_string(),
                _ => return Ok((all, page)),
            };
        }
        Err(Failure::new(Exit::Failed, format!("{}{path}: there are more than {MOST_PAGES} pages", self.url)))
    }

    pub fn change(&self, method: Method, path: &str, when: If, body: Option<&Value>) -> Result<Value, Failure> {
        self.ask(method, path, Some(when), body)
    }

    pub fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.ask(method, path, None, body)
    }

    fn ask(&self, method: Method, path: &str, when: Option<If>, body: Option<&Value>) -> Result<Value, Failure> {
        let is_read = method == Method::GET;
        let answered = http::runtime()?.block_on(async {
            let client = http::client(PATIENCE)?;
            let mut request = client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
            request = match when {
                None => request,
                Some(If::New) => request.header(header::IF_NONE_MATCH, "*"),
                Some(If::Version(version)) => request.header(header::IF_MATCH, format!("\"{version}\"")),
            };
            if let Some(body) = body {
                request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
            }
            let response = request.send().await.map_err(|error| self.silent(&http::told(&error), is_read))?;
            let status = response.status().as_u16();
            let body = http::body(response).await;
            let body = body.ok_or_else(|| self.silent("its answer broke off", is_read))?;
            Ok((status, serde_json::from_slice::<Value>(&body).unwrap_or_default()))
        });
        let (status, answer) = answered?;
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let told = answer["error"]["message"].as_str().map_or_else(|| format!("it answers {status}"), plain);
        let failure = |exit| Failure::new(exit, format!("{}: {told}", self.url));
        Err(match status {
            401 => failure(Exit::Failed).help("the token is wrong, has expired or was revoked: 402claw login URL"),
            403 => failure(Exit::Failed).help("a token with another role may do it"),
            412 => failure(Exit::Busy).help("run the same command again"),
            400 | 404 | 409 | 413 | 422 | 428 => failure(Exit::Invalid),
            500.. if !is_read => self.silent(&told, is_read),
            _ => failure(Exit::Failed),
        })
    }

    fn silent(&self, why: &str, is_read: bool) -> Failure {
        let what = format!("{} does not answer: {why}", self.url);
        if is_read {
            Failure::new(Exit::Failed, what).help("nothing was changed; check the address and the network")
        } else {
            Failure::new(Exit::Partial, what)
                .help("it may have been done: look with `402claw show` before it is done again")
        }
    }
}
