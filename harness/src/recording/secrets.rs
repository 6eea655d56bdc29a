//! The secrets of a run: tokens and keys that were made for it. They stand in files that no export takes, but a Worker that
//! leaks one writes it into its log.

use std::fs;
use std::path::Path;

use crate::world::config::{SECRETS_FILE, secrets_in};

/// A text as short as this may stand anywhere by chance.
const SHORTEST: usize = 8;

/// The values of a run's secrets, by name. `run` is its folder; each further dispatcher has one of its own in there.
pub fn of(run: &Path) -> Vec<(String, String)> {
    let below = fs::read_dir(run).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let folders = [run.to_owned()].into_iter().chain(below.filter(|path| path.is_dir()));
    let texts = folders.filter_map(|folder| fs::read_to_string(folder.join(SECRETS_FILE)).ok());
    let mut secrets: Vec<_> = texts.flat_map(|text| secrets_in(&text)).collect();
    secrets.retain(|(_, value)| value.len() >= SHORTEST);
    secrets.sort();
    secrets.dedup();
    secrets
}

/// The file with the name of each secret in its place.
pub fn taken_out(file: Vec<u8>, secrets: &[(String, String)]) -> Vec<u8> {
    secrets.iter().fold(file, |file, (name, value)| replaced(file, value.as_bytes(), format!("[{name}]").as_bytes()))
}

fn replaced(file: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut rest = file.as_slice();
    let mut out = Vec::new();
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    if out.is_empty() {
        return file;
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::config::secrets_file;
    use std::collections::BTreeMap;

    #[test]
    fn a_secret_that_leaked_is_taken_out_wherever_it_stands() {
        let run = std::env::temp_dir().join(format!("402claw-secrets-{}", std::process::id()));
        let write = |folder: &Path, name: &str, value: &str| {
            fs::create_dir_all(folder).unwrap();
            let secrets = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            fs::write(folder.join(SECRETS_FILE), secrets_file(&secrets)).unwrap();
        };
        write(&run, "PLATFORM_TOKEN", "0123456789abcdef");
        write(&run.join("dispatcher-2"), "KEY", "say \"open\"");
        write(&run.join("short"), "X", "ab");
        let secrets = of(&run);
        fs::remove_dir_all(&run).unwrap();
        let out = taken_out(b"0123456789abcdef, say \"open\", ab 0123456789abcdef".to_vec(), &secrets);
        assert_eq!(String::from_utf8(out).unwrap(), "[PLATFORM_TOKEN], [KEY], ab [PLATFORM_TOKEN]");
        assert_eq!(taken_out(vec![0xff, b'a'], &secrets), [0xff, b'a']);
    }
}
