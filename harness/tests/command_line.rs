//! The binary as a user meets it: exit codes, and what goes to which stream.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn harness(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harness")).args(args).env("NO_COLOR", "1").output().expect("the binary was built")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_broken_scenario_ends_with_14_and_names_its_line_and_column() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("broken.toml");
    let outage = include_str!("../../scenarios/outage.toml").replace("\"standby\"]", "\"stand by\"]");
    fs::write(&file, &outage).expect("the folder is cargo's own for this");
    let line = 1 + outage.lines().position(|line| line.starts_with("facilitators")).expect("it has some");
    let output = harness(&["scenario", &file.display().to_string()]);
    assert_eq!(output.status.code(), Some(14));
    assert!(stderr(&output).contains(&format!("broken.toml:{line}:")), "{}", stderr(&output));
    assert!(stderr(&output).contains("`stand by` is not a name"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "", "errors are not output");
}

#[test]
fn a_scenario_that_does_not_exist_ends_with_14_and_the_nearest() {
    let output = harness(&["scenario", "outrage"]);
    assert_eq!(output.status.code(), Some(14));
    assert!(stderr(&output).contains("did you mean `outage`?"), "{}", stderr(&output));
}

#[test]
fn the_list_goes_to_stdout() {
    let output = harness(&["list"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("outage "), "{}", stdout(&output));
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    assert_eq!(harness(&["scenaro", "outage"]).status.code(), Some(2));
    assert_eq!(harness(&["scenario", "outage", "--seed", "9223372036854775808"]).status.code(), Some(2));
    assert_eq!(harness(&["list", "--faults", "--checkers"]).status.code(), Some(2));
}

#[test]
fn what_is_printed_for_programs_is_json_alone_and_so_is_an_error() {
    let new = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("new-{}.toml", std::process::id()));
    let new = new.display().to_string();
    let empty = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("no-runs-{}", std::process::id()));
    let empty = empty.display().to_string();
    for (args, code) in [
        (&["list"][..], 0),
        (&["list", "--faults"], 0),
        (&["rules"], 0),
        (&["rules", "MONEY-3"], 0),
        (&["explain", "outage"], 0),
        (&["schema", "--check"], 0),
        (&["new", "mine", "-o", &new], 0),
        (&["clean", "--dry-run", "--runs-dir", &empty], 0),
        (&["selftest", "--list"], 0),
        (&["gate", "--plan"], 0),
        (&["meta", "outage"], 0),
        (&["export", "nowhere"], 14),
        (&["check", "nowhere"], 14),
        (&["merge", "nowhere"], 2),
        (&["shrink", "nowhere"], 2),
        (&["drill", "nothing"], 2),
        (&["fault", "list", "--runs-dir", &empty], 15),
        (&["scenario", "outrage"], 14),
        (&["scenaro"], 2),
    ] {
        let args = [args, &["--format", "json"]].concat();
        let output = harness(&args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {}", stdout(&output)));
        assert_eq!(told["error"].is_object(), code != 0, "{args:?}: {told}");
    }
    fs::remove_file(new).expect("it was written");
}

#[test]
fn what_judges_writes_every_report() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("reports-{}", std::process::id()));
    let formats = ["terminal", "json", "junit", "sarif", "markdown", "html", "trace"];
    let tally = folder.join("tally.json").display().to_string();
    let runs = folder.join("runs").display().to_string();
    for args in [
        &["meta", "outage"][..],
        &["swarm", "--runs", "1", "--seed", "1", "--out", &tally, "--runs-dir", &runs],
        &["merge", &tally],
    ] {
        let into = folder.join(args[0]);
        let files = formats.map(|format| format!("--report={format}={}", into.join(format).display()));
        let args: Vec<&str> = args.iter().copied().chain(files.iter().map(String::as_str)).collect();
        fs::create_dir_all(&folder).expect("the folder is cargo's own for this");
        let output = harness(&args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        for format in formats {
            assert!(fs::metadata(into.join(format)).is_ok_and(|file| file.len() > 0), "{args:?}: {format}");
        }
    }
    fs::remove_dir_all(folder).expect("it is ours");
}

/// A report that nobody got is no pass, and no bug of ours either.
#[test]
fn output_that_cannot_be_written_ends_with_74_and_one_line() {
    for args in [&["list"][..], &["rules"], &["--help"], &["explain", "outage"], &["schema", "--print"]] {
        let full = fs::File::options().write(true).open("/dev/full").expect("it is there");
        let output =
            Command::new(env!("CARGO_BIN_EXE_harness")).args(args).stdout(full).output().expect("it was built");
        assert_eq!(output.status.code(), Some(74), "{args:?}");
        let said = stderr(&output);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("harness: standard output cannot be written: No space left"), "{said}");
    }
}

#[test]
fn output_that_nobody_reads_to_its_end_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["rules"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it was built");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
}

/// A copied checkout is worked in by itself, whatever compiled the program.
#[test]
fn runs_are_kept_beside_the_scenarios_that_were_found_and_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("copied-{}", std::process::id()));
    let scenarios = copy.join("scenarios");
    fs::create_dir_all(&scenarios).expect("the folder is cargo's own for this");
    fs::write(scenarios.join("outage.toml"), include_str!("../../scenarios/outage.toml")).expect("it can be written");
    fs::write(copy.join("known.toml"), include_str!("../../known.toml")).expect("it can be written");
    let run = |umask: &str, more: &str| {
        let script = format!("umask {umask}; exec \"$0\" scenario outage --tier sim {more}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_harness")]).current_dir(&scenarios).env("NO_COLOR", "1");
        let output = shell.output().expect("there is a shell");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    };
    let runs = |folder: &str| -> Vec<PathBuf> {
        let all = fs::read_dir(copy.join(folder)).expect("there are runs").map(|entry| entry.expect("an entry").path());
        all.collect()
    };
    run("000", "");
    run("077", "--runs-dir ../elsewhere");
    assert_eq!((runs("runs").len(), runs("elsewhere").len()), (1, 1));
    for folder in [runs("runs"), runs("elsewhere")].concat() {
        let mode = |path: &PathBuf| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for file in fs::read_dir(&folder).expect("it can be read") {
            let file = file.expect("an entry").path();
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }
    fs::remove_dir_all(copy).expect("it is ours");
}
