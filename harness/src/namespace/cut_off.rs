//! Ends a process the moment it has used up its CPU budget, by SIGKILL: a loop in JavaScript listens to nothing else.
//!
//! Surprising constraint: the clock of a process that runs on another CPU is read as of that CPU's last tick, up to 4 ms ago.
//! It is exact as soon as the process has been put aside. So whoever looks does so from the very CPU on which the process
//! runs, and comes before it: a thread under the real-time scheduler, pinned anew for each look, and waiting for no lock,
//! whose holder might be put aside as well.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, Thread};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::Serialize;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::Notify;

use super::cpu_clock::{self, CpuClock, Whereabouts};

/// How old a clock's reading may be that was taken from another CPU: the longest tick there is, and some.
const STALE: Duration = Duration::from_millis(12);
/// Between two looks at a process that is about to use up its budget. Each puts it aside, so on a busy machine it then has
/// to wait for its turn again.
const NAP: Duration = Duration::from_micros(200);
/// While it waits for something: most that do will go on doing so.
const LONG_NAP: Duration = Duration::from_millis(1);
/// Any real-time priority comes before whatever has none; the lowest, because the machine may have others of its own.
const REAL_TIME: u8 = 1;

/// How the scheduler treats the watcher's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Priority {
    /// Before whatever is not: as root, or with CAP_SYS_NICE.
    RealTime,
    /// Like any other, because more is not permitted.
    Ordinary,
}

/// The watcher's thread ends with the last handle, or armed budget, that is dropped.
#[derive(Debug)]
pub struct CutOff {
    handle: Arc<Handle>,
    priority: Priority,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    watcher: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    /// Armed, and not yet seen by the watcher.
    new: Mutex<Vec<Watched>>,
    closed: AtomicBool,
}

#[derive(Debug)]
struct Watched {
    process: Pid,
    clock: CpuClock,
    from: Duration,
    until: Duration,
    /// By the wall clock.
    next_look: Duration,
    fate: Arc<Fate>,
}

/// What watcher and budget know of each other.
#[derive(Debug)]
struct Fate {
    armed: Mutex<bool>,
    /// What was used up at the cut-off, in nanoseconds; 0 before.
    cut_ns: AtomicU64,
    cut: Notify,
}

impl CutOff {
    pub fn start() -> io::Result<CutOff> {
        let shared = Arc::new(Shared::default());
        let watched = Arc::clone(&shared);
        let (tell, told) = mpsc::channel();
        let thread = thread::Builder::new().name("cpu cut-off".to_owned()).spawn(move || {
            // Whoever starts a watcher waits for this.
            let _heard = tell.send(raise_own_priority());
            watched.watch();
        })?;
        let priority = told.recv().map_err(io::Error::other)?;
        let handle = Handle { shared, watcher: thread.thread().clone() };
        Ok(CutOff { handle: Arc::new(handle), priority })
    }

    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// From now on `process` may compute for `budget`. It must not be reaped before the budget is dropped: until then
    /// nobody else can have its id.
    pub fn arm(&self, process: Pid, budget: Duration) -> Result<Budget, Errno> {
        let clock = CpuClock::of(process)?;
        let from = clock.read()?;
        let fate = Arc::new(Fate { armed: Mutex::new(true), cut_ns: AtomicU64::new(0), cut: Notify::new() });
        // On one thread, CPU time cannot outrun the wall clock.
        let (until, next_look) = (from + budget, cpu_clock::wall() + budget);
        let watched = Watched { process, clock, from, until, next_look, fate: Arc::clone(&fate) };
        lock(&self.handle.shared.new).push(watched);
        self.handle.watcher.unpark();
        Ok(Budget { clock, from, fate, _handle: Arc::clone(&self.handle) })
    }
}

fn raise_own_priority() -> Priority {
    let real_time = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let lowest = ThreadPriorityValue::try_from(REAL_TIME).map(ThreadPriority::Crossplatform);
    if lowest.is_ok_and(|lowest| set_thread_priority_and_policy(thread_native_id(), lowest, real_time).is_ok()) {
        return Priority::RealTime;
    }
    Priority::Ordinary
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        self.watcher.unpark();
    }
}

/// An armed budget. Once it is dropped nothing is killed on its account.
#[derive(Debug)]
pub struct Budget {
    clock: CpuClock,
    from: Duration,
    fate: Arc<Fate>,
    _handle: Arc<Handle>,
}

impl Budget {
    /// What was used up when the process was cut off, if it was.
    pub fn cut(&self) -> Option<Duration> {
        match self.fate.cut_ns.load(Ordering::Acquire) {
            0 => None,
            ns => Some(Duration::from_nanos(ns)),
        }
    }

    /// Until the process is cut off; for ever if it ends within its budget.
    pub async fn cut_off(&self) -> Duration {
        loop {
            let told = self.fate.cut.notified();
            if let Some(used) = self.cut() {
                return used;
            }
            told.await;
        }
    }

    /// What has been used up by now.
    pub fn used(&self) -> Option<Duration> {
        self.cut().or_else(|| self.clock.read().ok().map(|now| now.saturating_sub(self.from)))
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        // Waits for a kill that is under way.
        *lock(&self.fate.armed) = false;
    }
}

impl Shared {
    fn watch(&self) {
        let mut watched: Vec<Watched> = Vec::new();
        while !self.closed.load(Ordering::Acquire) {
            // Whoever holds it is about to wake us.
            if let Ok(mut new) = self.new.try_lock() {
                watched.append(&mut new);
            }
            let now = cpu_clock::wall();
            watched.retain_mut(|watched| watched.next_look > now || watched.look());
            match watched.iter().map(|watched| watched.next_look).min() {
                Some(next) => thread::park_timeout(next.saturating_sub(cpu_clock::wall())),
                None => thread::park(),
            }
        }
    }
}

impl Watched {
    /// Whether there is anything left to look at.
    fn look(&mut self) -> bool {
        // Nobody else holds it but a budget that is being dropped.
        let Some(armed) = self.fate.armed.try_lock().ok().filter(|armed| **armed) else { return false };
        // A process that is nowhere, or has no clock any more, has ended.
        let Some(found) = Whereabouts::of(self.process) else { return false };
        let Ok(from_afar) = self.clock.read() else { return false };
        // A reading is never ahead of the truth, so far from the end there is no need to disturb the process.
        let is_far = from_afar + STALE < self.until;
        let now = if is_far { from_afar } else { self.clock_from_beside(found.cpu).unwrap_or(from_afar) };
        if let Some(left) = self.until.checked_sub(now).filter(|left| !left.is_zero()) {
            let nap = if found.is_running { NAP } else { LONG_NAP };
            let harmless = if is_far { left - STALE } else { left };
            self.next_look = cpu_clock::wall() + harmless.max(nap);
            return true;
        }
        // Told first: whoever sees the process gone must see why.
        self.fate.cut_at(now.saturating_sub(self.from));
        // It may have ended by itself in this very moment, but it has not been reaped, so the id is still its own.
        let _gone = kill(self.process, Signal::SIGKILL);
        // Read again after the kill: this is what was used up, with the time that it took to send the signal.
        if let Ok(killed) = self.clock.read() {
            self.fate.cut_at(killed.saturating_sub(self.from));
        }
        drop(armed);
        self.fate.cut.notify_waiters();
        false
    }

    /// Exact, because the process is put aside by whoever comes to its CPU.
    fn clock_from_beside(&self, cpu: usize) -> Option<Duration> {
        stand_on(cpu);
        self.clock.read().ok()
    }
}

/// Where this is not permitted the look is less exact, and that is all.
fn stand_on(cpu: usize) {
    if cpu < CpuSet::MAX_CPU {
        let mut only = CpuSet::new();
        only.set(cpu);
        let _elsewhere = sched_setaffinity(None, &only);
    }
}

impl Fate {
    fn cut_at(&self, used: Duration) {
        let ns = u64::try_from(used.as_nanos()).unwrap_or(u64::MAX);
        self.cut_ns.store(ns.max(1), Ordering::Release);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};

    use super::*;

    /// Far beyond what any of these budgets takes to be used up.
    const LIMIT: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> (Child, Pid) {
        let child = Command::new("sh").args(["-c", script]).spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed());
        (child, pid)
    }

    #[tokio::test]
    async fn a_loop_is_killed_and_what_it_used_is_told() {
        let cut_off = CutOff::start().unwrap();
        let (mut child, pid) = shell("while :; do :; done");
        let budget = cut_off.arm(pid, Duration::from_millis(30)).unwrap();
        let used = tokio::time::timeout(LIMIT, budget.cut_off()).await.expect("a loop uses up its budget");
        assert!(used >= Duration::from_millis(30), "{used:?}");
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }

    #[tokio::test]
    async fn a_process_that_waits_keeps_its_life() {
        let cut_off = CutOff::start().unwrap();
        let (mut child, pid) = shell("sleep 0.3; exit 7");
        let budget = cut_off.arm(pid, Duration::from_millis(200)).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert_eq!(budget.cut(), None);
    }

    #[tokio::test]
    async fn a_budget_that_was_dropped_kills_nobody() {
        let cut_off = CutOff::start().unwrap();
        let (mut child, pid) = shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exit 7");
        drop(cut_off.arm(pid, Duration::from_millis(5)).unwrap());
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }

    #[tokio::test]
    async fn many_budgets_are_kept_apart() {
        let cut_off = CutOff::start().unwrap();
        let (mut burning, burner) = shell("while :; do :; done");
        let (mut waiting, waiter) = shell("sleep 0.2; exit 7");
        let burners = cut_off.arm(burner, Duration::from_millis(20)).unwrap();
        let waiters = cut_off.arm(waiter, Duration::from_millis(20)).unwrap();
        tokio::time::timeout(LIMIT, burners.cut_off()).await.expect("a loop uses up its budget");
        assert_eq!(burning.wait().unwrap().signal(), Some(9));
        assert_eq!(waiting.wait().unwrap().code(), Some(7));
        assert_eq!(waiters.cut(), None);
    }
}
