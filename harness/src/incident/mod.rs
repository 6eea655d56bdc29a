//! Turns the dispatcher's log of an incident into a scenario: the same tenants and facilitators, traffic of the same shape,
//! and facilitators that fail alike at the same times. What a log cannot tell, the file says.

mod file;
mod lines;
mod shape;

pub use lines::BadLine;

use crate::scenario::{InvalidScenario, Name, Scenario};
use lines::MAX_LOG_BYTES;
use shape::Incident;
use std::{
    io,
    path::{Path, PathBuf},
};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum IncidentError {
    #[error("{path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} has over {MAX_LOG_BYTES} bytes")]
    #[diagnostic(help("cut the log to the minutes of the incident"))]
    TooLarge { path: PathBuf },
    #[error("{path} cannot be understood")]
    #[diagnostic(help(
        "what is read is JSON Lines: `wrangler tail --format json`, an export of Workers Logs, or {{\"timestamp\": ms, \"message\": line}}"
    ))]
    Line { path: PathBuf, source: BadLine },
    #[error("{0} has no request line of the dispatcher")]
    #[diagnostic(help("its lines are JSON and begin with {{\"log\":\"request\"}}"))]
    Nothing(PathBuf),
    #[error("what was logged makes no scenario: {}", reasons(.0))]
    #[diagnostic(help(
        "a scenario has at most 32 tenants, 8 facilitators, 64 faults, 100000 arrivals and an hour: cut the log"
    ))]
    NoScenario(Box<InvalidScenario>),
}

/// Their places are in a file that nobody has.
fn reasons(invalid: &InvalidScenario) -> String {
    invalid.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The scenario's text, which is valid. `say` is told of what was left out.
pub fn scenario(log: &Path, name: &Name, seed: u64, say: &dyn Fn(&str)) -> Result<String, IncidentError> {
    let unreadable = |source| IncidentError::Read { path: log.to_owned(), source };
    if std::fs::metadata(log).map_err(unreadable)?.len() > MAX_LOG_BYTES {
        return Err(IncidentError::TooLarge { path: log.to_owned() });
    }
    let text = std::fs::read_to_string(log).map_err(unreadable)?;
    let read = lines::read(&text).map_err(|source| IncidentError::Line { path: log.to_owned(), source })?;
    if let [first, ..] = read.no_json[..] {
        say(&format!("left out what is no JSON: {} lines, the first is line {first}", read.no_json.len()));
    }
    let incident = Incident::of(&read.logged).ok_or_else(|| IncidentError::Nothing(log.to_owned()))?;
    let text = file::render(&incident, name.as_str(), seed);
    match Scenario::parse(&format!("{name}.toml"), &text) {
        Ok(_) => Ok(text),
        Err(invalid) => Err(IncidentError::NoScenario(Box::new(invalid))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{run::Asked, sim, tier::Tier};
    use reports::event::{Event, Recorded};

    fn outage() -> Vec<Recorded> {
        let text = include_str!("../../../scenarios/outage.toml");
        let scenario = Scenario::parse("outage.toml", text).expect("the shipped scenario is valid");
        sim::simulate(Asked { scenario: &scenario, as_: "outage", tier: Tier::Sim, seed: 42 }).expect("it runs")
    }

    /// As a platform exports it.
    fn log(history: &[Recorded]) -> String {
        let wrapped = |recorded: &Recorded| {
            let (log, mut line) = match &recorded.event {
                Event::DispatcherRequest(line) => ("request", serde_json::to_value(line).expect("plain data")),
                Event::DispatcherPayment(line) => ("payment", serde_json::to_value(line).expect("plain data")),
                _ => return None,
            };
            line["log"] = log.into();
            Some(format!("{}\n", serde_json::json!({"timestamp": recorded.at_us / 1_000, "message": line})))
        };
        history.iter().filter_map(wrapped).collect()
    }

    #[test]
    fn an_outages_log_becomes_an_outage() {
        let folder = std::env::temp_dir().join(format!("402claw-incident-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let path = folder.join("log.jsonl");
        std::fs::write(&path, log(&outage())).expect("a temporary file");
        let name = Name::new("monday").expect("a name");
        let text = scenario(&path, &name, 1, &|_| {}).map_err(miette::Report::new).expect("it makes one");
        let made = Scenario::parse("monday.toml", &text).expect("valid");
        let names: Vec<_> = made.world().facilitators().iter().map(Name::as_str).collect();
        assert_eq!(names, ["primary", "standby"]);
        assert_eq!(made.world().tenants().len(), 2);
        let injected: Vec<_> = made.faults().iter().map(|fault| (fault.on().as_str(), fault.inject().name())).collect();
        assert!(injected.contains(&("primary", "settle-then-hang")), "{text}");
        assert!(injected.contains(&("primary", "reset")), "{text}");
        let arrivals: u64 = made.traffic().iter().map(|block| block.arrivals()).sum();
        assert!((340..=420).contains(&arrivals), "380 came, and {arrivals} are made of them");
        std::fs::remove_dir_all(folder).expect("it is ours");
    }

    fn made_of(test: &str, lines: impl Iterator<Item = String>) -> Scenario {
        let path = std::env::temp_dir().join(format!("402claw-incident-{test}-{}.jsonl", std::process::id()));
        std::fs::write(&path, lines.collect::<String>()).expect("a temporary file");
        let name = Name::new("monday").expect("a name");
        let text = scenario(&path, &name, 1, &|_| {}).map_err(miette::Report::new).expect("it makes one");
        std::fs::remove_file(path).expect("it is ours");
        Scenario::parse("monday.toml", &text).map_err(miette::Report::new).expect("valid")
    }

    fn request(at_ms: u64, payment: &str, attempts: &str) -> String {
        let line = format!(
            r#"{{"log":"request","request_id":"r","tenant_id":"acme","route":"GET /","status":402,"code":"payment_required","payment":{payment},"transaction":null,"attempts":[{attempts}],"ms":3}}"#
        );
        format!("{{\"timestamp\":{at_ms},\"message\":{line}}}\n")
    }

    #[test]
    fn a_flood_of_those_who_only_ask_is_a_scenario_too() {
        let made = made_of("flood", (0..200).map(|n| request(n * 50, "null", "")).chain(["cut off {\n".to_owned()]));
        assert_eq!(made.world().facilitators().len(), 1, "nobody was asked, and a world has one");
        assert_eq!(made.traffic().iter().map(|block| block.arrivals()).sum::<u64>(), 200);
    }

    #[test]
    fn an_incident_of_most_of_an_hour_with_many_failures_is_a_scenario() {
        let failed = r#"{"facilitator":"primary","call":"settle","result":"http_503","ms":1}"#;
        let lines = (0..300).map(|n| request(n * 11_000, &format!("\"p{n}\""), failed));
        let made = made_of("hour", lines);
        assert_eq!(made.traffic().iter().map(|block| block.arrivals()).sum::<u64>(), 300);
        assert!(!made.faults().is_empty());
    }
}
