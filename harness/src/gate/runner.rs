//! Runs a gate's parts, each as a program under its own guard: so that none outlives the gate, and a part that dies takes no
//! other with it.
//!
//! A person's first Ctrl-C begins nothing more and lets what is under way end; the second stops it. So does the end of the time.

use super::{Finished, GateError};
use crate::exit::Exit;
use gate::{Job, Needs, Program, at_once, stages};
use std::{
    collections::VecDeque,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use system::{
    clock::{Clock, SystemClock},
    guard::{Files, Guard, GuardedCommand, Output},
    interrupt::Interruption,
};
use tokio::{io::AsyncReadExt, sync::watch, task::JoinSet};

/// After the time is over, what is under way may go on for as long.
const GRACE: Duration = Duration::from_secs(60);
/// Between two looks at the time.
const TICK: Duration = Duration::from_millis(250);

/// How parts are run.
pub struct Runner<'a> {
    pub guard: Guard,
    pub harness: PathBuf,
    pub loadtests: PathBuf,
    /// Entry of the bundle that every part runs.
    pub bundle: &'a Path,
    /// The folder for the runs of parts, and for what they say.
    pub folder: &'a Path,
    pub cores: usize,
    /// After which nothing is begun.
    pub time: Duration,
}

/// A part that has ended, by its place in the plan.
pub struct Ran {
    pub at: usize,
    pub finished: Finished,
}

/// Whether parts may be begun, and whether those under way may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leave {
    Begin,
    Finish,
    Stop,
}

impl Runner<'_> {
    /// Runs them stage by stage, and tells of each as it ends. Gives whether it was cut short, and by a person.
    pub async fn run(&self, jobs: &[Job], say: &dyn Fn(&str), tell: &mut dyn FnMut(Ran)) -> Result<Cut, GateError> {
        let clock = SystemClock::start();
        let mut first = Interruption::heed_twice();
        let mut second = first.clone();
        let (leave, left) = watch::channel(Leave::Begin);
        let mut cut = Cut::default();
        let mut at = 0;
        for (needs, stage) in stages(jobs) {
            let mut waiting: VecDeque<usize> = (at..at + stage.len()).collect();
            at += stage.len();
            let mut running: JoinSet<Result<Ran, GateError>> = JoinSet::new();
            loop {
                while *leave.borrow() == Leave::Begin && running.len() < at_once(needs, self.cores) {
                    let Some(next) = waiting.pop_front() else { break };
                    if needs >= Needs::World {
                        say(&format!("{} ...", jobs[next].id));
                    }
                    running.spawn(self.part(next, &jobs[next], left.clone())?);
                }
                if running.is_empty() {
                    break;
                }
                tokio::select! {
                    Some(ended) = running.join_next() => tell(ended.expect("a part's task never panics")?),
                    () = first.asked(), if !cut.by_person => {
                        cut.by_person = true;
                        leave.send_replace(Leave::Finish);
                        say(&format!("finishing {} parts that are under way; Ctrl-C again stops them", running.len()));
                    }
                    () = second.asked_twice(), if cut.by_person && *leave.borrow() < Leave::Stop => {
                        say("stopping");
                        leave.send_replace(Leave::Stop);
                    }
                    () = tokio::time::sleep(TICK) => {
                        let passed = Duration::from_micros(clock.now_us());
                        if passed > self.time && !cut.by_time {
                            cut.by_time = true;
                            say("the time is over: nothing more is begun");
                            leave.send_if_modified(|leave| (*leave == Leave::Begin).then(|| *leave = Leave::Finish).is_some());
                        }
                        if passed > self.time + GRACE {
                            leave.send_if_modified(|leave| (*leave < Leave::Stop).then(|| *leave = Leave::Stop).is_some());
                        }
                    }
                }
            }
        }
        Ok(cut)
    }

    /// Starts nothing yet: the future does.
    fn part(
        &self,
        at: usize,
        job: &Job,
        mut leave: watch::Receiver<Leave>,
    ) -> Result<impl Future<Output = Result<Ran, GateError>> + Send + use<>, GateError> {
        let bundle = self.bundle.parent().unwrap_or(self.bundle);
        let (program, own) = match job.program {
            Program::Harness => {
                let runs = self.folder.join("runs");
                // All that the record speaks of stays, however much there is.
                let keeps = ["--keep-runs".into(), usize::MAX.to_string().into()];
                let places = ["--runs-dir".into(), runs.into(), "--bundle".into(), OsString::from(bundle)];
                (&self.harness, keeps.into_iter().chain(places).collect())
            }
            Program::LoadTests => {
                (&self.loadtests, vec!["--bundle".into(), OsString::from(bundle), "--format".into(), "json".into()])
            }
        };
        let mut args: Vec<OsString> = job.args.iter().map(OsString::from).collect();
        args.extend(own);
        let command = GuardedCommand {
            program: program.clone(),
            args,
            env: std::env::vars_os().collect(),
            cwd: std::env::current_dir().map_err(GateError::Program)?,
            files: Files::AsUsual,
        };
        let (guard, log) = (self.guard.clone(), self.folder.join(format!("{}.log", job.id.replace(':', "-"))));
        Ok(async move {
            let clock = SystemClock::start();
            let (mut process, output) = guard.spawn(&command)?;
            let said = tokio::spawn(said(output));
            let exit = tokio::select! {
                status = process.wait_exit() => Some(Exit::of_status(status?)),
                () = async { drop(leave.wait_for(|leave| *leave == Leave::Stop).await) } => None,
            };
            if exit.is_none() {
                process.stop().await?;
            }
            let [stdout, stderr] = said.await.unwrap_or_default();
            let kept = format!("{stderr}\n{stdout}");
            fs::write(&log, kept).map_err(|source| GateError::Write { path: log, source })?;
            let took = Duration::from_micros(clock.now_us());
            Ok(Ran { at, finished: Finished { exit, stdout, stderr, took } })
        })
    }
}

/// The reason why a gate ended early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    pub by_person: bool,
    pub by_time: bool,
}

/// All that it prints. What cannot be read any more has ended.
async fn said(output: Output) -> [String; 2] {
    let Output { mut stdout, mut stderr } = output;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let _ = tokio::join!(stdout.read_to_end(&mut out), stderr.read_to_end(&mut err));
    [out, err].map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The programs' own files: this one's, and the load tests' beside it.
pub fn beside(program: &Path, name: &str) -> PathBuf {
    program.parent().unwrap_or(Path::new(".")).join(name)
}

/// For a part that was never begun.
#[must_use]
pub fn not_begun() -> Finished {
    Finished { exit: None, stdout: String::new(), stderr: String::new(), took: Duration::ZERO }
}
