//! `402claw lint-pricing`: others' fees change, so a claim about them stands with the day on which it was true.

use crate::{
    args::LintArgs,
    exit::Exit,
    failure::Failure,
    output::{Format, out},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Names whose fees are others' to change.
const OTHERS: [&str; 14] = [
    "stripe",
    "coinbase",
    "cdp",
    "paypal",
    "rapidapi",
    "thirdweb",
    "payai",
    "nevermined",
    "skyfire",
    "aws",
    "visa",
    "mastercard",
    "apify",
    "zuplo",
];
const READ: [&str; 5] = ["md", "txt", "html", "mdx", "rst"];

/// A claim that has no date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub line: usize,
    pub column: usize,
    pub name: &'static str,
    pub text: String,
}

pub fn lint_pricing(args: &LintArgs, format: Format) -> Result<Exit, Failure> {
    let mut files = Vec::new();
    for path in &args.paths {
        gather(path, &mut files, true)?;
    }
    if files.is_empty() {
        return Err(Failure::new(Exit::Usage, "there is nothing to read there")
            .help(format!("files end in .{}", READ.join(", ."))));
    }
    let mut found = Vec::new();
    for file in &files {
        let bytes = fs::read(file).map_err(|error| Failure::file("reading", file, &error))?;
        found.extend(claims(&String::from_utf8_lossy(&bytes)).into_iter().map(|claim| (file, claim)));
    }
    let hint = "say when it was so, as in (2026-11-28)";
    if format == Format::Json {
        let claim = |(file, claim): &(&PathBuf, Claim)| json!({"file": file, "line": claim.line, "column": claim.column, "name": claim.name, "text": claim.text, "hint": hint});
        out(&json!({"files": files.len(), "claims": found.iter().map(claim).collect::<Vec<_>>()}).to_string());
    } else {
        for (file, Claim { line, column, name, text }) in &found {
            out(&format!("{}:{line}:{column}: a fee of {name}'s without a date: {text}\n    {hint}", file.display()));
        }
        out(&format!("{} files, {} claims without a date", files.len(), found.len()));
    }
    Ok(if found.is_empty() { Exit::Done } else { Exit::Invalid })
}

fn gather(path: &Path, files: &mut Vec<PathBuf>, is_named: bool) -> Result<(), Failure> {
    let failed = |error| Failure::file("reading", path, &error);
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = fs::read_dir(path)
            .map_err(failed)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        entries.sort();
        return entries.iter().filter(|entry| !entry.is_symlink()).try_for_each(|entry| gather(entry, files, false));
    }
    let is_text = path.extension().and_then(|end| end.to_str()).is_some_and(|end| READ.contains(&end));
    if is_named && !path.exists() {
        return Err(Failure::file("reading", path, &std::io::ErrorKind::NotFound.into()));
    }
    if is_named || is_text {
        files.push(path.to_owned());
    }
    Ok(())
}

/// Sentences that name one of the others and a fee, and no date.
fn claims(text: &str) -> Vec<Claim> {
    let mut found = Vec::new();
    for (at, paragraph) in paragraphs(text) {
        for (offset, sentence) in sentences(paragraph) {
            let lower = sentence.to_lowercase();
            let Some((name, position)) =
                OTHERS.iter().find_map(|name| word(&lower, name).map(|position| (*name, position)))
            else {
                continue;
            };
            // A date anywhere in the paragraph dates its sentences.
            if has_fee(&lower) && !has_date(paragraph) {
                let before = &text[..at + offset + position.min(sentence.len())];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                let text = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
                found.push(Claim { line, column, name, text });
            }
        }
    }
    found
}

fn paragraphs(text: &str) -> Vec<(usize, &str)> {
    let mut at = 0;
    text.split("\n\n")
        .map(|paragraph| {
            let here = at;
            at += paragraph.len() + 2;
            (here, paragraph)
        })
        .collect()
}

/// Ends at a point that a space follows: a price has one within.
fn sentences(paragraph: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, _) in paragraph.match_indices(['.', '|', '!', '?']) {
        if paragraph[at + 1..].starts_with([' ', '\n'])
            || paragraph[at..].starts_with('|') && paragraph[at + 1..].starts_with('\n')
        {
            found.push((from, &paragraph[from..=at]));
            from = at + 1;
        }
    }
    found.push((from, &paragraph[from..]));
    found
}

fn word(text: &str, name: &str) -> Option<usize> {
    let is_edge = |character: Option<char>| character.is_none_or(|character| !character.is_alphanumeric());
    text.match_indices(name)
        .map(|(at, _)| at)
        .find(|at| is_edge(text[..*at].chars().next_back()) && is_edge(text[*at + name.len()..].chars().next()))
}

fn has_fee(text: &str) -> bool {
    let about =
        ["fee", "charge", "cost", "price", "takes", "cut", "commission", "per transaction", "per request", "free tier"];
    let has_number = text.chars().zip(text.chars().skip(1)).any(|(one, next)| {
        matches!((one, next), ('$' | '€', digit) if digit.is_ascii_digit())
            || one.is_ascii_digit() && matches!(next, '%' | '¢')
    }) || text.contains(" %")
        || text.contains(" cents");
    has_number && about.iter().any(|about| text.contains(about))
}

/// `2026-11-28`, `2026-11`, or a month with its year.
fn has_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits =
        |at: usize, count: usize| bytes.get(at..at + count).is_some_and(|bytes| bytes.iter().all(u8::is_ascii_digit));
    let by_number = (0..bytes.len()).any(|at| digits(at, 4) && bytes.get(at + 4) == Some(&b'-') && digits(at + 5, 2));
    let months = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let lower = text.to_lowercase();
    let by_name = months.iter().any(|month| {
        lower.match_indices(month).any(|(at, _)| {
            let after = lower[at + month.len()..].trim_start();
            after.len() >= 4 && after.bytes().take(4).all(|byte| byte.is_ascii_digit())
        })
    });
    by_number || by_name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_of_anothers_wants_a_date() {
        let wrong = claims("# Why\n\nWe are cheap.\nStripe takes 2.9% of\neach payment. Ours is 0.001.\n");
        assert_eq!(wrong.len(), 1);
        assert_eq!((wrong[0].line, wrong[0].column, wrong[0].name), (4, 1, "stripe"));
        assert_eq!(wrong[0].text, "Stripe takes 2.9% of each payment.");
        for fine in [
            "Stripe takes 2.9% (2026-11-28).",
            "In November 2026 CDP charged $0.001 a settlement.",
            "Stripe is a company.",
            "Our fee is $0.001.",
            "The stripes are 50% wide.",
        ] {
            assert_eq!(claims(fine), [], "{fine}");
        }
    }
}
