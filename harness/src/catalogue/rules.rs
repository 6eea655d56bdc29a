//! `harness rules`: what a run is held to, what each rule rests on, and what usually breaks it.

use judge::{RULES, Rule};
use miette::Diagnostic;
use scenario::{Checker, nearest};
use serde_json::{Value, json};
use std::fmt::Write;
use thiserror::Error;

#[derive(Debug, Error, Diagnostic)]
#[error("there is no rule `{wanted}`")]
pub struct UnknownRule {
    wanted: String,
    #[help]
    help: String,
}

/// Every rule, or those that are called so, by id or by checker.
pub fn of(wanted: Option<&str>) -> Result<Vec<&'static Rule>, UnknownRule> {
    let is_wanted = |rule: &Rule| {
        let called = |name: &str| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(name));
        called(rule.id) || called(rule.checker)
    };
    let found: Vec<&Rule> = RULES.iter().copied().filter(|rule| is_wanted(rule)).collect();
    match wanted {
        Some(wanted) if found.is_empty() => Err(unknown(wanted)),
        _ => Ok(found),
    }
}

/// In words.
#[must_use]
pub fn render(rules: &[&Rule]) -> String {
    rules.iter().map(|rule| tell(rule)).collect::<Vec<_>>().join("\n")
}

/// For programs.
#[must_use]
pub fn as_json(rules: &[&Rule]) -> Value {
    let told = |rule: &&Rule| {
        let sources: Vec<String> = rule.sources.iter().map(ToString::to_string).collect();
        json!({
            "id": rule.id, "checker": rule.checker, "level": rule.level, "says": says(rule), "sources": sources,
            "hint": { "cause": rule.hint.cause, "look_at": rule.hint.look_at },
        })
    };
    rules.iter().map(told).collect()
}

fn unknown(wanted: &str) -> UnknownRule {
    let all = RULES.iter().map(|rule| rule.id).enumerate();
    let first = |(n, id): &(usize, &str)| RULES[..*n].iter().all(|earlier| earlier.id != *id);
    let ids: Vec<&str> = all.filter(first).map(|(_, id)| id).collect();
    let names: Vec<&str> = ids.iter().copied().chain(RULES.iter().map(|rule| rule.checker)).collect();
    let near = nearest(&wanted.to_uppercase(), &names).or_else(|| nearest(wanted, &names));
    let meant = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let help = format!("{meant}There is: {}; or the name of a checker", ids.join(", "));
    UnknownRule { wanted: wanted.to_owned(), help }
}

fn says(rule: &Rule) -> &'static str {
    let listed = Checker::CATALOGUE.iter().find(|listed| listed.name == rule.checker);
    listed.and_then(|listed| listed.says.split_once(": ")).map_or("", |(_, says)| says)
}

fn tell(rule: &Rule) -> String {
    let says = says(rule);
    let (id, level) = (rule.id, rule.level.as_str());
    let mut text = format!("{id}  {}  ({level})\n  {says}\n", rule.checker);
    for source in rule.sources {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  source  {source}");
    }
    let _ = writeln!(text, "  hint    {}\n          look first at {}", rule.hint.cause, rule.hint.look_at);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_told_with_what_it_rests_on() {
        insta::assert_snapshot!(render(&of(None).expect("none was asked for by name")));
    }

    #[test]
    fn a_rule_is_found_by_id_and_by_checker_whatever_the_case() {
        let render = |wanted| of(Some(wanted)).map(|rules| render(&rules));
        let by_id = render("money-5").expect("there are two");
        assert!(by_id.contains("settle-stays-put-while-unknown") && by_id.contains("tenants-own-facilitators"));
        assert!(render("books-balance").expect("it is there").starts_with("MONEY-8  books-balance  (must)\n"));
    }

    #[test]
    fn a_mistyped_rule_is_answered_with_the_nearest() {
        let help = |wanted| of(Some(wanted)).expect_err("it is mistyped").help;
        assert!(help("MONEY1").starts_with("did you mean `MONEY-1`? "), "{}", help("MONEY1"));
        assert!(help("book-balance").starts_with("did you mean `books-balance`? "), "{}", help("book-balance"));
        assert!(help("zzz").starts_with("There is: MONEY-1, "), "{}", help("zzz"));
        assert_eq!(help("zzz").matches("MONEY-5").count(), 1, "{}", help("zzz"));
    }
}
