//! Seeded bugs cannot be compiled into what ships. Compiles `seeded.rs` alone, which is why it needs nothing of the crate.

use std::{
    env, fs,
    process::{Command, id},
};
use x402_paywall::seeded::{self, Bug};

const WITH_BUGS: [&str; 2] = ["--cfg", "feature=\"seeded-bugs\""];

/// Whether it compiles, and what the compiler said.
fn compile(test: &str, flags: &[&str]) -> (bool, String) {
    let out = env::temp_dir().join(format!("402claw-seeded-{test}-{}", id()));
    fs::create_dir_all(&out).expect("a folder of our own");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--out-dir"]).arg(&out).args(flags);
    let output =
        command.arg("src/seeded.rs").current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("there is a rustc");
    fs::remove_dir_all(&out).expect("it is ours");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn they_compile_with_debug_assertions_and_not_without() {
    let with = |assertions| compile(assertions, &[&WITH_BUGS[..], &["-C", assertions]].concat());
    let (compiled, said) = with("debug-assertions=on");
    assert!(compiled, "{said}");
    let (compiled, said) = with("debug-assertions=off");
    assert!(!compiled && said.contains("no build without debug assertions may have them"), "{said}");
}

#[test]
fn without_the_feature_a_release_compiles_and_nothing_has_a_bug() {
    let (compiled, said) = compile("none", &["-C", "debug-assertions=off"]);
    assert!(compiled, "{said}");
    assert!(!seeded::COMPILED_IN && Bug::ALL.iter().all(|bug| !seeded::has(*bug)));
}
