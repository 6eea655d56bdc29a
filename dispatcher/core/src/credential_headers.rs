//! Headers by which a tenant's callers prove who they are, beside `Authorization` and `Cookie`. What was bought with them is
//! given to whoever sends them again and to nobody else, so the list says whose an answer is.

use crate::hygiene;

const MAX_NAMES: usize = 8;
const MAX_NAME_BYTES: usize = 64;

/// These count for every tenant.
pub const ALWAYS: [&str; 2] = ["authorization", "cookie"];

/// Checks a record's list; the error says what is wrong with it.
pub fn check(names: Vec<String>) -> Result<Vec<String>, String> {
    if names.len() > MAX_NAMES {
        return Err(format!("has more than {MAX_NAMES}"));
    }
    for (index, name) in names.iter().enumerate() {
        let is_name = (1..=MAX_NAME_BYTES).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if !is_name {
            return Err(format!("has {name:?}, which is no header's name in lower case"));
        }
        if ALWAYS.contains(&name.as_str()) {
            return Err(format!("has {name:?}, which counts without being listed"));
        }
        // The tenant never sees such a header, so it cannot tell callers apart by it.
        if hygiene::may_not_enter(name, "") {
            return Err(format!("has {name:?}, which never reaches a tenant"));
        }
        if names[..index].contains(name) {
            return Err(format!("has {name:?} twice"));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_few_names_of_headers_that_reach_a_tenant() {
        let check = |names: &[&str]| check(names.iter().map(|name| (*name).to_owned()).collect()).is_ok();
        assert!(check(&[]) && check(&["x-api-key", "cf-access-client-secret"]));
        for bad in ["X-Api-Key", "", "x api", "cookie", "authorization", "x-tenant-id", "payment-signature", "x:y"] {
            assert!(!check(&[bad]), "{bad}");
        }
        assert!(!check(&["sign-in-with-x"]) && !check(&["x-forwarded-host"]) && !check(&["x-a", "x-a"]));
        let names: Vec<_> = (0..9).map(|n| format!("x-{n}")).collect();
        assert!(!check(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    }
}
