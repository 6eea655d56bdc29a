//! On whose word something goes out: a release gate's record, `gate.json`, or a person's reason.
//!
//! Surprising constraint: two look at a record. Here it is held against the very bytes that would be uploaded. Whether it is whole,
//! unedited, young, and about this commit, the gate's own program says, which is asked as a program.

use crate::{args::GateArgs, cloudflare::Module, exit::Exit, failure::Failure, output::lines, program};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{fs, path::Path, process::Command};

/// The version of the record that is read here.
const SCHEMA: u64 = 1;
/// The program that made the record.
const PROGRAM: &str = "harness";
/// Names another program in its place.
const VARIABLE: &str = "CLAW_GATE";

pub struct Record(Value);

/// The word on which it goes out, for the record. `judged` holds the gate's record against what would be uploaded.
pub fn word(args: &GateArgs, judged: impl FnOnce(&Record) -> Result<(), String>) -> Result<String, Failure> {
    if let Some(reason) = &args.without_gate {
        if reason.trim().is_empty() {
            return Err(Failure::new(Exit::Usage, "--without-gate wants a reason"));
        }
        return Ok(format!("without a gate: {reason}"));
    }
    let Some(path) = &args.gate else {
        let help = "--gate gate.json, or --without-gate REASON, which is recorded";
        return Err(Failure::new(Exit::Usage, "nothing says that this passed the release gate").help(help));
    };
    let record = Record::read(path)?;
    let failed = |why| Failure::invalid(format!("{}: {why}", path.display()));
    record.is_pass().and_then(|()| judged(&record)).map_err(failed)?;
    vouched(path, &args.bundle)?;
    Ok(format!("gate {}", record.0["run"].as_str().unwrap_or_default()))
}

impl Record {
    fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(path).map_err(|error| Failure::file("reading", path, &error))?;
        let record = serde_json::from_slice(&bytes);
        record.map(Self).map_err(|error| Failure::invalid(format!("{}: {error}", path.display())))
    }

    fn is_pass(&self) -> Result<(), String> {
        let Self(record) = self;
        if record["schema"] != SCHEMA {
            return Err(format!("it is of version {}, and version {SCHEMA} is read", record["schema"]));
        }
        if record["verdict"] != "pass" || record["partial"] != false {
            return Err(format!("the verdict is {}, and not \"pass\" over everything", record["verdict"]));
        }
        Ok(())
    }

    /// Fails unless the gate ran every module of code as it is here, in the dispatcher's bundle or in that of another Worker.
    pub fn judged(&self, worker: Option<&str>, modules: &[Module]) -> Result<(), String> {
        let files = worker.map_or(&self.0["bundle"], |worker| &self.0["beside"][worker]);
        for module in modules {
            let is_code = [".js", ".mjs", ".wasm"].iter().any(|end| module.name.ends_with(end));
            self.is_file(files, &module.name, &module.content, is_code)?;
        }
        Ok(())
    }

    /// Fails unless the gate was run on this configuration.
    pub fn configured(&self, name: &str, content: &[u8]) -> Result<(), String> {
        self.is_file(&self.0["config"], name, content, true)
    }

    fn is_file(&self, files: &Value, name: &str, content: &[u8], is_needed: bool) -> Result<(), String> {
        match files.as_array().into_iter().flatten().find(|file| file["path"] == name) {
            Some(file) if file["sha256"] != sha256(content) => Err(format!("{name} is not the file that the gate ran")),
            None if is_needed => Err(format!("{name} is none of the files that the gate ran")),
            Some(_) | None => Ok(()),
        }
    }
}

/// Asks the gate's own program about the record.
fn vouched(path: &Path, bundle: &Path) -> Result<(), Failure> {
    let help = "in a checkout: cargo build -p harness; --without-gate REASON goes without it";
    let program = program::find(PROGRAM, VARIABLE, help)?;
    let asked = Command::new(&program).args(["gate", "--verify"]).arg(path).arg(bundle).output();
    let asked = asked.map_err(|error| {
        Failure::new(Exit::Failed, format!("{} cannot be started: {error}", program.display())).help(help)
    })?;
    if asked.status.success() {
        return Ok(());
    }
    let told = if asked.stdout.is_empty() { &asked.stderr } else { &asked.stdout };
    let told = lines(String::from_utf8_lossy(told).trim());
    Err(Failure::invalid(format!("{}: {told}", path.display())).help("run the gate again on what is to be deployed"))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_gate_is_a_whole_pass_over_these_files() {
        let modules = [Module { name: "index.js".to_owned(), content: b"abc".to_vec() }];
        let record =
            json!({"schema": 1, "verdict": "pass", "partial": false, "bundle": [{"path": "index.js", "sha256": SUM}]});
        let judge = |record: &Value| {
            let record = Record(record.clone());
            record.is_pass().and_then(|()| record.judged(None, &modules))
        };
        assert_eq!(judge(&record), Ok(()));
        for (key, wrong) in [
            ("schema", json!(2)),
            ("verdict", json!("fail")),
            ("partial", json!(true)),
            ("bundle", json!([])),
            ("bundle", json!([{"path": "index.js", "sha256": "00"}])),
        ] {
            let mut record = record.clone();
            record[key] = wrong;
            assert!(judge(&record).is_err(), "{key}");
        }
    }

    #[test]
    fn another_workers_files_are_its_own() {
        let modules = [Module { name: "index.js".to_owned(), content: b"abc".to_vec() }];
        let record = Record(json!({"bundle": [{"path": "index.js", "sha256": SUM}]}));
        assert!(record.judged(Some("outbound"), &modules).is_err());
        let record = Record(json!({"beside": {"outbound": [{"path": "index.js", "sha256": SUM}]}}));
        assert!(record.judged(Some("outbound"), &modules).is_ok());
        assert!(record.configured("wrangler.jsonc", b"abc").is_err());
    }
}
