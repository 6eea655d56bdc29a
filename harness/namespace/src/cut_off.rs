//! Ends a process the moment it has used up its CPU budget, or holds more memory than it may, by SIGKILL: a loop in JavaScript
//! listens to nothing else.
//!
//! Surprising constraint: the clock of a process that runs on another CPU is read as of that CPU's last tick, up to 4 ms ago.
//! It is exact as soon as the process has been put aside. So whoever looks does so from the very CPU on which the process
//! runs, and comes before it: a thread under the real-time scheduler, pinned anew for each look, and waiting for no lock,
//! whose holder might be put aside as well.

use super::{
    cpu_clock::{self, CpuClock, Whereabouts},
    memory::Memory,
};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::Serialize;
use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, Thread},
    time::Duration,
};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::Notify;

/// How old a clock's reading may be that was taken from another CPU: the longest tick there is, and some.
const STALE: Duration = Duration::from_millis(12);
/// Between two looks at a process that is about to use up its budget. Each puts it aside, so on a busy machine it then has
/// to wait for its turn again.
const NAP: Duration = Duration::from_micros(200);
/// While it waits for something: most that do will go on doing so.
const LONG_NAP: Duration = Duration::from_millis(1);
/// No process takes memory faster, in bytes a millisecond: three times what one thread was seen to write to at first. So
/// nothing is looked at before it can have reached its limit.
const FASTEST_GROWTH: u64 = 4 << 20;
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

/// The amounts that a process may use up before it is ended.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// From now on.
    pub cpu: Duration,
    /// Beyond `memory_from`.
    pub memory: Memory,
    /// The memory that it held before it had run anything.
    pub memory_from: Memory,
}

/// The amount that a process had used of the limit that ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Cpu(Duration),
    Memory(Memory),
}

#[derive(Debug)]
struct Watched {
    process: Pid,
    clock: CpuClock,
    from: Duration,
    until: Duration,
    memory_from: Memory,
    memory: Memory,
    /// By the wall clock.
    next_look: Duration,
    fate: Arc<Fate>,
}

/// How long nothing can go wrong, or what has.
enum Left {
    For(Duration),
    Nothing(Cut),
}

/// The state that watcher and budget share.
#[derive(Debug)]
struct Fate {
    armed: Mutex<bool>,
    /// The CPU time at the cut-off, in nanoseconds; 0 unless it was CPU time that ended the process.
    cut_ns: AtomicU64,
    /// In bytes; 0 unless it was this that ended the process.
    cut_bytes: AtomicU64,
    /// The most that was seen, in bytes.
    most_bytes: AtomicU64,
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

    /// From now on `process` is held to `allowance`. It must not be reaped before the budget is dropped: until then nobody
    /// else can have its id.
    pub fn arm(&self, process: Pid, allowance: Allowance) -> Result<Budget, Errno> {
        let clock = CpuClock::of(process)?;
        let from = clock.read()?;
        let Allowance { cpu, memory, memory_from } = allowance;
        let held = Memory::held_by(process).ok_or(Errno::ESRCH)?.beyond(memory_from);
        let fate = Arc::new(Fate::of_one_that_holds(held));
        // On one thread, CPU time cannot outrun the wall clock.
        let next_look = cpu_clock::wall() + cpu.min(time_to_grow(memory.beyond(held)));
        let (until, fated) = (from + cpu, Arc::clone(&fate));
        let watched = Watched { process, clock, from, until, memory_from, memory, next_look, fate: fated };
        lock(&self.handle.shared.new).push(watched);
        self.handle.watcher.unpark();
        Ok(Budget { process, clock, from, memory_from, fate, _handle: Arc::clone(&self.handle) })
    }
}

fn time_to_grow(by: Memory) -> Duration {
    Duration::from_millis(1).mul_f64(by.bytes() as f64 / FASTEST_GROWTH as f64)
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
    process: Pid,
    clock: CpuClock,
    from: Duration,
    memory_from: Memory,
    fate: Arc<Fate>,
    _handle: Arc<Handle>,
}

impl Budget {
    /// The amount that was used when the process was cut off, if it was.
    pub fn cut(&self) -> Option<Cut> {
        let cpu = self.fate.cut_ns.load(Ordering::Acquire);
        let memory = self.fate.cut_bytes.load(Ordering::Acquire);
        match (cpu, memory) {
            (0, 0) => None,
            (0, bytes) => Some(Cut::Memory(Memory::of_bytes(bytes))),
            (ns, _) => Some(Cut::Cpu(Duration::from_nanos(ns))),
        }
    }

    /// Until the process is cut off; for ever if it ends within its budget.
    pub async fn cut_off(&self) -> Cut {
        loop {
            let told = self.fate.cut.notified();
            if let Some(cut) = self.cut() {
                return cut;
            }
            told.await;
        }
    }

    /// The amount that has been used by now.
    pub fn cpu_used(&self) -> Option<Duration> {
        match self.cut() {
            Some(Cut::Cpu(used)) => Some(used),
            _ => self.clock.read().ok().map(|now| now.saturating_sub(self.from)),
        }
    }

    /// The memory that the process holds in this moment; nothing once it is gone.
    pub fn memory_held(&self) -> Memory {
        Memory::held_by(self.process).unwrap_or_default().beyond(self.memory_from)
    }

    /// The most that it was seen to hold: looks are far apart while it is far from its limit, so less than the peak it may be.
    pub fn most_memory_seen(&self) -> Memory {
        Memory::of_bytes(self.fate.most_bytes.load(Ordering::Acquire)).max(self.memory_held())
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
        let (Some(memory), Some(cpu)) = (self.memory_left(), self.cpu_left(found.cpu)) else { return false };
        let cut = match (cpu, memory) {
            (Left::For(cpu), Left::For(memory)) => {
                let nap = if found.is_running { NAP } else { LONG_NAP };
                self.next_look = cpu_clock::wall() + cpu.min(memory).max(nap);
                return true;
            }
            (Left::Nothing(cut), _) | (_, Left::Nothing(cut)) => cut,
        };
        // Told first: whoever sees the process gone must see why.
        self.fate.cut_at(cut);
        // It may have ended by itself in this very moment, but it has not been reaped, so the id is still its own.
        let _gone = kill(self.process, Signal::SIGKILL);
        // Read again after the kill: this is what was used up, with the time that it took to send the signal.
        match cut {
            Cut::Cpu(_) => {
                if let Ok(killed) = self.clock.read() {
                    self.fate.cut_at(Cut::Cpu(killed.saturating_sub(self.from)));
                }
            }
            // Memory may be on its way back already.
            Cut::Memory(held) => self.fate.cut_at(Cut::Memory(held.max(self.held().unwrap_or_default()))),
        }
        drop(armed);
        self.fate.cut.notify_waiters();
        false
    }

    fn held(&self) -> Option<Memory> {
        Memory::held_by(self.process).map(|held| held.beyond(self.memory_from))
    }

    fn memory_left(&self) -> Option<Left> {
        let held = self.held()?;
        self.fate.saw(held);
        if held > self.memory {
            return Some(Left::Nothing(Cut::Memory(held)));
        }
        Some(Left::For(time_to_grow(self.memory.beyond(held))))
    }

    fn cpu_left(&self, runs_on: usize) -> Option<Left> {
        let from_afar = self.clock.read().ok()?;
        // A reading is never ahead of the truth, so far from the end there is no need to disturb the process.
        let is_far = from_afar + STALE < self.until;
        let now = if is_far { from_afar } else { self.clock_from_beside(runs_on).unwrap_or(from_afar) };
        Some(match self.until.checked_sub(now).filter(|left| !left.is_zero()) {
            Some(left) => Left::For(if is_far { left - STALE } else { left }),
            None => Left::Nothing(Cut::Cpu(now.saturating_sub(self.from))),
        })
    }

    /// Exact, because the process is put aside by whoever comes to its CPU.
    fn clock_from_beside(&self, cpu: usize) -> Option<Duration> {
        stand_on(cpu);
        self.clock.read().ok()
    }
}

/// Moves the watcher to the CPU that it watches. If this is not permitted, the look is less exact, and that is all.
fn stand_on(cpu: usize) {
    if cpu < CpuSet::MAX_CPU {
        let mut only = CpuSet::new();
        only.set(cpu);
        let _elsewhere = sched_setaffinity(None, &only);
    }
}

impl Fate {
    fn of_one_that_holds(held: Memory) -> Fate {
        Fate {
            armed: Mutex::new(true),
            cut_ns: AtomicU64::new(0),
            cut_bytes: AtomicU64::new(0),
            most_bytes: AtomicU64::new(held.bytes()),
            cut: Notify::new(),
        }
    }

    fn cut_at(&self, cut: Cut) {
        match cut {
            Cut::Cpu(used) => {
                let ns = u64::try_from(used.as_nanos()).unwrap_or(u64::MAX);
                self.cut_ns.store(ns.max(1), Ordering::Release);
            }
            Cut::Memory(held) => {
                self.saw(held);
                self.cut_bytes.store(held.bytes().max(1), Ordering::Release);
            }
        }
    }

    fn saw(&self, held: Memory) {
        self.most_bytes.fetch_max(held.bytes(), Ordering::AcqRel);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        os::unix::process::ExitStatusExt,
        process::{Child, Command},
    };

    /// Far beyond what any of these budgets takes to be used up.
    const LIMIT: Duration = Duration::from_secs(20);

    /// Limits of that much CPU time, and of more memory than any of these takes.
    fn cpu(ms: u64) -> Allowance {
        let (cpu, memory) = (Duration::from_millis(ms), Memory::megabytes(1 << 20));
        Allowance { cpu, memory, memory_from: Memory::default() }
    }

    fn shell(script: &str) -> (Child, Pid) {
        let child = Command::new("sh").args(["-c", script]).spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed());
        (child, pid)
    }

    #[tokio::test]
    async fn a_loop_is_killed_and_what_it_used_is_told() {
        let cut_off = CutOff::start().unwrap();
        let (mut child, pid) = shell("while :; do :; done");
        let budget = cut_off.arm(pid, cpu(30)).unwrap();
        let cut = tokio::time::timeout(LIMIT, budget.cut_off()).await.expect("a loop uses up its budget");
        assert!(matches!(cut, Cut::Cpu(used) if used >= Duration::from_millis(30)), "{cut:?}");
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }

    #[tokio::test]
    async fn a_process_that_waits_keeps_its_life() {
        let cut_off = CutOff::start().unwrap();
        let (mut child, pid) = shell("sleep 0.3; exit 7");
        let budget = cut_off.arm(pid, cpu(200)).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert_eq!(budget.cut(), None);
    }

    #[tokio::test]
    async fn a_budget_that_was_dropped_kills_nobody() {
        let cut_off = CutOff::start().unwrap();
        let (mut child, pid) = shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exit 7");
        drop(cut_off.arm(pid, cpu(5)).unwrap());
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }

    #[tokio::test]
    async fn a_process_that_takes_too_much_memory_is_killed_for_that() {
        let cut_off = CutOff::start().unwrap();
        let (mut child, pid) = shell("s=x; while :; do s=$s$s; done");
        let limit = Memory::megabytes(64);
        let budget = cut_off.arm(pid, Allowance { memory: limit, ..cpu(LIMIT.as_millis() as u64) }).unwrap();
        let cut =
            tokio::time::timeout(LIMIT, budget.cut_off()).await.expect("what doubles does not stay within bounds");
        assert!(matches!(cut, Cut::Memory(held) if held > limit), "{cut:?}");
        assert!(budget.most_memory_seen() > limit);
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }

    #[tokio::test]
    async fn what_a_process_held_before_is_not_its_invocations() {
        let cut_off = CutOff::start().unwrap();
        let (mut child, pid) = shell("sleep 0.3; exit 7");
        let memory_from = Memory::megabytes(1 << 10);
        let budget = cut_off.arm(pid, Allowance { memory: Memory::megabytes(1), memory_from, ..cpu(200) }).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert_eq!((budget.cut(), budget.most_memory_seen()), (None, Memory::default()));
    }

    #[tokio::test]
    async fn many_budgets_are_kept_apart() {
        let cut_off = CutOff::start().unwrap();
        let (mut burning, burner) = shell("while :; do :; done");
        let (mut waiting, waiter) = shell("sleep 0.2; exit 7");
        let burners = cut_off.arm(burner, cpu(20)).unwrap();
        let waiters = cut_off.arm(waiter, cpu(20)).unwrap();
        tokio::time::timeout(LIMIT, burners.cut_off()).await.expect("a loop uses up its budget");
        assert_eq!(burning.wait().unwrap().signal(), Some(9));
        assert_eq!(waiting.wait().unwrap().code(), Some(7));
        assert_eq!(waiters.cut(), None);
    }
}
