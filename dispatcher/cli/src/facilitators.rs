//! The policy about facilitators: in production at least two, by https, each of which serves the network that is charged on.

use crate::{args::DeployArgs, exit::Exit, failure::Failure, home::Environment, http};
use dispatcher_core::{
    paywall::{facilitator::Facilitators, ports::Secrets},
    tenant::Available,
};
use serde_json::Value;
use std::{fs, time::Duration};

const LEAST_IN_PROD: usize = 2;
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes every secret for set: whether it is, only the deployment knows.
struct Assumed;

impl Secrets for Assumed {
    fn secret(&self, _: &str) -> Option<String> {
        Some("assumed".to_owned())
    }
}

/// The facts that records are checked against.
pub fn available(args: &DeployArgs, environment: Environment) -> Result<Available, Failure> {
    let network = environment.network();
    let Some(path) = &args.facilitators else {
        if environment == Environment::Prod {
            let what = "production needs to know its facilitators";
            return Err(
                Failure::invalid(what).help("--facilitators FILE, with the JSON of the dispatcher's FACILITATORS")
            );
        }
        return Ok(Available { network, facilitators: [].into() });
    };
    let text = fs::read_to_string(path).map_err(|error| Failure::file("reading", path, &error))?;
    let listed = Facilitators::from_json(&text, &Assumed)
        .map_err(|error| Failure::invalid(format!("{}: {error}", path.display())))?;
    let urls: Vec<(String, String)> = listed.iter().map(|one| (one.id.clone(), one.url.clone())).collect();
    if environment == Environment::Prod {
        policy(&urls)?;
        if !args.unchecked_facilitators {
            http::runtime()?.block_on(all_serve(&urls, network.caip2()))?;
        }
    }
    Ok(Available { network, facilitators: urls.into_iter().map(|(id, _)| id).collect() })
}

fn policy(urls: &[(String, String)]) -> Result<(), Failure> {
    let mut hosts: Vec<&str> = urls.iter().map(|(_, url)| url.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    if hosts.len() < LEAST_IN_PROD {
        let what = format!("production has {} facilitators, and needs {LEAST_IN_PROD} that are not one", hosts.len());
        return Err(Failure::invalid(what).help("where one is down, the other one serves"));
    }
    match urls.iter().find(|(_, url)| !url.starts_with("https://")) {
        Some((id, url)) => Err(Failure::invalid(format!("facilitator {id:?} is at {url}, and production wants https"))),
        None => Ok(()),
    }
}

async fn all_serve(urls: &[(String, String)], network: &str) -> Result<(), Failure> {
    let client = http::client(PATIENCE)?;
    for (id, url) in urls {
        let failed = |why: String| {
            Failure::new(Exit::Invalid, format!("facilitator {id:?}: {why}"))
                .help("--unchecked-facilitators goes on without asking")
        };
        let response =
            client.get(format!("{url}/supported")).send().await.map_err(|error| failed(http::told(&error)))?;
        let status = response.status().as_u16();
        // It wants credentials, which only the deployment has: it is there, and that is all that can be known.
        if status == 401 || status == 403 {
            continue;
        }
        let body = http::body(response)
            .await
            .filter(|_| status == 200)
            .ok_or_else(|| failed(format!("/supported answers {status}")))?;
        if !serves(&body, network) {
            return Err(failed(format!("does not serve exact on {network}")));
        }
    }
    Ok(())
}

fn serves(body: &[u8], network: &str) -> bool {
    let supported: Value = serde_json::from_slice(body).unwrap_or_default();
    let kinds = supported["kinds"].as_array().into_iter().flatten();
    kinds.into_iter().any(|kind| kind["scheme"] == "exact" && kind["network"] == network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_has_two_that_are_not_one() {
        let urls = |list: &[&str]| {
            list.iter().enumerate().map(|(n, url)| (format!("f{n}"), (*url).to_owned())).collect::<Vec<_>>()
        };
        assert!(policy(&urls(&["https://a.example", "https://b.example"])).is_ok());
        for (wrong, said) in [
            (&["https://a.example"][..], "needs 2"),
            (&["https://a.example", "https://a.example"], "needs 2"),
            (&["https://a.example", "http://127.0.0.1:1"], "https"),
        ] {
            assert!(policy(&urls(wrong)).unwrap_err().to_string().contains(said), "{wrong:?}");
        }
    }

    #[test]
    fn a_facilitator_serves_what_it_lists() {
        let listed = br#"{"kinds":[{"x402Version":2,"scheme":"exact","network":"eip155:8453"}]}"#;
        assert!(serves(listed, "eip155:8453") && !serves(listed, "eip155:84532") && !serves(b"<html>", "eip155:8453"));
    }
}
