//! The Worker that keeps the dispatcher's events. It takes them from a queue into D1, answers the dispatcher's questions about
//! them, and forgets what is over. No decision is made here: those are `telemetry`'s.
//!
//! Surprising constraint: it trusts whoever asks. So it has no route, and only a service binding reaches it.

mod database;
mod outgoing;
mod traces;
mod trends;
mod webhook;

use dispatcher_core::{
    operations::question::{Asked, Question, Told},
    paywall::UnixMillis,
    protocol::json,
    refusal::Refusal,
};
use js_sys::{Date, futures::JsFuture};
use serde_json::{Value, json};
use telemetry::{
    PayerKey, alerts,
    answer::answer,
    ingest,
    ingest::{Ingested, put_aside},
    retention,
    store::DatabaseError,
};
use traces::Collector;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response, ResponseInit, console};
use webhook::Webhook;
use worker::{Context, Env, MessageBatch, MessageExt, RawMessage, Result, ScheduleContext, ScheduledEvent, event};

/// The end of a dead-letter queue's name.
const DEAD: &str = "-dead";

#[event(fetch)]
async fn fetch(request: Request, env: Env, _: Context) -> Result<Response> {
    let body = JsFuture::from(request.text()?).await?.as_string().unwrap_or_default();
    let told = match question_of(&body) {
        Ok(question) => told(&env, &question).await.map_err(|error| (503, error.to_string())),
        Err(refused) => Err(refused),
    };
    match told {
        Ok(Told { content_type, text }) => respond(200, &content_type, &text),
        Err((status, why)) => {
            if status != 400 {
                log("trouble", &json!({"what": "question_failed", "why": why}));
            }
            respond(status, "text/plain; charset=utf-8", &why)
        }
    }
}

/// Each message is acknowledged by itself: one that cannot be stored holds up no other.
#[event(queue)]
async fn queue(batch: MessageBatch<JsValue>, env: Env, _: Context) -> Result<()> {
    let is_dead = batch.queue().ends_with(DEAD);
    let collector = Collector::of(&env).filter(|_| !is_dead);
    let mut stored = Vec::new();
    for message in batch.raw_iter() {
        match store(&env, &message, is_dead).await {
            Ok(Some(Ingested::PutAside(why))) => {
                log("alert", &json!({"alert": "telemetry_unreadable", "why": why.to_string()}));
                message.ack();
            }
            Ok(_) => {
                message.ack();
                stored.extend(message.body().as_string().filter(|_| !is_dead));
            }
            Err(error) => {
                log("trouble", &json!({"what": "telemetry_not_stored", "why": error.to_string()}));
                message.retry();
            }
        }
    }
    // What is kept is safe by now: neither of these holds it up, or is tried again.
    stored.iter().for_each(|message| trends::write(&env, message));
    if let Some(collector) = collector {
        collector.tell(&stored, payer_key(&env).as_ref()).await;
    }
    Ok(())
}

#[event(scheduled)]
async fn scheduled(_: ScheduledEvent, env: Env, _: ScheduleContext) {
    if let Err(error) = alert(&env).await {
        log("trouble", &json!({"what": "alerts_not_looked_at", "why": error.to_string()}));
    }
    let forgotten = async { retention::forget(&database::open(&env).await?, now()).await };
    if let Err(error) = forgotten.await {
        log("trouble", &json!({"what": "telemetry_not_forgotten", "why": error.to_string()}));
    }
}

/// The question of a body, or the status and the reason of its refusal.
fn question_of(body: &str) -> std::result::Result<Question, (u16, String)> {
    match json::read(body) {
        Ok(Asked::Reconcile(books)) => Ok(Question::Reconcile(books)),
        Ok(Asked::Uptime(tenants)) => Ok(Question::Uptime(tenants)),
        Ok(Asked::Kept(kept)) => kept.question().map_err(|refusal| match refusal {
            Refusal::PlatformQuery { why } => (400, why),
            other => (500, other.message().into_owned()),
        }),
        Err(error) => Err((500, format!("is no question of this version: {error}"))),
    }
}

async fn told(env: &Env, question: &Question) -> std::result::Result<Told, DatabaseError> {
    answer(&database::open(env).await?, question, payer_key(env).as_ref(), now()).await
}

/// Looks at what is on, and tells of what is due. What could not be told is due again after a pause.
async fn alert(env: &Env) -> std::result::Result<(), DatabaseError> {
    let (database, webhook) = (database::open(env).await?, Webhook::of(env));
    let mut episodes = alerts::look(&database, now()).await?;
    for episode in episodes.iter_mut().filter(|episode| episode.due.is_some_and(|due| due <= now())) {
        let notice = json!(episode.notice());
        log("alert", &json!({"alert": "telemetry_alert", "notice": notice}));
        // Without one, the log is where it was told.
        let told = match &webhook {
            Some(webhook) => webhook.tell(episode, now()).await,
            None => Ok(()),
        };
        if let Err(why) = &told {
            log("trouble", &json!({"what": "alert_not_told", "why": why}));
        }
        episode.tried(told.is_ok(), now());
    }
    alerts::remember(&database, &episodes, now()).await
}

async fn store(env: &Env, message: &RawMessage, is_dead: bool) -> std::result::Result<Option<Ingested>, DatabaseError> {
    let (database, id) = (database::open(env).await?, message.id());
    let Some(text) = message.body().as_string() else {
        let why = "is no text";
        put_aside(&database, &id, "", why, now()).await?;
        return Ok(None);
    };
    if is_dead {
        put_aside(&database, &id, &text, "was tried too often", now()).await?;
        return Ok(None);
    }
    ingest(&database, &id, &text, payer_key(env).as_ref(), now()).await.map(Some)
}

fn payer_key(env: &Env) -> Option<PayerKey> {
    PayerKey::of(env.secret("PAYER_HASH_KEY").ok().map(|secret| secret.to_string()))
}

fn now() -> UnixMillis {
    UnixMillis(Date::now() as u64)
}

/// Apart from the dispatcher's lines, whose kinds these are, by whose Worker it is.
fn log(kind: &str, line: &Value) {
    let mut line = line.clone();
    line["log"] = kind.into();
    line["worker"] = "telemetry".into();
    console::log_1(&line.to_string().into());
}

fn respond(status: u16, content_type: &str, text: &str) -> Result<Response> {
    let init = ResponseInit::new();
    init.set_status(status);
    let response = Response::new_with_opt_str_and_init(Some(text), &init)?;
    response.headers().set("content-type", content_type)?;
    Ok(response)
}
