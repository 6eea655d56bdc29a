//! How much CPU time a process has used, of all its threads. Unlike a latency it hardly depends on what else the machine
//! does, so a comparison by it holds where others run too.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// The kernel's tick, for user space, on every architecture that it runs workerd on.
const TICK: Duration = Duration::from_millis(10);

/// The process that runs `program` with `argument`, which no other process of the machine does.
pub fn process_of(program: &Path, argument: &Path) -> Option<u32> {
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = line.split(|byte| *byte == 0).map(OsStr::from_bytes);
        (words.next()? == program && words.any(|word| word == argument)).then_some(pid)
    })
}

/// `None` where there is no such process, or no `/proc`.
pub fn used(pid: u32) -> Option<Duration> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The fourteenth and fifteenth field; the second may have spaces, and ends with the last bracket.
fn parse(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(TICK * (user + system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 7 5 0 0 20 0 9 0 100 1 2 3";
        assert_eq!(parse(stat), Some(Duration::from_millis(120)));
        assert_eq!(parse("42"), None);
    }
}
