//! Turns the dispatcher's log of an incident into a scenario: the same tenants and facilitators, traffic of the same shape,
//! and facilitators that fail alike at the same times. What a log cannot tell, the file says.

mod file;
mod foreign;
mod lines;
mod names;
mod shape;

pub use lines::BadLine;

use file::LONGEST_S;
use foreign::Foreign;
use lines::MAX_LOG_BYTES;
use scenario::{InvalidScenario, Name, Scenario};
use shape::Incident;
use std::{
    io,
    path::{Path, PathBuf},
};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum IncidentError {
    #[error("{path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is {what}")]
    #[diagnostic(help("{mend}"))]
    Foreign { path: PathBuf, what: &'static str, mend: &'static str },
    #[error("{path} has over {MAX_LOG_BYTES} bytes")]
    #[diagnostic(help("cut the log to the minutes of the incident"))]
    TooLarge { path: PathBuf },
    #[error("{path} cannot be understood")]
    #[diagnostic(help(
        "what is read is JSON, in lines or printed over many: `wrangler tail --format json`, an export of Workers Logs, or {{\"timestamp\": ms, \"message\": line}}"
    ))]
    Line { path: PathBuf, source: BadLine },
    #[error("{0} has no request line of the dispatcher")]
    #[diagnostic(help("its lines are JSON and begin with {{\"log\":\"request\"}}"))]
    Nothing(PathBuf),
    #[error("{path} has requests of {seconds} s, and there is room for {LONGEST_S} s in a scenario")]
    #[diagnostic(help("cut the log to the minutes of the incident"))]
    TooLong { path: PathBuf, seconds: u64 },
    #[error("what was logged makes no scenario: {}", reasons(.0))]
    #[diagnostic(help(
        "a scenario has at most 32 tenants, 8 facilitators, 64 faults and 100000 arrivals: cut the log"
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
    // A log may be cut anywhere, also inside a character.
    let bytes = std::fs::read(log).map_err(unreadable)?;
    let foreign = |Foreign { what, mend }| IncidentError::Foreign { path: log.to_owned(), what, mend };
    if let Some(form) = Foreign::by_its_bytes(&bytes) {
        return Err(foreign(form));
    }
    let text = String::from_utf8_lossy(&bytes);
    let read = lines::read(&text).map_err(|source| IncidentError::Line { path: log.to_owned(), source })?;
    if let [first, ..] = read.no_json[..] {
        say(&format!("left out what is no JSON: {} lines, the first is line {first}", read.no_json.len()));
    }
    let nothing = || Foreign::by_its_text(&text).map_or_else(|| IncidentError::Nothing(log.to_owned()), foreign);
    let incident = Incident::of(&read.logged).ok_or_else(nothing)?;
    if incident.seconds > LONGEST_S {
        return Err(IncidentError::TooLong { path: log.to_owned(), seconds: incident.seconds });
    }
    let text = file::render(&incident, name.as_str(), seed);
    match Scenario::parse(&format!("{name}.toml"), &text) {
        Ok(_) => Ok(text),
        Err(invalid) => Err(IncidentError::NoScenario(Box::new(invalid))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{play::RunSpec, sim};
    use reports::event::{Event, Recorded};
    use scenario::{Profile, Tier, limits::MAX_RUN};

    fn outage() -> Vec<Recorded> {
        let text = include_str!("../../../scenarios/outage.toml");
        let scenario = Scenario::parse("outage.toml", text).expect("the shipped scenario is valid");
        sim::simulate(RunSpec { scenario: &scenario, as_: "outage", tier: Tier::Sim, seed: 42 }).expect("it runs")
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

    fn written(test: &str, log: &[u8]) -> Result<String, IncidentError> {
        let path = std::env::temp_dir().join(format!("402claw-incident-{test}-{}.jsonl", std::process::id()));
        std::fs::write(&path, log).expect("a temporary file");
        let text = scenario(&path, &Name::new("monday").expect("a name"), 1, &|_| {});
        std::fs::remove_file(path).expect("it is ours");
        text
    }

    fn made_of(test: &str, lines: impl Iterator<Item = String>) -> Scenario {
        let log = lines.collect::<String>();
        let text = written(test, log.as_bytes()).map_err(miette::Report::new).expect("it makes one");
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

    #[test]
    fn ids_that_are_no_names_get_some_and_the_file_says_whose() {
        let failed = |of: &str| format!(r#"{{"facilitator":"{of}","call":"settle","result":"http_503","ms":1}}"#);
        let line = |n: u64, tenant: &str, facilitator: &str| {
            request(n * 50, &format!("\"p{n}\""), &failed(facilitator)).replace("acme", tenant)
        };
        let asked = [("acme_shop", "x402.org"), ("acme-shop", "CDP"), ("Acme.Shop", "x402-org"), ("__", "x402.org")];
        let log: String = (0..200).zip(asked.iter().cycle()).map(|(n, &(tenant, of))| line(n, tenant, of)).collect();
        let text = written("ids", log.as_bytes()).map_err(miette::Report::new).expect("it makes one");
        let made = Scenario::parse("monday.toml", &text).map_err(miette::Report::new).expect("valid");
        let facilitators: Vec<_> = made.world().facilitators().iter().map(Name::as_str).collect();
        assert_eq!(facilitators, ["x402-org-2", "cdp", "x402-org"]);
        let tenants: Vec<_> = made.world().tenants().iter().map(|tenant| tenant.id().as_str()).collect();
        assert_eq!(tenants, ["acme-shop", "acme-shop-2", "acme-shop-3", "tenant-1"]);
        assert!(made.faults().iter().any(|fault| fault.on().as_str() == "x402-org-2"), "{text}");
        assert!(text.contains("# The facilitator `x402-org-2` is \"x402.org\" in the log.\n"), "{text}");
        assert!(text.contains("# The tenant `tenant-1` is \"__\" in the log.\n"), "{text}");
        assert!(!text.contains("`acme-shop` is"), "it is called so in the log: {text}");
    }

    #[test]
    fn an_incident_lasts_no_longer_than_a_scenario_has_room_for() {
        let lasting = |ms: u64| (0..300).map(|n| request(n * 11_000, "null", "")).chain([request(ms, "null", "")]);
        let made = made_of("longest", lasting(LONGEST_S * 1_000 - 1));
        assert_eq!((made.end(), made.profile()), (MAX_RUN, Profile::Release));
        for ms in [LONGEST_S * 1_000, MAX_RUN.as_millis() as u64] {
            let error = written("too-long", lasting(ms).collect::<String>().as_bytes()).expect_err("there is no room");
            assert!(matches!(error, IncidentError::TooLong { seconds, .. } if seconds == ms / 1_000 + 1), "{error}");
        }
    }

    #[test]
    fn only_what_lasts_longer_than_a_night_has_time_for_waits_for_a_release() {
        let lasting = |seconds: u64| made_of("profile", (0..seconds).map(|n| request(n * 1_000, "null", "")));
        let made = [lasting(15), lasting(16)];
        assert_eq!(made.each_ref().map(Scenario::profile), [Profile::Nightly, Profile::Release]);
        assert_eq!(made[0].end(), Profile::LONGEST_NIGHTLY);
    }

    #[test]
    fn a_log_that_was_cut_inside_of_a_character_is_read() {
        let whole: String = (0..200).map(|n| request(n * 50, "null", "")).collect();
        let cut = [whole.as_bytes(), "{\"timestamp\":1,\"message\":\"caf".as_bytes(), &"é".as_bytes()[..1]].concat();
        let text = written("cut", &cut).map_err(miette::Report::new).expect("it makes one");
        let whole = written("whole", whole.as_bytes()).map_err(miette::Report::new).expect("it makes one");
        assert_eq!(text, whole);
    }
}
