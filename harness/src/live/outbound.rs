//! The platform's outbound Worker in a run of the live tier, and what it and the outside behind it have logged by the end.

use crate::world::{
    deaths::Watch,
    workerd::{OutboundWorker, Workerd, WorkerdError, WorkerdOptions},
};
use facts::internet::PLATFORM_HOSTS;
use journal::Journal;
use namespace::Policy;
use reports::event::Event;
use serde::Deserialize;
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};
use system::guard::Guard;

pub struct Outbound {
    workerd: Workerd,
    log: PathBuf,
}

/// A request as the double of the outside records it.
#[derive(Deserialize)]
struct Reached {
    url: String,
    script: Option<String>,
}

impl Outbound {
    pub async fn start(run_dir: &Path, workerd: &Path, index_js: &Path, watch: &Watch) -> Result<Self, WorkerdError> {
        let dir = run_dir.join("outbound");
        let worker = OutboundWorker {
            index_js: index_js.to_owned(),
            platform_hosts: PLATFORM_HOSTS.map(str::to_owned).to_vec(),
        };
        let options = WorkerdOptions {
            guard: Guard::this_program(),
            workerd: workerd.to_owned(),
            dir: dir.clone(),
            v8_flags: Vec::new(),
            // In the name of no tenant, and so refused.
            ready_path: "http://ready.example/".to_owned(),
        };
        let workerd = Workerd::start(&worker, &options).await?;
        workerd.watched("the outbound Worker's workerd", watch);
        Ok(Self { workerd, log: dir.join("workerd.log") })
    }

    pub fn policy(&self) -> Policy {
        Policy::Forward(SocketAddr::from((Ipv4Addr::LOCALHOST, self.workerd.port)))
    }

    /// Stops it, and puts what it logged into the run's history.
    pub async fn stop(self, journal: &Journal) -> Result<(), WorkerdError> {
        self.workerd.stop().await?;
        let read = std::fs::read(&self.log).map_err(|source| WorkerdError::Read { path: self.log, source })?;
        String::from_utf8_lossy(&read).lines().filter_map(event).for_each(|event| journal.record(event));
        Ok(())
    }
}

fn event(line: &str) -> Option<Event> {
    let value: Value = serde_json::from_str(&line[line.find("{\"")?..]).ok()?;
    match value["log"].as_str()? {
        "egress" => serde_json::from_value(value).map(Event::EgressDecided).ok(),
        "outside" => {
            let reached = serde_json::from_value(value).ok();
            reached.map(|Reached { url, script }| Event::OutsideReached { url, script })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_workers_lines_are_read_and_no_others() {
        let egress = r#"{"log":"egress","tenant_id":"acme","method":"GET","refused":"port"}"#;
        assert!(matches!(event(egress), Some(Event::EgressDecided(line)) if line.refused.as_deref() == Some("port")));
        let outside = r#"{"log":"outside","url":"https://a.example/","script":"acme"}"#;
        assert!(matches!(event(outside), Some(Event::OutsideReached { script: Some(script), .. }) if script == "acme"));
        assert_eq!(event("workerd/io/worker.c++: info: {\"x\":1}"), None);
    }
}
