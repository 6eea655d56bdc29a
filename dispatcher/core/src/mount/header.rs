//! The targets inside a `Link` (RFC 8288) and a `Refresh` (HTML, 4.2.5.3).

/// Every `<target>` changed by `change`, and nothing else. `None`: none was.
pub(super) fn link(value: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut changed = String::with_capacity(value.len() + 32);
    let mut is_other = false;
    let mut rest = value;
    while let Some(at) = outside_quotes(rest, '<') {
        let (before, target) = rest.split_at(at + 1);
        changed.push_str(before);
        let end = target.find('>').unwrap_or(target.len());
        let (target, after) = target.split_at(end);
        match change(target) {
            Some(other) => {
                is_other = true;
                changed.push_str(&other);
            }
            None => changed.push_str(target),
        }
        rest = after;
    }
    changed.push_str(rest);
    is_other.then_some(changed)
}

/// The place of the first mark outside of a quoted string.
fn outside_quotes(text: &str, mark: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == mark && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The URL after the seconds, changed by `change`. `None`: there is none, or it was not changed.
pub(super) fn refresh(value: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let after_time = value.trim_start().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    // Without a mark or a space behind the time there is no URL.
    let mut rest = after_time.strip_prefix([';', ',', ' ', '\t'])?;
    rest = rest.trim_start();
    rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_start();
    if rest.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("url"))
        && let Some(named) = rest[3..].trim_start().strip_prefix('=')
    {
        rest = named.trim_start();
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let target = match quote {
        Some(quote) => rest[1..].split(quote).next().unwrap_or_default(),
        None => rest,
    };
    let at = target.as_ptr() as usize - value.as_ptr() as usize;
    let other = change(target)?;
    Some(format!("{}{other}{}", &value[..at], &value[at + target.len()..]))
}
