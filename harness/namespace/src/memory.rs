//! What a process holds of memory that is nobody else's. Surprising constraint: nobody outside can see what of it is garbage
//! or a copy that the runtime made, and the process counts whole; so this is never less than what an isolate of the platform
//! would be charged for, and may be more.

use nix::unistd::Pid;
use std::{fmt, fs};

/// The memory that an isolate may hold on the platform, whatever is dispatched: no plan and no `limits` changes it.
pub const DEFAULT_MEMORY_MB: u32 = 128;

const BYTES_PER_MB: u64 = 1 << 20;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(u64);

impl Memory {
    pub const fn megabytes(megabytes: u32) -> Memory {
        Memory(megabytes as u64 * BYTES_PER_MB)
    }

    pub const fn of_bytes(bytes: u64) -> Memory {
        Memory(bytes)
    }

    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// To three places, which is how it is told.
    #[expect(clippy::cast_precision_loss, reason = "no process holds eight petabytes")]
    pub fn mb(self) -> f64 {
        (self.0 as f64 / BYTES_PER_MB as f64 * 1e3).round() / 1e3
    }

    pub fn beyond(self, other: Memory) -> Memory {
        Memory(self.0.saturating_sub(other.0))
    }

    pub fn plus(self, other: Memory) -> Memory {
        Memory(self.0.saturating_add(other.0))
    }

    /// The memory that a process holds for itself alone, without the program's own pages and whatever is shared. `None`
    /// once it has been reaped. The kernel counts in batches, so it may be some hundred kilobytes off.
    pub fn held_by(process: Pid) -> Option<Memory> {
        let statm = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
        let mut pages = statm.split_whitespace().skip(1).map(str::parse::<u64>);
        let (resident, shared) = (pages.next()?.ok()?, pages.next()?.ok()?);
        let page = u64::try_from(rustix::param::page_size()).ok()?;
        Some(Memory(resident.saturating_sub(shared).saturating_mul(page)))
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.mb())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn what_a_process_writes_to_is_held_by_it() {
        let before = Memory::held_by(Pid::this()).unwrap();
        let block = std::hint::black_box(vec![1_u8; 64 << 20]);
        let grown = Memory::held_by(Pid::this()).unwrap().beyond(before);
        // Other tests run beside this one, in the same process, and let go of what they had.
        assert!(grown > Memory::megabytes(40), "{grown:?} of {}", block.len());
    }

    #[test]
    fn a_process_that_is_gone_holds_nothing() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed());
        child.wait().unwrap();
        assert_eq!(Memory::held_by(pid), None);
    }
}
