//! Text folded to a terminal's width, at words. A terminal that folds by itself cuts words, and what stands in columns falls apart.
//!
//! Surprising constraint: what is there to be copied, such as a command or a path, keeps its line whatever its length.

/// Beginnings of lines that somebody copies.
const COPIED: [&str; 12] =
    ["run ", "replay ", "repeat", "read ", "wrote ", "log ", "curl ", "record ", "try ", "export ", "npx ", "cargo "];
/// What follows a fold stands so much further in, where it has no column to stand in.
const FURTHER: usize = 4;
/// No terminal that anybody reads is narrower.
const LEAST: usize = 30;

/// Folds each line that is too long. Styles take no room.
#[must_use]
pub fn fold(text: &str, columns: usize) -> String {
    let columns = columns.max(LEAST);
    let mut folded = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let is_copied = COPIED.iter().any(|copied| line.trim_start().starts_with(copied));
        if is_copied || width(line) <= columns {
            folded.push_str(line);
        } else {
            fold_line(&closed_up(line, columns), columns, &mut folded);
        }
        folded.push_str(end);
    }
    folded
}

/// Without the padding between columns, where that alone takes half of the line.
fn closed_up(line: &str, columns: usize) -> String {
    if column_of(line).is_none_or(|column| column <= columns / 2) {
        return line.to_owned();
    }
    let lead = line.len() - line.trim_start().len();
    let mut closed = " ".repeat(lead.min(2 * FURTHER));
    let mut spaces = 0;
    for one in line.trim_start().chars() {
        spaces = if one == ' ' { spaces + 1 } else { 0 };
        if spaces <= 2 {
            closed.push(one);
        }
    }
    closed
}

/// Where the last column begins, if there is more than one.
fn column_of(line: &str) -> Option<usize> {
    let plain = anstream::adapter::strip_str(line).to_string();
    let lead = plain.len() - plain.trim_start().len();
    let gap = plain[lead..].rfind("  ").map(|at| lead + at + 2);
    gap.map(|at| plain[..at].chars().count())
}

fn fold_line(line: &str, columns: usize, folded: &mut String) {
    let lead = line.chars().take_while(|one| *one == ' ').count();
    let indent = column_of(line).filter(|column| *column <= columns / 2).unwrap_or((lead + FURTHER).min(columns / 2));
    let (mut at, mut is_begun) = (lead, false);
    folded.push_str(&" ".repeat(lead));
    for word in line[lead..].split(' ') {
        let takes = width(word);
        if is_begun && at + 1 + takes > columns {
            folded.push('\n');
            folded.push_str(&" ".repeat(indent));
            (at, is_begun) = (indent, false);
            if word.is_empty() {
                continue;
            }
        }
        if is_begun {
            folded.push(' ');
            at += 1;
        }
        folded.push_str(word);
        at += takes;
        is_begun = true;
    }
}

/// What is seen of it.
fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_folded_at_words_below_its_column() {
        let text = "  pass     MONEY-1  a payment moves money at most once, whatever happens\nshort\n";
        let folded = "  pass     MONEY-1  a payment moves\n                    money at most once,\n                    \
                      whatever happens\nshort\n";
        assert_eq!(fold(text, 40), folded);
        assert_eq!(fold(text, 80), text);
    }

    #[test]
    fn a_column_too_far_out_moves_in() {
        let text = format!("name{}what it says of itself, at length\n", " ".repeat(30));
        assert_eq!(fold(&text, 36), "name  what it says of itself, at\n      length\n");
    }

    #[test]
    fn styles_take_no_room_and_what_is_copied_stays_whole() {
        let styled = "\u{1b}[1mone\u{1b}[0m two three four five six seven eight";
        assert_eq!(fold(styled, 30), "\u{1b}[1mone\u{1b}[0m two three four five six\n    seven eight");
        let command = "replay  harness scenario outage --seed 42 --tier sim --format json";
        assert_eq!(fold(command, 30), command);
    }
}
