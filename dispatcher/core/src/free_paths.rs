//! Paths of a tenant that nobody pays for: what it says of what it sells. They are compared letter by letter with the path that
//! its Worker gets, so they have no spelling but one.

const MOST: usize = 32;
const MAX_BYTES: usize = 128;

/// Checks a record's list.
pub fn check(paths: Vec<String>) -> Result<Vec<String>, String> {
    if paths.len() > MOST {
        return Err(format!("has more than {MOST}"));
    }
    for (index, path) in paths.iter().enumerate() {
        if !is_path(path) {
            return Err(format!(
                "has {path:?}, which is not a path of at most {MAX_BYTES} letters, digits, -, ., _, ~ and single slashes"
            ));
        }
        if paths[..index].contains(path) {
            return Err(format!("has {path:?} twice"));
        }
    }
    Ok(paths)
}

/// Whether a path is spelt in its one way.
#[must_use]
pub fn is_path(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else { return false };
    let is_name = |segment: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain)
    };
    path.len() <= MAX_BYTES && (segments.is_empty() || segments.split('/').all(is_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        let checked = |path: &str| check(vec![path.to_owned()]).is_ok();
        for good in ["/", "/v1/schema", "/.well-known/x402", "/llms.txt"] {
            assert!(checked(good), "{good}");
        }
        for bad in [
            "",
            "v1",
            "/v1/",
            "//v1",
            "/a/../b",
            "/a%20b",
            "/a?b",
            "/a b",
            "/*",
            "/\u{e9}",
            &format!("/{}", "x".repeat(128)),
        ] {
            assert!(!checked(bad), "{bad}");
        }
        assert!(check(vec!["/a".to_owned(), "/a".to_owned()]).unwrap_err().contains("twice"));
        assert!(check((0..33).map(|n| format!("/{n}")).collect()).unwrap_err().contains("more than 32"));
    }
}
