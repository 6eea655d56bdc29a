//! One attack of goose, and what it came to. Surprising constraint: goose has state of the whole process, prints to standard
//! output whatever it is told, and takes the signals for itself. So it has a process of its own.

use std::path::Path;

use clap::Parser;
use gate::Budgets;
use goose::{GooseAttack, GooseError, config::GooseConfiguration};
use harness::{live::Tools, run::RunError};

use super::{Journeys, audit, shared::Shared, users, world::World};
use crate::report::LoadReport;

const SEED: u64 = 402;

#[derive(Debug, thiserror::Error)]
pub enum JourneyError {
    #[error("the world of the journeys")]
    World(#[from] RunError),
    #[error("goose")]
    Goose(#[source] Box<GooseError>),
}

/// Walks the journeys, and holds what was seen to the budgets.
pub async fn run(
    asked: &Journeys,
    tools: &Tools,
    budgets: &Budgets,
    dir: &Path,
    say: &dyn Fn(&str),
) -> Result<LoadReport, JourneyError> {
    let world = match asked.url {
        Some(_) => None,
        None => {
            say("starting the live tier's world: facilitator doubles, dispatcher, dispatch namespace");
            Some(World::start(tools, dir).await?)
        }
    };
    // Wallets of ours have money at our own doubles alone.
    let may_buy = asked.url.as_deref().is_none_or(super::is_loopback);
    Shared::begin(SEED, may_buy);
    let url = world.as_ref().map_or_else(|| asked.url.clone().unwrap_or_default(), |world| world.url().to_owned());
    say(&format!("{} users for {} s at {url}", asked.users, asked.lasts.as_secs()));
    let attacked = attack(&url, asked).await;
    let seen = match world {
        Some(world) => {
            say("stopping the world");
            Some(world.stop().await?)
        }
        None => None,
    };
    attacked.map_err(|error| JourneyError::Goose(Box::new(error)))?;
    let books = Shared::get().books();
    let buying: &[&str] = if may_buy { &["buy", "resend", "collect", "replay", "burn"] } else { &[] };
    let journeys: Vec<&str> = ["browse", "attack"].iter().chain(buying).copied().collect();
    let mut checks = audit::of_users(&books, budgets.errors.wrong, &journeys);
    let mut conditions = vec![
        "driven by goose, a closed loop: what users wait for under a steady rate, `loadtests budgets` measures"
            .to_owned(),
        "whole bodies are timed; a 402 is a right answer to who has not paid".to_owned(),
    ];
    if let Some(seen) = seen {
        checks.push(audit::of_chain(&books, &seen.moved.into_iter().collect()));
        checks.extend(seen.rules.iter().map(audit::of_rule));
        conditions.push("the live tier: `wrangler dev`, whose proxy bounds the rate; limits are enforced".to_owned());
    } else {
        conditions.push(format!("at {url}, whose books nobody here can see"));
    }
    Ok(LoadReport::new("journeys", checks, audit::latencies(&books), conditions, books.requests))
}

async fn attack(url: &str, asked: &Journeys) -> Result<(), GooseError> {
    let (users, seconds) = (asked.users.to_string(), asked.lasts.as_secs().max(1).to_string());
    let words = [
        "loadtests",
        "--host",
        url,
        "--users",
        &users,
        "--hatch-rate",
        "20",
        "--run-time",
        &seconds,
        "--no-telnet",
        "--no-websocket",
        "--no-print-metrics",
        "--no-reset-metrics",
        "--no-status-codes",
        "-q",
    ];
    let configuration = GooseConfiguration::try_parse_from(words).expect("goose knows its own options");
    let mut attack = GooseAttack::initialize_with_config(configuration)?;
    for scenario in users::scenarios()? {
        attack = attack.register_scenario(scenario);
    }
    attack.execute().await?;
    Ok(())
}
