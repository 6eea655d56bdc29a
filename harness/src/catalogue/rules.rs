//! `harness rules`: what a run is held to, what each rule rests on, and what usually breaks it.

use judge::{RULES, Rule};
use miette::Diagnostic;
use scenario::{Checker, nearest};
use std::fmt::Write;
use thiserror::Error;

#[derive(Debug, Error, Diagnostic)]
#[error("there is no rule `{wanted}`")]
pub struct UnknownRule {
    wanted: String,
    #[help]
    help: String,
}

/// The text to print: of every rule, or of those that are called so, by id or by checker.
pub fn render(wanted: Option<&str>) -> Result<String, UnknownRule> {
    let is_wanted = |rule: &Rule| {
        let called = |name: &str| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(name));
        called(rule.id) || called(rule.checker)
    };
    let told: Vec<_> = RULES.iter().filter(|rule| is_wanted(rule)).map(|rule| tell(rule)).collect();
    match wanted {
        Some(wanted) if told.is_empty() => Err(unknown(wanted)),
        _ => Ok(told.join("\n")),
    }
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

fn tell(rule: &Rule) -> String {
    let listed = Checker::CATALOGUE.iter().find(|listed| listed.name == rule.checker);
    let says = listed.and_then(|listed| listed.says.split_once(": ")).map_or("", |(_, says)| says);
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
        insta::assert_snapshot!(render(None).expect("none was asked for by name"));
    }

    #[test]
    fn a_rule_is_found_by_id_and_by_checker_whatever_the_case() {
        let by_id = render(Some("money-5")).expect("there are two");
        assert!(by_id.contains("settle-stays-put-while-unknown") && by_id.contains("tenants-own-facilitators"));
        assert!(render(Some("books-balance")).expect("it is there").starts_with("MONEY-8  books-balance  (must)\n"));
    }

    #[test]
    fn a_mistyped_rule_is_answered_with_the_nearest() {
        let help = |wanted| render(Some(wanted)).expect_err("it is mistyped").help;
        assert!(help("MONEY1").starts_with("did you mean `MONEY-1`? "), "{}", help("MONEY1"));
        assert!(help("book-balance").starts_with("did you mean `books-balance`? "), "{}", help("book-balance"));
        assert!(help("zzz").starts_with("There is: MONEY-1, "), "{}", help("zzz"));
        assert_eq!(help("zzz").matches("MONEY-5").count(), 1, "{}", help("zzz"));
    }
}
