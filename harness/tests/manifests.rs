//! What a cluster and the swarm's workflow run, run here: the very command lines of their manifests, shard by shard, with the
//! harness of this build in the image's place and one run a shard in place of ten minutes.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

const JOB: &str = include_str!("../../deploy/swarm/job.yaml");
const WORKFLOW: &str = include_str!("../../.github/workflows/swarm.yml");
const HARNESS: &str = env!("CARGO_BIN_EXE_harness");
const COMMIT: &str = "3de3b6d1f0a9c8b7e6d5c4b3a29181706f5e4d3c";
/// How the manifests say how long a shard goes on, and what stands there in this test.
const EXTENT: (&str, &str) = ("--for 10m", "--runs 1");

/// A folder of its own, away from the sources.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("manifests-{name}"));
        if path.exists() {
            std::fs::remove_dir_all(&path).expect("an earlier run's");
        }
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// A command as a container or a runner would run it: by a shell, which finds the harness by its name.
    fn sh(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let bin = Path::new(HARNESS).parent().expect("it is in a folder").display().to_string();
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).current_dir(&self.0).env("PATH", path).envs(variables.iter().copied());
        shell.output().expect("a shell")
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.0.join(name)).expect(name)).expect(name)
    }

    /// The result of a swarm of that many runs where it is not cut into shards.
    fn whole(&self, runs: usize) -> Value {
        let swarm =
            format!("harness swarm --runs {runs} --keep-going --seed {COMMIT} --runs-dir whole --out whole.json");
        done(&self.sh(&swarm, &[]), &[0, 10]);
        self.json("whole.json")
    }
}

fn done(output: &Output, codes: &[i32]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|code| codes.contains(&code)), "{output:?}\n{said}");
}

/// With what this test has in place of ten minutes.
fn shortened(script: &str) -> String {
    assert!(script.contains(EXTENT.0), "{script}");
    script.replace(EXTENT.0, EXTENT.1)
}

/// Which runs there were and what came of them; how long they took, and on how many machines, is left aside.
fn outcome(tally: &Value) -> Value {
    let seeds: Vec<_> = tally["failures"].as_array().expect("a list").iter().map(|failure| &failure["seed"]).collect();
    serde_json::json!([tally["seed"], tally["runs"], tally["broken_runs"], tally["requests"], tally["rules"], seeds])
}

fn container(pod: &Yaml) -> &Yaml {
    &pod["spec"]["containers"][0]
}

/// The one line that the container's shell gets.
fn script(container: &Yaml) -> &str {
    let command: Vec<_> = container["command"].as_vec().expect("a command").iter().filter_map(Yaml::as_str).collect();
    assert_eq!(command, ["sh", "-c"]);
    let args = container["args"].as_vec().expect("arguments");
    assert_eq!(args.len(), 1);
    args[0].as_str().expect("a script")
}

#[test]
fn the_jobs_shards_joined_are_the_swarm_that_one_machine_would_have_run() {
    let documents = YamlLoader::load_from_str(JOB).expect("YAML");
    let of_kind = |kind: &str| documents.iter().find(|one| one["kind"].as_str() == Some(kind)).expect("it is there");
    let (job, merge) = (&of_kind("Job")["spec"], &of_kind("CronJob")["spec"]["jobTemplate"]["spec"]["template"]);
    // `backoffLimitPerIndex` is for these alone; and a pod needs an index to have one.
    assert_eq!(
        (job["completionMode"].as_str(), job["completions"].as_i64()),
        (Some("Indexed"), job["parallelism"].as_i64())
    );
    assert_eq!(job["template"]["spec"]["restartPolicy"].as_str(), Some("Never"));
    let shards = job["completions"].as_i64().expect("a number");

    let folder = Folder::new("job");
    let results = folder.0.display().to_string();
    let here =
        |script: &str| script.replace("--seed COMMIT", &format!("--seed {COMMIT}")).replace("/results", &results);
    let shard = here(&shortened(script(container(&job["template"]))));
    for index in 0..shards {
        done(&folder.sh(&shard, &[("JOB_COMPLETION_INDEX", &index.to_string())]), &[0]);
    }
    let merge = here(script(container(merge)));
    let merged = folder.sh(&format!("{merge} --out {results}/merged"), &[]);
    done(&merged, &[0, 10]);
    assert_eq!(outcome(&folder.json("merged")), outcome(&folder.whole(shards as usize)));

    // A shard that is missing is no pass.
    std::fs::remove_file(folder.0.join("0.json")).expect("the first shard's");
    std::fs::remove_file(folder.0.join("whole.json")).expect("the whole swarm's");
    done(&folder.sh(&merge, &[]), &[10, 11]);
}

#[test]
fn the_workflows_matrix_joined_is_the_swarm_that_one_machine_would_have_run() {
    let workflow = YamlLoader::load_from_str(WORKFLOW).expect("YAML").remove(0);
    let (shard, merge) = (&workflow["jobs"]["shard"], &workflow["jobs"]["merge"]);
    let run = |job: &Yaml| -> String {
        let steps = job["steps"].as_vec().expect("steps");
        steps.iter().find_map(|step| step["run"].as_str()).expect("a step that runs something").to_owned()
    };
    // Built already; the rest is run as it stands.
    let built = "cargo build --profile load -p harness\n";
    let (simulate, join) = (run(shard), run(merge));
    assert!(simulate.starts_with(built), "{simulate}");
    let simulate = shortened(&simulate[built.len()..]).replace("target/load/harness", "harness");
    let join = join.replace("cargo run -p harness --", "harness");

    let folder = Folder::new("workflow");
    let matrix = shard["strategy"]["matrix"]["index"].as_vec().expect("a matrix");
    for index in matrix.iter().map(|index| index.as_i64().expect("a number").to_string()) {
        let simulate = simulate.replace("${{ matrix.index }}", &index);
        done(&folder.sh(&simulate, &[("GITHUB_SHA", COMMIT)]), &[0]);
    }
    done(&folder.sh(&format!("{} --out merged.json", join.trim()), &[]), &[0, 10]);
    assert_eq!(outcome(&folder.json("merged.json")), outcome(&folder.whole(matrix.len())));
}
