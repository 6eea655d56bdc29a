//! A run that is interrupted, or whose world loses a part, leaves nothing behind: no workerd, no node, no esbuild.

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
    numbered(run_dir).into_iter().map(|(_, command)| command).collect()
}

fn numbered(run_dir: &Path) -> Vec<(i32, String)> {
    let run_dir = run_dir.to_str().expect("a test's folder is UTF-8");
    let pids = fs::read_dir("/proc").expect("a Linux machine has /proc").flatten();
    pids.filter_map(|entry| {
        // A process may end between the two looks.
        let command = String::from_utf8_lossy(&fs::read(entry.path().join("cmdline")).ok()?).replace('\0', " ");
        let works_in = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let is_ours = command.contains(run_dir) || works_in.starts_with(run_dir);
        let pid = entry.file_name().to_str()?.parse().ok()?;
        (is_ours && !command.contains(" scenario ")).then_some((pid, command))
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

/// Kills the first process of a run that `is_it`, and gives what the run said and ended with.
fn without(name: &str, is_it: impl Fn(&str) -> bool) -> (Option<i32>, String) {
    let run_dir = std::env::temp_dir().join(format!("harness-{name}-{}", std::process::id()));
    let mut run = harness(&["scenario", "outage", "--run-dir", run_dir.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(run.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.by_ref().any(|line| line.contains("phase steady")), "the run never reached its traffic");
    let run_dir = run_dir.canonicalize().unwrap();
    let (victim, _) = numbered(&run_dir)
        .into_iter()
        .find(|(_, command)| !command.contains("__guard") && is_it(command))
        .expect("a part of every world");
    kill(Pid::from_raw(victim), Signal::SIGKILL).unwrap();
    let said: Vec<String> = said.collect();
    let code = run.wait().unwrap().code();
    assert_eq!(processes_of(&run_dir), Vec::<String>::new());
    fs::remove_dir_all(run_dir).unwrap();
    (code, said.join("\n"))
}

#[test]
fn a_part_that_dies_ends_the_run_by_its_name_and_leaves_no_process() {
    let _turn = turn();
    let (code, said) = without("namespace", |command| command.contains("__namespace"));
    assert_eq!(code, Some(15), "{said}");
    let told = "harness: the dispatch namespace ended by itself (killed by signal 9); its log ";
    assert!(said.contains(told) && said.contains("namespace.log"), "{said}");

    let (code, said) = without("workerd", |command| command.contains("workerd serve --binary"));
    assert_eq!(code, Some(15), "{said}");
    let told = "harness: a workerd of wrangler dev ended by itself (process ";
    assert!(said.contains(told) && said.contains("wrangler.log, and ends with:"), "{said}");
}
