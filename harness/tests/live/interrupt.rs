//! An interrupted run leaves nothing behind: no workerd, no node, no esbuild.

use crate::harness::{harness, turn};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

/// Processes that were started for the run: its folder is in their command line or is their working directory.
fn processes_of(run_dir: &Path) -> Vec<String> {
    let run_dir = run_dir.to_str().expect("a test's folder is UTF-8");
    let pids = fs::read_dir("/proc").expect("a Linux machine has /proc").flatten();
    pids.filter_map(|entry| {
        // A process may end between the two looks.
        let command = String::from_utf8_lossy(&fs::read(entry.path().join("cmdline")).ok()?).replace('\0', " ");
        let works_in = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let is_ours = command.contains(run_dir) || works_in.starts_with(run_dir);
        (is_ours && !command.contains(" scenario ")).then_some(command)
    })
    .collect()
}

#[test]
fn an_interrupt_in_the_middle_of_a_run_leaves_no_process() {
    let _turn = turn();
    let run_dir = std::env::temp_dir().join(format!("harness-interrupted-{}", std::process::id()));
    let mut run = harness(&["scenario", "outage", "--run-dir", run_dir.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut progress = BufReader::new(run.stderr.take().unwrap()).lines();
    let started = progress.by_ref().map_while(Result::ok).any(|line| line.contains("phase steady"));
    assert!(started, "the run never reached its traffic");
    let run_dir = run_dir.canonicalize().unwrap();
    assert!(!processes_of(&run_dir).is_empty(), "nothing ran that an interrupt could leave behind");

    kill(Pid::from_raw(i32::try_from(run.id()).unwrap()), Signal::SIGINT).unwrap();
    progress.for_each(drop);
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert_eq!(processes_of(&run_dir), Vec::<String>::new());
    assert!(run_dir.join("events.jsonl").is_file(), "what was seen so far is kept");
    fs::remove_dir_all(run_dir).unwrap();
}
