//! The API token's places: the environment, a file that its owner alone may read, and the system's keyring. It is never an
//! argument, which others see.
//!
//! Surprising constraint: the keyring is asked through the system's own program. The libraries for it bring a message bus along.

use crate::{exit::Exit, failure::Failure};
use std::{env, fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

const VARIABLE: &str = "CLOUDFLARE_API_TOKEN";
const FILE_VARIABLE: &str = "CLOUDFLARE_API_TOKEN_FILE";

/// The programs that read a keyring: Linux' Secret Service, and macOS.
const KEYRINGS: [(&str, &[&str]); 2] = [
    ("secret-tool", &["lookup", "service", "402claw", "account", "cloudflare"]),
    ("security", &["find-generic-password", "-s", "402claw", "-a", "cloudflare", "-w"]),
];

/// The token that a change needs.
pub fn token() -> Result<String, Failure> {
    token_if_any()?.ok_or_else(|| {
        Failure::new(Exit::Usage, "there is no token for Cloudflare's API").help(format!(
            "set {VARIABLE}, or {FILE_VARIABLE} to a file of mode 0600, or keep it in the keyring: \
             secret-tool store --label 402claw service 402claw account cloudflare"
        ))
    })
}

/// The token, for a plan, which needs none but says more with one.
pub fn token_if_any() -> Result<Option<String>, Failure> {
    let text = match (env::var(VARIABLE), env::var_os(FILE_VARIABLE)) {
        (Ok(token), _) => Some(token),
        (Err(_), Some(path)) => Some(from_file(&PathBuf::from(path))?),
        (Err(_), None) => from_keyring(),
    };
    let Some(text) = text else { return Ok(None) };
    let token = text.trim();
    let is_plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let token = is_plain.then(|| token.to_owned());
    token.map(Some).ok_or_else(|| Failure::invalid("the token for Cloudflare's API is no token"))
}

fn from_keyring() -> Option<String> {
    KEYRINGS.into_iter().find_map(|(program, args)| {
        // A system without the program, or without the entry, has no token there.
        let asked = Command::new(program).args(args).output().ok()?;
        let text = String::from_utf8(asked.stdout).ok()?;
        (asked.status.success() && !text.trim().is_empty()).then_some(text)
    })
}

fn from_file(path: &std::path::Path) -> Result<String, Failure> {
    let failed = |error| Failure::file("reading", path, &error);
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        let what = format!("{} can be read by others: its mode is {:o}", path.display(), mode & 0o777);
        return Err(Failure::invalid(what).help(format!("chmod 600 {}", path.display())));
    }
    fs::read_to_string(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn a_token_that_others_can_read_is_not_taken() {
        let folder = Folder::new();
        let path = folder.path().join("token");
        crate::home::write(&path, b"abc\n", 0o644).unwrap();
        assert!(from_file(&path).unwrap_err().to_string().contains("644"));
        crate::home::write(&path, b"abc\n", 0o600).unwrap();
        assert_eq!(from_file(&path).unwrap(), "abc\n");
    }
}
