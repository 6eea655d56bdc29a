//! One reference to a URL, read as a browser reads it (URL Standard, 4.4), as far as its path goes.

use super::Mount;

impl Mount<'_> {
    /// The reference with the mount in its path. `None`: it leads to another origin, or there already.
    pub(super) fn reference(&self, text: &str) -> Option<String> {
        let text: String = text.trim_matches(|c: char| c <= ' ').chars().filter(|c| !"\t\r\n".contains(*c)).collect();
        match scheme(&text) {
            Some((scheme, rest)) if self.scheme().eq_ignore_ascii_case(scheme) => {
                // Of the base's own scheme and without two slashes, it is relative all the same.
                if slashes(rest) >= 2 { self.of_authority(&text, rest) } else { self.reference_of_path(rest) }
            }
            Some(_) => None,
            None if slashes(&text) >= 2 => self.of_authority(&text, &text),
            None => self.reference_of_path(&text),
        }
    }

    fn scheme(&self) -> &str {
        self.origin.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    fn host(&self) -> &str {
        self.origin.split_once("//").map_or("", |(_, host)| host)
    }

    /// `after` begins with the slashes before an authority.
    fn of_authority(&self, text: &str, after: &str) -> Option<String> {
        let authority_and_path = after.trim_start_matches(['/', '\\']);
        let end = authority_and_path.find(['/', '\\', '?', '#']).unwrap_or(authority_and_path.len());
        let (authority, path) = authority_and_path.split_at(end);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if !self.is_own(host) {
            return None;
        }
        let path = self.mounted(if path.starts_with(['/', '\\']) { path.to_owned() } else { format!("/{path}") })?;
        let before = &text[..text.len() - authority_and_path.len()];
        Some(format!("{before}{authority}{path}"))
    }

    /// Whether the host is the one that was asked, whether or not its scheme's own port is said.
    fn is_own(&self, host: &str) -> bool {
        let port = if self.scheme().eq_ignore_ascii_case("http") { ":80" } else { ":443" };
        let plain = |host: &str| {
            let host = host.to_ascii_lowercase();
            host.strip_suffix(port).map(str::to_owned).unwrap_or(host)
        };
        plain(host) == plain(self.host())
    }

    /// A reference without an authority.
    fn reference_of_path(&self, text: &str) -> Option<String> {
        let end = text.find(['?', '#']).unwrap_or(text.len());
        let (path, rest) = text.split_at(end);
        if path.starts_with(['/', '\\']) {
            return self.mounted(text.to_owned());
        }
        // Beside the tenant's path it stays beside it below the mount; one that climbs, or begins beside the mount, would not.
        let is_at_home = path.is_empty() || !self.is_bare && !path.split(['/', '\\']).any(is_dots);
        if is_at_home {
            return None;
        }
        let folder = &self.below[..=self.below.rfind('/').unwrap_or_default()];
        Some(format!("{}{}{rest}", self.path, without_dots(&format!("{folder}{path}"))))
    }

    /// A path from the root, and what follows it, below the mount. `None`: it is there already.
    fn mounted(&self, text: String) -> Option<String> {
        let end = text.find(['?', '#']).unwrap_or(text.len());
        let (path, rest) = text.split_at(end);
        let path = if path.split(['/', '\\']).any(is_dots) { without_dots(path) } else { path.to_owned() };
        // A framework that heeds `x-forwarded-prefix` has put it there itself.
        let is_there = path.strip_prefix(self.path).is_some_and(|below| below.is_empty() || below.starts_with('/'));
        let put_back = if is_there { format!("{path}{rest}") } else { format!("{}{path}{rest}", self.path) };
        (put_back != text).then_some(put_back)
    }
}

/// The scheme before the first colon, and what comes after it.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme.then_some((scheme, rest))
}

fn slashes(text: &str) -> usize {
    text.bytes().take_while(|b| matches!(b, b'/' | b'\\')).count()
}

/// Whether a segment is `.` or `..`, escapes among them.
fn is_dots(segment: &str) -> bool {
    matches!(plain_dots(segment).as_str(), "." | "..")
}

fn plain_dots(segment: &str) -> String {
    segment.to_ascii_lowercase().replace("%2e", ".")
}

/// An absolute path with its dot segments resolved: it never climbs above its root.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_a_folder = false;
    for segment in path.split(['/', '\\']).skip(1) {
        let dots = plain_dots(segment);
        ends_in_a_folder = matches!(dots.as_str(), "." | "..");
        match dots.as_str() {
            ".." => drop(kept.pop()),
            "." => {}
            _ => kept.push(segment),
        }
    }
    let folder = if ends_in_a_folder && !kept.is_empty() { "/" } else { "" };
    format!("/{}{folder}", kept.join("/"))
}
