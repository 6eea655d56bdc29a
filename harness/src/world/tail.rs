//! The last lines of a log, for an error.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The lines that an error quotes.
const LINES: usize = 20;
/// The most that is read for them: a log may have grown for days.
const MAX_BYTES: u64 = 32 * 1024;

/// Returns the last lines, and nothing if the log cannot be read.
pub fn tail(log: &Path) -> String {
    let text = read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn read(log: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let skipped = file.metadata()?.len().saturating_sub(MAX_BYTES);
    file.seek(SeekFrom::Start(skipped))?;
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_any_length_gives_its_last_lines() {
        let log = std::env::temp_dir().join(format!("402claw-tail-{}", std::process::id()));
        let lines: Vec<String> = (0..100_000).map(|n| format!("line {n}")).collect();
        std::fs::write(&log, lines.join("\n")).unwrap();
        assert_eq!(tail(&log), lines[lines.len() - LINES..].join("\n"));
        std::fs::write(&log, "one\n").unwrap();
        assert_eq!(tail(&log), "one");
        std::fs::remove_file(&log).unwrap();
        assert_eq!(tail(&log), "");
    }
}
