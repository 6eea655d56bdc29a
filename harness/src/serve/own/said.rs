//! Passes on what the namespace says of deploys and of Workers, which its log has. It is a process of its own, and its log is a file.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use crate::world::namespace::LOG;
use system::output::errln;

const PAUSE: Duration = Duration::from_millis(200);
/// The most that is read at once: a Worker may print without end.
const MAX_BYTES: u64 = 64 * 1024;

/// Prints each line of the log as it comes, those that are there already among them. Never comes back.
pub async fn say(run_dir: &Path) {
    let path = run_dir.join(LOG);
    let (mut at, mut rest) = (0, String::new());
    loop {
        // A log that cannot be read in this moment may be back in the next.
        if let Ok(bytes) = read(&path, at) {
            at += bytes.len() as u64;
            rest.push_str(&String::from_utf8_lossy(&bytes));
            while let Some((line, behind)) = rest.split_once('\n') {
                errln!("---  {}", plain(line));
                rest = behind.to_owned();
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn read(path: &Path, at: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A Worker's words may hold what steers a terminal.
fn plain(line: &str) -> String {
    line.chars().flat_map(|one| if one.is_control() { one.escape_default().collect() } else { vec![one] }).collect()
}
