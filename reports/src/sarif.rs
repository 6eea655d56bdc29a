//! SARIF 2.1.0, for a code host's list of findings. A finding points at the line of the scenario that asks for the rule: what
//! broke in the dispatcher is for a person to find, and the hint stands beside as a related place.
//!
//! Surprising constraint: ids and fingerprints must stay as they are from run to run, or each run's findings look new.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha3::{Digest, Keccak256};

use crate::{
    level::Level,
    report::{Check, KnownStanding, Report},
    terminal::plain,
    verdict::Verdict,
};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// How many events of a witness a finding's message has.
const MAX_WITNESSES: usize = 8;

#[must_use]
pub fn render(reports: &[&Report]) -> Value {
    // A rule that several runs judge is listed once.
    let judged = reports.iter().flat_map(|report| &report.checks);
    let rules: BTreeMap<String, &Check> = judged.map(|check| (rule_id(check), check)).collect();
    let index = |id: &str| rules.keys().position(|known| known == id);
    let results: Vec<Value> = reports
        .iter()
        .flat_map(|report| {
            report.checks.iter().filter(|check| check.verdict != Verdict::Pass).map(|check| (*report, check))
        })
        .map(|(report, check)| result(report, check, index(&rule_id(check))))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "harness",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|(id, check)| rule(id, check)).collect::<Vec<_>>(),
            }},
            "automationDetails": { "id": "harness/" },
            "columnKind": "unicodeCodePoints",
            "invocations": reports.iter().map(|report| invocation(report)).collect::<Vec<_>>(),
            "results": results,
        }],
    })
}

/// The rule's id with the judge's own name, since several judges may share a rule.
fn rule_id(check: &Check) -> String {
    format!("{}/{}", check.rule(), check.name)
}

fn rule(id: &str, check: &Check) -> Value {
    json!({
        "id": id,
        "name": check.name,
        "shortDescription": { "text": plain(&check.name.replace('-', " ")) },
        "help": { "text": help(check) },
        "defaultConfiguration": { "level": severity(check.level) },
        "properties": {
            "class": check.class.as_str(),
            "sources": check.sources.iter().map(|source| plain(source)).collect::<Vec<_>>(),
            "tags": [check.class.as_str()],
        },
    })
}

/// Never empty: a rule without a word of help is refused by those who read it.
fn help(check: &Check) -> String {
    let usually = (!check.hint.is_empty()).then(|| format!("Usually: {}", check.hint.cause));
    let lines: Vec<String> = check.sources.iter().cloned().chain(usually).map(|line| plain(&line)).collect();
    if lines.is_empty() { plain(&check.expected) } else { lines.join("\n") }
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Must => "error",
        Level::Should => "warning",
        Level::Observe => "note",
    }
}

fn result(report: &Report, check: &Check, rule_index: Option<usize>) -> Value {
    let (kind, level) = match check.verdict {
        Verdict::Fail => ("fail", severity(check.level)),
        // Of anything else than a fail the specification wants no level.
        Verdict::Unknown | Verdict::Pass => ("open", "none"),
    };
    let mut result = json!({
        "ruleId": rule_id(check),
        "ruleIndex": rule_index,
        "kind": kind,
        "level": level,
        "message": { "text": message(report, check) },
        "partialFingerprints": fingerprints(report, check),
        "locations": report.file.iter().map(|file| place(file, check.line, None)).collect::<Vec<_>>(),
        "relatedLocations": hinted(check),
        "properties": {
            "scenario": report.scenario,
            "tier": report.tier,
            "seed": report.seed,
            "level": check.level.as_str(),
            "class": check.class.as_str(),
            "expected": plain(&check.expected),
            "seen": plain(&check.detail),
            "replay": plain(&report.replay),
        },
    });
    if let Some(known) = check.known.as_ref().filter(|known| known.standing == KnownStanding::Listed) {
        let why = format!("known until {} ({}): {}", known.until, known.owner, known.why);
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": plain(&why) }]);
    }
    result
}

fn hinted(check: &Check) -> Vec<Value> {
    let place = place(&check.hint.look_at, None, Some(&check.hint.cause));
    if check.hint.is_empty() { Vec::new() } else { vec![place] }
}

fn message(report: &Report, check: &Check) -> String {
    let mut lines = vec![format!(
        "{} in scenario {}: {}. Expected: {}",
        check.id,
        report.scenario,
        plain(&check.detail),
        plain(&check.expected)
    )];
    if let Some(witness) = &check.witness {
        lines.push(plain(&witness.what));
        lines.extend(witness.events.iter().take(MAX_WITNESSES).map(|event| plain(&event.text)));
    }
    if !report.replay.is_empty() {
        lines.push(format!("Repeat: {}", plain(&report.replay)));
    }
    lines.join("\n")
}

/// The same for the same rule of the same scenario, whatever was seen and wherever it stands in the file.
fn fingerprints(report: &Report, check: &Check) -> Value {
    let what = format!("{}/{}/{}", report.scenario, check.id, check.name);
    let hash = Keccak256::digest(what.as_bytes());
    let hex: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    // The first is the one that GitHub goes by.
    json!({ "primaryLocationLineHash": format!("{hex}:1"), "scenarioRule/v1": what })
}

fn place(file: &str, line: Option<usize>, says: Option<&str>) -> Value {
    let path = match file.strip_prefix('/') {
        Some(_) => json!({ "uri": format!("file://{}", escaped(file)) }),
        None => json!({ "uri": escaped(file), "uriBaseId": "%SRCROOT%" }),
    };
    let mut place =
        json!({ "physicalLocation": { "artifactLocation": path, "region": { "startLine": line.unwrap_or(1) } } });
    if let Some(says) = says {
        place["message"] = json!({ "text": plain(says) });
    }
    place
}

/// A path as a URI has it.
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn invocation(report: &Report) -> Value {
    json!({
        "executionSuccessful": report.verdict != Verdict::Unknown,
        "exitCode": report.exit_code,
        "commandLine": plain(&report.replay),
        "properties": { "scenario": report.scenario, "verdict": report.verdict.as_str() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, passing};

    #[test]
    fn what_did_not_hold_is_a_finding_at_the_scenarios_line() {
        let mut sarif = render(&[&failing()]);
        sarif["runs"][0]["tool"]["driver"]["version"] = json!("(version)");
        insta::assert_snapshot!(serde_json::to_string_pretty(&sarif).expect("it is plain data"));
    }

    #[test]
    fn a_pass_has_its_rules_and_no_finding() {
        let sarif = render(&[&passing(), &passing()]);
        assert_eq!(sarif["runs"][0]["results"], json!([]));
        assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_finding_is_known_again_by_scenario_and_rule_and_by_nothing_else() {
        let fingerprint = |report: &Report, nth: usize| fingerprints(report, &report.checks[nth]);
        let first = failing();
        let mut again = failing();
        again.seed = 7;
        again.checks[0].detail = "9 payments moved money twice".to_owned();
        again.checks[0].line = Some(900);
        assert_eq!(fingerprint(&first, 0), fingerprint(&again, 0));
        assert_ne!(fingerprint(&first, 0), fingerprint(&first, 1));
        again.scenario = "other".to_owned();
        assert_ne!(fingerprint(&first, 0), fingerprint(&again, 0));
    }

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(escaped("a b/ü.toml"), "a%20b/%C3%BC.toml");
        assert_eq!(place("/x/y", None, None)["physicalLocation"]["artifactLocation"]["uri"], "file:///x/y");
    }
}
