//! How busy the machine is, and how much of that is the run's own doing: so that a judge of latencies can tell what a tenant
//! did to its neighbours from what somebody else's build did to all of them.
//!
//! Surprising constraint: a process that has ended takes its CPU time out of the list and into its parent's, so only what the
//! whole tree has used, waited-for children included, goes forward and never back.

use journal::Journal;
use reports::event::{Event, MachineLoad};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs, thread,
    time::{Duration, Instant},
};
use tokio::time;

/// Between two readings, and what each is an average of.
const EVERY: Duration = Duration::from_secs(1);
/// The kernel's ticks a second, for user space, on every architecture that it runs workerd on.
const TICKS_A_SECOND: f64 = 100.0;

/// CPU time in ticks since some moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    busy: u64,
    ours: u64,
}

/// Until it is dropped. Where there is no `/proc` nothing is told.
pub async fn watch(journal: &Journal) -> Infallible {
    let cores = thread::available_parallelism().map_or(1, usize::from) as u32;
    let mut last = None;
    loop {
        let now = time::Instant::now().into_std();
        let reading = reading();
        if let Some((load, _)) = last.zip(reading).map(|(last, reading)| (load(cores, last, (now, reading)), ())) {
            journal.record(Event::MachineLoad(load));
        }
        last = reading.map(|reading| (now, reading));
        time::sleep(EVERY).await;
    }
}

/// How many cores others than this program use, over so long from now; `None` where there is no `/proc`.
pub async fn others_now(over: Duration) -> Option<f64> {
    let (from, first) = (time::Instant::now().into_std(), reading()?);
    time::sleep(over).await;
    let load = load(1, (from, first), (time::Instant::now().into_std(), reading()?));
    Some((load.busy - load.ours).max(0.0))
}

fn load(cores: u32, (from, first): (Instant, Reading), (to, last): (Instant, Reading)) -> MachineLoad {
    let seconds = to.duration_since(from).as_secs_f64();
    let of = |first: u64, last: u64| last.saturating_sub(first) as f64 / TICKS_A_SECOND / seconds;
    MachineLoad { cores, busy: of(first.busy, last.busy), ours: of(first.ours, last.ours) }
}

fn reading() -> Option<Reading> {
    let busy = busy(&fs::read_to_string("/proc/stat").ok()?)?;
    let stats = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        // One that has just ended is in its parent's books.
        Some((pid, used(&fs::read_to_string(entry.path().join("stat")).ok()?)?))
    });
    Some(Reading { busy, ours: of_tree(std::process::id(), &stats.collect()) })
}

/// All that is not idle: the first line's fields, in their order, are user, nice, system, idle, iowait, irq, softirq, steal.
fn busy(stat: &str) -> Option<u64> {
    const IDLE: [usize; 2] = [3, 4];
    const FIELDS: usize = 8;
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(FIELDS);
    fields.enumerate().filter(|(nth, _)| !IDLE.contains(nth)).map(|(_, field)| field.parse::<u64>().ok()).sum()
}

/// A process's parent, and what it and its children that were waited for have used.
fn used(stat: &str) -> Option<(u32, u64)> {
    // After the name, which may have blanks and brackets in it.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let times = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum::<Option<u64>>()?;
    Some((fields.get(1)?.parse().ok()?, times))
}

fn of_tree(root: u32, processes: &BTreeMap<u32, (u32, u64)>) -> u64 {
    let is_ours = |pid: &u32| {
        let parents = std::iter::successors(Some(*pid), |pid| processes.get(pid).map(|(parent, _)| *parent));
        // A chain that is longer was read while it changed.
        parents.take(processes.len()).any(|pid| pid == root)
    };
    processes.iter().filter(|(pid, _)| is_ours(pid)).map(|(_, (_, used))| used).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_busy_is_all_but_waiting() {
        assert_eq!(busy("cpu  10 20 30 4000 500 6 7 8 9 9\ncpu0 1 1 1 1\n"), Some(81));
        assert_eq!(busy("nothing"), None);
    }

    #[test]
    fn a_tree_has_its_descendants_and_nobody_else() {
        let stat = "42 (a (b) c) S 7 42 42 0 -1 4194560 100 0 0 0 1 2 3 4 20 0 9 0 100 1 2 3";
        assert_eq!(used(stat), Some((7, 10)));
        let processes = [(1, (0, 1)), (7, (1, 10)), (8, (7, 100)), (9, (8, 1000)), (10, (1, 10_000))];
        assert_eq!(of_tree(7, &processes.into()), 1110);
    }

    #[test]
    fn a_load_is_in_cores() {
        let from = time::Instant::now().into_std();
        let (first, last) = (Reading { busy: 100, ours: 50 }, Reading { busy: 400, ours: 150 });
        let load = load(2, (from, first), (from + Duration::from_secs(2), last));
        assert_eq!(load, MachineLoad { cores: 2, busy: 1.5, ours: 0.5 });
    }

    #[test]
    fn this_machine_tells_its_load() {
        assert!(reading().is_some_and(|reading| reading.busy >= reading.ours));
    }
}
