//! What a person gets who mistypes: the reason, the place and a way out, before anything is set up or started.

use crate::harness::run_quietly;

#[test]
fn a_misspelt_scenario_is_answered_with_the_nearest() {
    let (code, _, stderr) = run_quietly(&["scenario", "outag"]);
    assert_eq!(code, 14);
    assert!(stderr.contains("did you mean `outage`?"), "{stderr}");
}

#[test]
fn a_broken_scenario_file_is_shown_at_its_line_and_column() {
    let file = std::env::temp_dir().join(format!("harness-broken-{}.toml", std::process::id()));
    let outage = include_str!("../../../scenarios/outage.toml");
    std::fs::write(&file, outage.replacen("on            = \"primary\"", "on            = \"primry\"", 1)).unwrap();
    let (code, _, stderr) = run_quietly(&["scenario", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code, 14);
    assert!(stderr.contains("primry") && stderr.contains("primary") && stderr.contains("standby"), "{stderr}");
    let line = outage.lines().position(|line| line.starts_with("on            =")).unwrap() + 1;
    assert!(stderr.contains(&format!(":{line}:")), "{stderr}");
}

#[test]
fn list_shows_every_scenario_with_its_title() {
    let (code, stdout, _) = run_quietly(&["list"]);
    assert_eq!(code, 0);
    for (name, title) in [("outage", "The primary facilitator refuses"), ("settle-lies", "The primary says")] {
        assert!(stdout.lines().any(|line| line.contains(name) && line.contains(title)), "{stdout}");
    }
}
