//! Nothing that the guard started may survive the harness. Surprising constraint: the harness's stand-in here is a shell
//! that holds the leash, because a test cannot kill its own process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// A child, a child in a group of its own, and an orphan: each says its pid and sleeps far longer than any test.
const FAMILY: &str = "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; (sleep 1000 & echo $!); echo $$; wait";
/// The same, and deaf to every polite signal.
const STUBBORN: &str = "trap '' INT TERM; sleep 1000 & echo $!; echo $$; wait; sleep 1000";

/// Far beyond the guard's grace, so that only a survivor runs into it.
const LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

struct Parent {
    shell: Child,
    family: Vec<Pid>,
}

impl Parent {
    /// A parent that is not the test starts the guard and holds its leash: `sleep` writes nothing into it. A guard that
    /// ends by itself takes this parent along, so that the test fails and does not wait.
    fn guarding(script: &str) -> Parent {
        let guard = env!("CARGO_BIN_EXE_harness");
        // Whoever runs the tests in the background of a script has made them ignore an interrupt, and children inherit that.
        let mut shell = Command::new("env")
            .args([
                "--default-signal=INT",
                "sh",
                "-c",
                r#"sleep 1000 | { "$0" __guard -- sh -c "$1"; kill 0; }"#,
                guard,
                script,
            ])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pids = script.matches("echo").count();
        let output = BufReader::new(shell.stdout.take().unwrap());
        let family = output.lines().take(pids).map(|pid| Pid::from_raw(pid.unwrap().parse().unwrap())).collect();
        Parent { shell, family }
    }

    /// The shell and the `sleep` that holds the leash; the guard has left their group.
    fn signal(&mut self, signal: Signal) {
        killpg(Pid::from_raw(i32::try_from(self.shell.id()).unwrap()), signal).unwrap();
    }

    fn assert_nothing_survives(&mut self) {
        self.shell.wait().unwrap();
        for pid in &self.family {
            let mut waited = Duration::ZERO;
            while is_running(*pid) {
                assert!(waited < LIMIT, "{pid} survived");
                pause();
                waited += POLL;
            }
        }
    }
}

impl Drop for Parent {
    /// A test that failed leaves nothing behind either.
    fn drop(&mut self) {
        let _gone = killpg(Pid::from_raw(i32::try_from(self.shell.id()).unwrap()), Signal::SIGKILL);
        let _collected = self.shell.wait();
    }
}

/// A zombie that nobody has collected does not run.
fn is_running(pid: Pid) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    kill(pid, None).is_ok() && !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

#[expect(clippy::disallowed_methods, reason = "there is no runtime here that could be blocked")]
fn pause() {
    std::thread::sleep(POLL);
}

#[test]
fn nothing_survives_a_parent_killed_by_sigkill() {
    let mut parent = Parent::guarding(FAMILY);
    assert_eq!(parent.family.len(), 4);
    assert!(parent.family.iter().all(|pid| is_running(*pid)));
    parent.signal(Signal::SIGKILL);
    parent.assert_nothing_survives();
}

#[test]
fn nothing_survives_an_interrupt_or_a_termination() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut parent = Parent::guarding(FAMILY);
        parent.signal(signal);
        parent.assert_nothing_survives();
    }
}

#[test]
fn a_command_deaf_to_polite_signals_is_killed() {
    let mut parent = Parent::guarding(STUBBORN);
    parent.signal(Signal::SIGKILL);
    parent.assert_nothing_survives();
}

#[test]
fn descendants_of_a_command_that_exits_by_itself_are_killed_and_its_code_is_kept() {
    let guard = env!("CARGO_BIN_EXE_harness");
    let mut command = Command::new(guard);
    command.args(["__guard", "--", "sh", "-c", "sleep 1000 & echo $!; exit 7"]);
    // The leash stays held for as long as the child is waited for.
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let leash = child.stdin.take();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
    assert!(!is_running(Pid::from_raw(line.trim().parse().unwrap())));
    drop(leash);
}
