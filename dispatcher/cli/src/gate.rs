//! A release gate's record, `gate.json`: whether it passed, and whether it was about the very files that would go out.

use crate::{cloudflare::Module, failure::Failure};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

/// The version of the record that is read here.
const SCHEMA: u64 = 1;

/// Fails unless the record is a whole pass over each of these files that it lists, and lists the code among them.
pub fn passed(path: &Path, modules: &[Module]) -> Result<(), Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::file("reading", path, &error))?;
    let record: Value =
        serde_json::from_slice(&bytes).map_err(|error| Failure::invalid(format!("{}: {error}", path.display())))?;
    judge(&record, modules).map_err(|why| Failure::invalid(format!("{}: {why}", path.display())))
}

fn judge(record: &Value, modules: &[Module]) -> Result<(), String> {
    if record["schema"] != SCHEMA {
        return Err(format!("it is of version {}, and version {SCHEMA} is read", record["schema"]));
    }
    if record["verdict"] != "pass" || record["partial"] != false {
        return Err(format!("the verdict is {}, and not \"pass\" over everything", record["verdict"]));
    }
    let files = record["bundle"].as_array().map_or(&[][..], Vec::as_slice);
    let judged = |name: &str| files.iter().find(|file| file["path"] == name);
    for module in modules {
        let is_code = [".js", ".mjs", ".wasm"].iter().any(|end| module.name.ends_with(end));
        match judged(&module.name) {
            Some(file) if file["sha256"] != sha256(&module.content) => {
                return Err(format!("{} is not the file that the gate ran", module.name));
            }
            Some(_) => {}
            None if is_code => return Err(format!("{} is none of the files that the gate ran", module.name)),
            None => {}
        }
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_gate_is_a_whole_pass_over_these_files() {
        let modules = [Module { name: "index.js".to_owned(), content: b"abc".to_vec() }];
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let record =
            json!({"schema": 1, "verdict": "pass", "partial": false, "bundle": [{"path": "index.js", "sha256": sum}]});
        assert_eq!(judge(&record, &modules), Ok(()));
        for (key, wrong) in [
            ("schema", json!(2)),
            ("verdict", json!("fail")),
            ("partial", json!(true)),
            ("bundle", json!([])),
            ("bundle", json!([{"path": "index.js", "sha256": "00"}])),
        ] {
            let mut record = record.clone();
            record[key] = wrong;
            assert!(judge(&record, &modules).is_err(), "{key}");
        }
    }
}
