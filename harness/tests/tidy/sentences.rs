//! How long sentences are in what users read: the documents, `--help`, errors and hints, and what rules say of themselves.
//!
//! A sentence ends with a full stop, a question mark or the end of its paragraph, list item or cell. Code counts as one word.

use super::texts;

/// Half of the sentences have fewer words than this.
const MEDIAN_BELOW: usize = 16;

/// A sentence with more words than this is long.
const LONG: usize = 28;

/// The most sentences of a hundred that are long.
const MOST_LONG: usize = 10;

/// Files whose doc comments are what `--help` prints.
const HELP: [&str; 6] = [
    "harness/src/cli.rs",
    "harness/src/cli/",
    "dispatcher/cli/src/args.rs",
    "dispatcher/cli/src/args/",
    "loadtests/src/cli.rs",
    "harness/src/commands/sandbox.rs",
];

#[test]
fn documents_are_in_short_sentences() {
    let documents = texts("md").into_iter().filter(|(path, _)| path != "CHANGELOG.md" && !path.starts_with('.'));
    let wrong: Vec<_> = documents
        .filter_map(|(path, text)| too_long(&path, paragraphs(&text).iter().flat_map(|part| sentences(part))))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn help_is_in_short_sentences() {
    let of_help = |path: &str| HELP.iter().any(|own| path == *own || own.ends_with('/') && path.starts_with(own));
    let comments: Vec<_> =
        texts("rs").into_iter().filter(|(path, _)| of_help(path)).flat_map(|(_, text)| doc_comments(&text)).collect();
    hold("--help", comments.iter().flat_map(|comment| sentences(comment)));
}

#[test]
fn errors_and_hints_are_in_short_sentences() {
    let said = quoted_after(&["#[error(", "help("]);
    hold("errors and hints", said.iter().flat_map(|text| sentences(text)));
}

#[test]
fn rules_speak_in_short_sentences() {
    let said = quoted_after(&["cause: ", "says: ", "what: "]);
    hold("rules", said.iter().flat_map(|text| sentences(text)));
}

fn hold(of: &str, sentences: impl Iterator<Item = String>) {
    let wrong = too_long(of, sentences);
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

/// Says what is wrong, if something is.
fn too_long(of: &str, sentences: impl Iterator<Item = String>) -> Option<String> {
    let mut lengths: Vec<_> = sentences.map(|sentence| (words(&sentence), sentence)).collect();
    lengths.sort();
    let Some((median, _)) = lengths.get(lengths.len() / 2) else {
        return Some(format!("{of} has no sentences: they were not read"));
    };
    if *median >= MEDIAN_BELOW {
        return Some(format!("{of}: half of the sentences have {median} words or more"));
    }
    let long: Vec<_> = lengths.iter().filter(|(words, _)| *words > LONG).map(|(_, text)| text.as_str()).collect();
    // A page of a few sentences may have one that is long.
    let most = (lengths.len() * MOST_LONG / 100).max(1);
    (long.len() > most).then(|| format!("{of}: {} of {} are long:\n{}", long.len(), lengths.len(), long.join("\n")))
}

fn words(sentence: &str) -> usize {
    sentence.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// Paragraphs, list items and cells, without headings and blocks of code.
fn paragraphs(markdown: &str) -> Vec<String> {
    let (mut found, mut current, mut in_code) = (Vec::new(), String::new(), false);
    for line in markdown.lines().map(str::trim) {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).or_else(|| numbered(line));
        let ends = line.is_empty() || in_code || line.starts_with(['#', '|', '`', '>']) || item.is_some();
        if ends && !current.is_empty() {
            found.push(std::mem::take(&mut current));
        }
        if in_code || line.starts_with("```") || line.starts_with('#') {
            continue;
        }
        if line.starts_with('|') {
            found.extend(line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()));
        } else if !line.is_empty() {
            current.push_str(item.unwrap_or(line));
            current.push(' ');
        }
    }
    found.push(current);
    found
}

/// The text of an item of a numbered list.
fn numbered(line: &str) -> Option<&str> {
    let (number, text) = line.split_once(". ")?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(text)
}

/// Doc comments of items, each in one line.
fn doc_comments(rust: &str) -> Vec<String> {
    let (mut found, mut current) = (Vec::new(), String::new());
    for line in rust.lines().map(str::trim) {
        match line.strip_prefix("///") {
            Some(comment) => current.push_str(comment),
            None if !current.is_empty() => found.push(std::mem::take(&mut current)),
            None => {}
        }
    }
    found
}

/// The texts in quotes that follow one of these words in what ships, holes left out.
fn quoted_after(before: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in texts("rs") {
        if !path.contains("/src/") || path.contains("tests") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for word in before {
            let quoted = code.split(word).skip(1).filter_map(|rest| quoted(rest.trim_start()));
            found.extend(quoted);
        }
    }
    found
}

fn quoted(text: &str) -> Option<String> {
    let mut letters = text.strip_prefix('"')?.chars();
    let (mut said, mut depth) = (String::new(), 0);
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Some(said),
            '\\' => said.extend(letters.next().map(|escaped| if escaped == 'n' { ' ' } else { escaped })),
            '{' => {
                said.push_str(if depth == 0 { "it" } else { "" });
                depth += 1;
            }
            '}' => depth -= 1,
            _ if depth > 0 => {}
            _ => said.push(letter),
        }
    }
    None
}

/// Sentences of three words or more. Code is one word, and a link is what it says.
fn sentences(paragraph: &str) -> Vec<String> {
    let plain: String =
        paragraph.split('`').enumerate().map(|(n, part)| if n % 2 == 1 { "code" } else { part }).collect();
    let mut plain_links = String::new();
    for (n, part) in plain.split("](").enumerate() {
        plain_links.push_str(if n == 0 { part } else { part.split_once(')').map_or(part, |(_, rest)| rest) });
    }
    let (mut found, mut current) = (Vec::new(), Vec::new());
    for word in plain_links.split_whitespace() {
        current.push(word);
        if word.trim_end_matches(['*', '"', ')']).ends_with(['.', '?', '!']) {
            found.push(std::mem::take(&mut current).join(" "));
        }
    }
    found.push(current.join(" "));
    found.retain(|sentence| words(sentence) >= 3);
    found
}

#[test]
fn a_sentence_ends_at_its_stop_and_code_is_a_word() {
    let of = |text| sentences(text).iter().map(|sentence| words(sentence)).collect::<Vec<_>>();
    assert_eq!(of("One two three. Four `five six` seven [eight nine](a b)?"), [3, 5]);
    assert_eq!(quoted("\"a {hole} in \\\n it\" rest").as_deref(), Some("a it in \n it"));
    assert_eq!(
        paragraphs("# Head\n\nOne\ntwo\n- three\n1. four\n```\ncode\n```\n| five | six |"),
        ["One two ", "three ", "four ", "five", "six", ""]
    );
}
