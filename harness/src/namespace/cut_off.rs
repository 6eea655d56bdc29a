//! Ends a process the moment it has used up its CPU budget, by SIGKILL: a loop in JavaScript listens to nothing else.
//!
//! Surprising constraint: a thread that sleeps until the moment comes too late by however long the scheduler takes to wake
//! it, which is milliseconds on a busy machine. So the watcher wakes early, naps, and looks on without sleeping at the very
//! end, as long as the process it looks at is running: one that waits for something uses up nothing.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::setpriority_process;
use serde::Serialize;
use tokio::sync::watch;

use super::cpu_clock::CpuClock;

/// How long before a budget can be used up the watcher begins to nap: what a wake-up takes beside a busy core or two.
const HEAD_START: Duration = Duration::from_millis(3);
/// How long before that it stops sleeping. Shorter than the scheduler's slice, or it would be put aside at the end of it.
const FINAL: Duration = Duration::from_millis(1);
/// Between two looks at a process that is near its budget.
const NAP: Duration = Duration::from_micros(250);
/// The watcher does next to nothing, but must do it before everybody else.
const FIRST_OF_ALL: i32 = -20;

/// How the scheduler treats the watcher's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Priority {
    /// Before others: as root, or with CAP_SYS_NICE.
    Raised,
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
struct Handle(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    armed: Mutex<Armed>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Armed {
    budgets: BTreeMap<u64, Watched>,
    next_id: u64,
    closed: bool,
}

#[derive(Debug)]
struct Watched {
    process: Pid,
    clock: CpuClock,
    from: Duration,
    until: Duration,
    /// At the last look.
    seen: Duration,
    cut: watch::Sender<Option<Duration>>,
}

/// What the watcher does until its next look.
enum Pause {
    UntilArmed,
    Sleep(Duration),
    LookAgain,
}

impl CutOff {
    pub fn start() -> io::Result<CutOff> {
        let shared = Arc::new(Shared::default());
        let watched = Arc::clone(&shared);
        let (tell, told) = mpsc::channel();
        thread::Builder::new().name("cpu cut-off".to_owned()).spawn(move || {
            // Of this thread alone, on Linux.
            let raised = setpriority_process(None, FIRST_OF_ALL);
            let priority = raised.map_or(Priority::Ordinary, |()| Priority::Raised);
            // Whoever starts a watcher waits for this.
            let _heard = tell.send(priority);
            watched.watch();
        })?;
        let priority = told.recv().map_err(io::Error::other)?;
        Ok(CutOff { handle: Arc::new(Handle(shared)), priority })
    }

    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// From now on `process` may compute for `budget`. It must not be reaped before the budget is dropped: until then
    /// nobody else can have its id.
    pub fn arm(&self, process: Pid, budget: Duration) -> Result<Budget, Errno> {
        let clock = CpuClock::of(process)?;
        let from = clock.read()?;
        let (cut, is_cut) = watch::channel(None);
        let mut armed = self.handle.0.lock();
        let id = armed.next_id;
        armed.next_id += 1;
        armed.budgets.insert(id, Watched { process, clock, from, until: from + budget, seen: from, cut });
        drop(armed);
        self.handle.0.changed.notify_one();
        Ok(Budget { id, clock, from, cut: is_cut, handle: Arc::clone(&self.handle) })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_one();
    }
}

/// An armed budget. Once it is dropped nothing is killed on its account.
#[derive(Debug)]
pub struct Budget {
    id: u64,
    clock: CpuClock,
    from: Duration,
    cut: watch::Receiver<Option<Duration>>,
    handle: Arc<Handle>,
}

impl Budget {
    /// What was used up when the process was cut off, if it was.
    pub fn cut(&self) -> Option<Duration> {
        *self.cut.borrow()
    }

    /// Until the process is cut off; for ever if it ends within its budget.
    pub async fn cut_off(&self) -> Duration {
        let mut cut = self.cut.clone();
        match cut.wait_for(Option::is_some).await.map(|cut| *cut) {
            Ok(Some(used)) => used,
            // The watcher lets go of what cannot be cut off any more.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// What has been used up by now.
    pub fn used(&self) -> Option<Duration> {
        self.cut().or_else(|| self.clock.read().ok().map(|now| now.saturating_sub(self.from)))
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        self.handle.0.lock().budgets.remove(&self.id);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) {
        let mut armed = self.lock();
        while !armed.closed {
            armed = match armed.look() {
                Pause::UntilArmed => self.changed.wait(armed).unwrap_or_else(PoisonError::into_inner),
                Pause::Sleep(time) => self.changed.wait_timeout(armed, time).unwrap_or_else(PoisonError::into_inner).0,
                Pause::LookAgain => {
                    drop(armed);
                    std::hint::spin_loop();
                    self.lock()
                }
            };
        }
    }
}

impl Armed {
    /// Cuts off what has used up its budget.
    fn look(&mut self) -> Pause {
        let mut pause = Pause::UntilArmed;
        self.budgets.retain(|_, watched| match watched.look() {
            Some(next) => {
                pause = sooner(std::mem::replace(&mut pause, Pause::UntilArmed), next);
                true
            }
            None => false,
        });
        pause
    }
}

impl Watched {
    /// When to look again; `None` when there is nothing left to look at.
    fn look(&mut self) -> Option<Pause> {
        // A process that has no clock any more has ended.
        let now = self.clock.read().ok()?;
        let ran = now > std::mem::replace(&mut self.seen, now);
        let Some(left) = self.until.checked_sub(now).filter(|left| !left.is_zero()) else {
            // Told first: whoever sees the process gone must see why.
            self.cut.send_replace(Some(now.saturating_sub(self.from)));
            // It may have ended by itself in this very moment, but it has not been reaped, so the id is still its own.
            let _gone = kill(self.process, Signal::SIGKILL);
            // Read again after the kill: this is what was used up, with the time that it took to send the signal.
            if let Ok(killed) = self.clock.read() {
                self.cut.send_replace(Some(killed.saturating_sub(self.from)));
            }
            return None;
        };
        Some(if left > HEAD_START {
            // On one thread, CPU time cannot outrun the wall clock.
            Pause::Sleep(left - HEAD_START)
        } else if left > FINAL {
            Pause::Sleep((left - FINAL).min(NAP))
        } else if ran {
            Pause::LookAgain
        } else {
            Pause::Sleep(left.min(NAP))
        })
    }
}

fn sooner(one: Pause, other: Pause) -> Pause {
    match (one, other) {
        (Pause::LookAgain, _) | (_, Pause::LookAgain) => Pause::LookAgain,
        (Pause::Sleep(one), Pause::Sleep(other)) => Pause::Sleep(one.min(other)),
        (Pause::UntilArmed, pause) | (pause, Pause::UntilArmed) => pause,
    }
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
