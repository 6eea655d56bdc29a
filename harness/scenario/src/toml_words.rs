//! What the TOML reader says, in the words of the language: it speaks of Rust's types, and of fields and variants, which
//! nobody who writes a scenario has heard of.

use doubles::Inject;
use grammar::{Problem, nearest};
use judge::Checker;

/// The reader says all in one line, alternatives included: "unknown field `a`, expected one of `b`, `c`".
pub fn problem(error: &toml::de::Error) -> Problem {
    let said = error.message();
    let (what, expected) = said.split_once(", expected ").unwrap_or((said, ""));
    let quoted = |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let named = quoted(what).first().cloned().unwrap_or_default();
    let one_name = what == "wanted string or table" || what.starts_with("wanted exactly 1 element");
    let message = match what {
        _ if one_name => "one name stands here".to_owned(),
        _ => what
            .replace("unknown field", "unknown key")
            .replace("unknown variant", "unknown name")
            .replace("missing field", "missing key"),
    };
    let problem = Problem::new(error.span().unwrap_or(0..0), message, "here");
    if what.starts_with("missing field") {
        return problem.help(format!("add {}", example_of(&named)));
    }
    if one_name {
        return problem.help("a name in quotes, or where it has values a table with one key; see scenarios/README.md");
    }
    match (what, expected) {
        ("duplicate key", _) => return problem.help("take one of the two out"),
        ("invalid type: map", "a sequence") => return problem.help("one of a list has double brackets: `[[..]]`"),
        _ => {}
    }
    if let ("a string", false) = (expected, named.is_empty()) {
        let unit = if named.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("; a time has a unit: `\"{named}s\"`")
        } else {
            String::new()
        };
        return problem.help(format!("write `\"{named}\"`, in quotes{unit}"));
    }
    if expected.is_empty() {
        return problem;
    }
    let alternatives = quoted(expected);
    let alternatives: Vec<&str> = alternatives.iter().map(String::as_str).collect();
    match nearest(&named, &alternatives) {
        Some(near) => problem.help(format!("did you mean `{near}`? Expected {expected}")),
        None => problem.help(format!("expected {}", in_words(expected))),
    }
}

fn in_words(expected: &str) -> String {
    let variant = expected.strip_prefix("struct variant ").and_then(|path| path.rsplit_once("::"));
    // The parameters of a fault or a checker are a type of their own, called as it is.
    let mut listed = Inject::CATALOGUE.iter().chain(&Checker::CATALOGUE);
    let mut is_listed = |name: &str| listed.any(|listed| listed.name == kebab(name));
    let parameters =
        expected.strip_prefix("struct Raw").filter(|name| name.split(' ').next().is_some_and(&mut is_listed));
    if let Some(variant) = variant.map(|(_, variant)| variant).or(parameters) {
        // "Recovers with 2 elements", where a list stands in its place.
        let name = kebab(variant.split(' ').next().unwrap_or_default());
        let listed = Inject::CATALOGUE.iter().chain(&Checker::CATALOGUE).find(|listed| listed.name == name);
        let example = listed.map_or("{ .. }", |listed| listed.example);
        return format!("a table: `{name} = {example}`");
    }
    match expected {
        "a string" => "text in quotes".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not below 0".to_owned(),
        "a nonzero u32" => "a whole number above 0; what has no share is left out".to_owned(),
        "f64" => "a number".to_owned(),
        "a sequence" => "a list: `[.., ..]`".to_owned(),
        "a map" => "a table: `{ .. }`".to_owned(),
        other if ["struct NoParameters", "struct NoneGiven"].iter().any(|none| other.starts_with(none)) => {
            "a table without keys: `{}`".to_owned()
        }
        other if other.starts_with("struct ") => "a table: `{ .. }`".to_owned(),
        other => other.to_owned(),
    }
}

fn kebab(variant: &str) -> String {
    let dashed = variant.char_indices().map(|(at, letter)| {
        let dash = if at > 0 && letter.is_uppercase() { "-" } else { "" };
        format!("{dash}{}", letter.to_ascii_lowercase())
    });
    dashed.collect()
}

/// A value of the key, as a scenario could have it.
fn example_of(key: &str) -> String {
    let value = match key {
        "id" => "a name: `id = \"my-scenario\"`, or of a rule: `id = \"MONEY-1\"`",
        "title" => "`title = \"One line that says what happens\"`",
        "name" => "`name = \"steady\"`",
        "world" => "a table: `[world]`, with facilitators and tenants",
        "facilitators" => "`facilitators = [\"primary\", \"standby\"]`",
        "facilitator" => "`facilitator = \"primary\"`",
        "tenant" => "at least one: `[[world.tenant]]`",
        "plan" => "`plan = \"pro\"`",
        "from" => "`from = \"5s\"`",
        "to" => "`to = \"12s\"`",
        "mix" => "`mix = { paid = 8, unpaid = 2 }`; see `harness list --clients`",
        "on" => "`on = \"primary\"`: the facilitator that fails",
        "call" => "`call = \"settle\"`: verify, settle or any",
        "inject" => "`inject.hang = {}`, or another fault; see `harness list --faults`",
        "hold" => "`hold.settle-at-most-once = {}`, or another checker; see `harness list --checkers`",
        "when" => "`when.at = \"3s\"`; see scenarios/README.md for other moments",
        "reaches" => "`reaches = \"settling\"`",
        "phase" | "after" => return format!("the name of a phase: `{key} = \"outage\"`"),
        "at-most" | "quantile" => return format!("`{key}`, as `harness list --checkers` shows it"),
        "times" => "`times = 3`",
        "scenario" => "`scenario = \"outage\"`",
        "rule" => "the id of one of the scenario's musts: `rule = \"MONEY-1\"`",
        "owner" => "`owner = \"ada\"`: who mends it",
        "until" => "the last day, without quotes: `until = 2026-12-31`",
        "why" => "`why = \"what stands in the way\"`",
        "within" | "grace" | "by" | "every" => return format!("a time: `{key} = \"5s\"`"),
        other => return format!("`{other} = ..`; see scenarios/README.md"),
    };
    value.to_owned()
}
