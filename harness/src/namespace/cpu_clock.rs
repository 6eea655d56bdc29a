//! The CPU time of one process, exact to the nanosecond while it runs. Surprising constraint: it counts the whole
//! process, so what HTTP parsing and V8's own work cost is in it; `/proc` would be up to a scheduler's tick behind.

use std::time::Duration;

use nix::errno::Errno;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

#[derive(Clone, Copy, Debug)]
pub struct CpuClock(ClockId);

impl CpuClock {
    pub fn of(process: Pid) -> Result<CpuClock, Errno> {
        ClockId::pid_cpu_clock_id(process).map(CpuClock)
    }

    /// What the process has computed since it was started. Fails once it has been reaped.
    pub fn read(self) -> Result<Duration, Errno> {
        clock_gettime(self.0).map(Duration::from)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

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
}
