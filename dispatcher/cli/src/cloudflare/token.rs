//! Where the API token comes from: the environment, or a file that its owner alone may read. Never an argument, which others see.

use crate::{exit::Exit, failure::Failure};
use std::{env, fs, os::unix::fs::PermissionsExt, path::PathBuf};

const VARIABLE: &str = "CLOUDFLARE_API_TOKEN";
const FILE_VARIABLE: &str = "CLOUDFLARE_API_TOKEN_FILE";

pub fn token() -> Result<String, Failure> {
    let text = match (env::var(VARIABLE), env::var_os(FILE_VARIABLE)) {
        (Ok(token), _) => token,
        (Err(_), Some(path)) => from_file(&PathBuf::from(path))?,
        (Err(_), None) => {
            return Err(Failure::new(Exit::Usage, "there is no token for Cloudflare's API")
                .help(format!("set {VARIABLE}, or {FILE_VARIABLE} to a file of mode 0600")));
        }
    };
    let token = text.trim();
    let is_plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain { Ok(token.to_owned()) } else { Err(Failure::invalid("the token for Cloudflare's API is no token")) }
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
