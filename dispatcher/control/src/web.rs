//! The runtime around the answers: the request read, the token looked up, the answer written.

use crate::{
    answer::Answer,
    database::Database,
    handlers::{self, Asked, forbidden},
    permission::{Denied, Needs, Principal, admit},
    routes::{self, Missed},
    token::{self, Given},
};
use js_sys::futures::JsFuture;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Crypto, Request, Response, ResponseInit, Url};
use worker::{Env, Error, Result};
use x402_protocol::Network;

const DATABASE: &str = "DB";
const PLATFORM_TOKEN: &str = "CONTROL_PLATFORM_TOKEN";
/// A tenant's record is some kilobytes.
const MOST_BYTES: usize = 64 * 1024;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = crypto)]
    static CRYPTO: Crypto;
}

pub async fn serve(request: Request, env: &Env) -> Result<Response> {
    let answer = respond(&request, env).await.unwrap_or_else(|refused| refused);
    let init = ResponseInit::new();
    init.set_status(answer.status);
    let response = Response::new_with_opt_str_and_init(Some(&answer.body.to_string()), &init)?;
    let headers = response.headers();
    headers.set("content-type", "application/json")?;
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    if let Some(version) = answer.version {
        headers.set("etag", &format!("\"{version}\""))?;
    }
    if let Some(allow) = &answer.allow {
        headers.set("allow", allow)?;
    }
    if answer.status == 401 {
        headers.set("www-authenticate", "Bearer")?;
    }
    Ok(response)
}

async fn respond(request: &Request, env: &Env) -> std::result::Result<Answer, Answer> {
    let url = Url::new(&request.url()).map_err(|error| Answer::from(Error::from(error)))?;
    let (method, path) = (request.method(), url.pathname());
    let found = routes::find(&method, &path).map_err(|missed| match missed {
        Missed::Path => Answer::error(404, "not_found", "there is no such path"),
        Missed::Method(methods) => {
            let refused = Answer::error(405, "method_not_allowed", format!("it takes {}", methods.join(", ")));
            Answer { allow: Some(methods.join(", ")), ..refused }
        }
    })?;
    let network = match env.var("ENVIRONMENT").map(|var| var.to_string()).as_deref() {
        Ok("prod") => Network::Base,
        Ok("test") => Network::BaseSepolia,
        _ => return Err(Answer::error(500, "misconfigured", "ENVIRONMENT is neither prod nor test")),
    };
    let database = Database(env.d1(DATABASE)?);
    let header = |name: &str| request.headers().get(name).ok().flatten();
    let now_ms = js_sys::Date::now();
    let principal = match found.route.needs {
        Needs::Nothing => None,
        _ => principal(header("authorization").as_deref(), env, &database, now_ms).await?,
    };
    admit(found.route.needs, principal.as_ref()).map_err(|denied| match denied {
        Denied::Unknown => Answer::error(401, "unauthorized", "a token that counts is needed"),
        Denied::Forbidden => forbidden(),
    })?;
    // The table says that none of the others has one.
    let body = if matches!(found.route.method, "PUT" | "POST") { body(request).await? } else { String::new() };
    let mut random = [0; 38];
    CRYPTO
        .with(|crypto| crypto.get_random_values_with_u8_array(&mut random).map(drop))
        .map_err(|error| Answer::from(Error::from(error)))?;
    let query = |name: &str| url.search_params().get(name);
    let asked = Asked {
        found,
        principal: principal.as_ref(),
        query: &query,
        if_match: header("if-match"),
        if_none_match: header("if-none-match"),
        body: body.as_bytes(),
        network,
        now_ms,
        random,
    };
    handlers::answer(&asked, &database).await
}

async fn principal(
    authorization: Option<&str>,
    env: &Env,
    database: &Database,
    now_ms: f64,
) -> std::result::Result<Option<Principal>, Answer> {
    let Some(authorization) = authorization else { return Ok(None) };
    let own = env.secret(PLATFORM_TOKEN).ok().map(|secret| secret.to_string());
    if token::is_platform(authorization, own.as_deref()) {
        return Ok(Some(Principal::Platform));
    }
    let Some(given) = Given::read(authorization) else { return Ok(None) };
    let row = database.token(given.id).await?;
    Ok(row.and_then(|row| given.principal(&row, now_ms)))
}

/// The body as text. Whoever sends it has a good token by now, and says how long it is before any of it is read: the runtime ends a
/// body where its length says.
async fn body(request: &Request) -> std::result::Result<String, Answer> {
    if request.body().is_none() {
        return Ok(String::new());
    }
    let too_large = || Answer::error(413, "body_too_large", format!("a body has at most {MOST_BYTES} bytes"));
    let told = request.headers().get("content-length").ok().flatten().and_then(|length| length.parse::<usize>().ok());
    match told {
        None => return Err(Answer::error(411, "length_required", "say how long the body is: Content-Length")),
        Some(length) if length > MOST_BYTES => return Err(too_large()),
        Some(_) => {}
    }
    let wrong = |_| Answer::error(400, "invalid_body", "the body broke off");
    let text = JsFuture::from(request.text().map_err(wrong)?).await.map_err(wrong)?;
    let text = text.as_string().unwrap_or_default();
    if text.len() > MOST_BYTES { Err(too_large()) } else { Ok(text) }
}
