//! The runtimes that a process has below it. wrangler goes on when one of its workerd processes dies: it says nothing, may start
//! another that is of no use, and every request hangs or fails.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use tokio::time::sleep;

/// The runtime's name as the kernel has it.
const NAME: &str = "workerd";

/// Between two looks.
const POLL: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub struct Runtimes(Vec<Process>);

/// A process and when it began: its number alone may come to be another's.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    pid: u32,
    began: u64,
}

/// A process as the kernel describes it.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    name: String,
    parent: u32,
    began: u64,
}

impl Runtimes {
    #[must_use]
    pub fn below(above: u32) -> Self {
        Self(descendants(above))
    }

    /// The number of the first that ends. Nothing of a run makes one end: what is served never changes.
    pub async fn one_lost(self) -> u32 {
        loop {
            sleep(POLL).await;
            if let Some(lost) = self.0.iter().find(|process| !process.is_alive()) {
                return lost.pid;
            }
        }
    }
}

impl Process {
    fn is_alive(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.began == self.began)
    }
}

fn descendants(above: u32) -> Vec<Process> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all: BTreeMap<u32, Stat> = pids.filter_map(|pid| Some((pid, stat(pid)?))).collect();
    let descends = |mut pid: u32| {
        // A chain is no longer than there are processes, whatever changed while they were read.
        (0..all.len()).any(|_| {
            pid = all.get(&pid).map_or(0, |stat| stat.parent);
            pid == above
        })
    };
    let runtimes = all.iter().filter(|(pid, stat)| stat.name == NAME && descends(**pid));
    runtimes.map(|(pid, stat)| Process { pid: *pid, began: stat.began }).collect()
}

/// Returns `None` for a process that is gone, or dead and not yet waited for.
fn stat(pid: u32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name may have spaces and brackets, and ends with the last bracket.
fn parse(stat: &str) -> Option<Stat> {
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once(" (")?;
    let fields: Vec<&str> = after.split(' ').collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    Some(Stat { name: name.to_owned(), parent: fields.get(1)?.parse().ok()?, began: fields.get(19)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let line = "42 (a (b) c) S 7 42 42 0 -1 4194560 100 0 0 0 7 5 0 0 20 0 9 0 12345 1 2 3";
        assert_eq!(parse(line), Some(Stat { name: "a (b) c".to_owned(), parent: 7, began: 12_345 }));
        assert_eq!(parse(&line.replace(") S ", ") Z ")), None);
        assert_eq!(parse("42"), None);
    }

    #[tokio::test]
    async fn one_that_dies_below_is_missed() {
        let folder = std::env::temp_dir().join(format!("402claw-runtimes-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join(NAME);
        fs::copy("/bin/sleep", &program).unwrap();
        // A grandchild, as wrangler's are.
        let script = format!("{} 1000 & echo $!; wait; sleep 1000", program.display());
        let mut shell = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(shell.stdout.take().unwrap()), &mut line).unwrap();
        let child: u32 = line.trim().parse().unwrap();
        while descendants(std::process::id()).iter().all(|process| process.pid != child) {
            tokio::task::yield_now().await;
        }
        let runtimes = Runtimes::below(shell.id());
        assert_eq!(runtimes.0.len(), 1);
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child as i32), nix::sys::signal::Signal::SIGKILL).unwrap();
        assert_eq!(runtimes.one_lost().await, child);
        shell.kill().unwrap();
        shell.wait().unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}
