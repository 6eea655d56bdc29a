//! The program in a folder of its own.

use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

static NEXT: AtomicU32 = AtomicU32::new(0);

pub struct Shop(PathBuf);

impl Shop {
    pub fn new() -> Self {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("402claw-shop-{}-{n}", process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn json_file(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_402claw"));
        command.args(args).current_dir(&self.0).stdin(Stdio::null()).env("USER", "ann").env("NO_COLOR", "1");
        for name in [
            "CLAW_HOME",
            "CLAW_BUYER_KEY",
            "CLAW_PLATFORM_TOKEN",
            "CLAW_CONTROL_TOKEN",
            "CLAW_GATE",
            "CLOUDFLARE_API_TOKEN",
            "CLOUDFLARE_API_TOKEN_FILE",
            "UPSTREAM_SECRET",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program was built for this test")
    }

    pub fn with(&self, name: &str, value: &str, args: &[&str]) -> Output {
        self.command(args).env(name, value).output().unwrap()
    }

    pub fn with_all(&self, variables: &[(&str, &str)], args: &[&str]) -> Output {
        self.command(args).envs(variables.iter().copied()).output().unwrap()
    }

    pub fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Behind words of a shell.
    pub fn under(&self, words: &str, args: &[&str]) -> Output {
        let program = env!("CARGO_BIN_EXE_402claw");
        let line = format!("{words}; exec \"$0\" \"$@\"");
        Command::new("sh")
            .args(["-c", &line, program])
            .args(args)
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    pub fn ok_json(&self, args: &[&str]) -> Value {
        let args = [&["--format", "json"][..], args].concat();
        serde_json::from_str(&self.ok(&args)).expect("JSON alone")
    }

    /// Exit code, and what was said on standard error.
    pub fn fails(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        assert!(!output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
        (output.status.code().expect("it was not killed"), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
