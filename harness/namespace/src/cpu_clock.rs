//! The CPU time of one process, and where it spends it. Surprising constraint: the time counts the whole process, so what HTTP
//! parsing and V8's own work cost is in it; and of a process that is running on another CPU in this moment it is up to a
//! scheduler's tick old (`cut_off.rs` knows what to do about that).

use nix::{
    errno::Errno,
    time::{ClockId, clock_gettime},
    unistd::Pid,
};
use std::{fs, time::Duration};

#[derive(Clone, Copy, Debug)]
pub struct CpuClock(ClockId);

impl CpuClock {
    pub fn of(process: Pid) -> Result<CpuClock, Errno> {
        ClockId::pid_cpu_clock_id(process).map(CpuClock)
    }

    /// The CPU time that the process has used since it was started. Fails once it has been reaped.
    pub fn read(self) -> Result<Duration, Errno> {
        clock_gettime(self.0).map(Duration::from)
    }
}

/// The state of a process's main thread, which is the one that runs a Worker's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// On which it runs, or ran last.
    pub cpu: usize,
    /// Or would, if it were its turn.
    pub is_running: bool,
}

impl Whereabouts {
    /// `None` once it has been reaped.
    pub fn of(process: Pid) -> Option<Whereabouts> {
        /// Positions among the fields after the name, which may have blanks and brackets in it.
        const STATE: usize = 0;
        const PROCESSOR: usize = 36;
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Whereabouts { cpu: fields.get(PROCESSOR)?.parse().ok()?, is_running: *fields.get(STATE)? == "R" })
    }
}

/// Time that only goes forward, whoever runs.
pub fn wall() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).expect("every Linux has a monotonic clock")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_clock_of_a_busy_process_advances() {
        let own = CpuClock::of(Pid::this()).unwrap();
        let before = own.read().unwrap();
        let spun = (0..2_000_000_u64).fold(0, |sum, n| std::hint::black_box(sum ^ n));
        assert!(own.read().unwrap() > before, "{spun}");
    }

    #[test]
    fn a_process_that_is_gone_has_no_clock() {
        let mut child = Command::new("true").spawn().unwrap();
        let clock = CpuClock::of(Pid::from_raw(child.id().cast_signed()));
        child.wait().unwrap();
        // The clock may be refused, or be without a reading, as the process ended before or after it was asked for.
        assert!(clock.and_then(CpuClock::read).is_err());
    }

    #[test]
    fn a_process_is_somewhere_until_it_was_waited_for() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed());
        let found = Whereabouts::of(pid).unwrap();
        assert!(found.cpu < rustix::thread::CpuSet::MAX_CPU, "{found:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(Whereabouts::of(pid), None);
    }
}
