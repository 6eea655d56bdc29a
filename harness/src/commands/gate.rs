//! `harness gate`: runs a profile and writes its record, or decides by one.

use super::{
    CommandError,
    preparation::{loadtests_program, make_run_dir, provide, runtime, setting_up},
    words,
};
use crate::{
    cli::{FormatArgs, GateArgs, GateTask},
    exit::Exit,
    gate::{self as running, Cut, GateError, Ran, Runner},
    live::Tools,
    play::EVENTS,
    setup,
};
use dispatcher_core::log_text::is_plain;
use gate::{Budgets, FileDigest, GateRecord, Job, JobRecord, Key, Outcome, Profile, Refusal, Seal};
use reports::{Run, report::Report};
use scenario::Library;
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};
use system::{
    clock::{Clock, SystemClock},
    folders::{self, workspace_root, write_private},
    guard::Guard,
    output::{errln, out, outln},
    progress::Headway,
};

/// The outbound Worker's name at Cloudflare.
const OUTBOUND: &str = "402claw-outbound";
/// The part in which the outbound Worker is run as it ships.
const OUTBOUND_JOB: &str = "live:egress-policy";

pub fn gate(args: &GateArgs) -> Result<Exit, CommandError> {
    match args.task() {
        GateTask::Run => run(args),
        GateTask::Plan => plan(args),
        GateTask::Schema => {
            out!("{}", gate::schema());
            Ok(Exit::Pass)
        }
        GateTask::Verify { record, bundle } => verify(args, record, bundle),
        GateTask::Canary(metrics) => canary(metrics, args.print),
    }
}

fn planned(profile: Profile) -> Result<Vec<Job>, CommandError> {
    Ok(gate::plan(profile, &running::scenarios(&Library::find())?))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn plan(args: &GateArgs) -> Result<Exit, CommandError> {
    let profile = running::profile(args.profile);
    let jobs = planned(profile)?;
    let estimate = gate::runs_for(&jobs, cores());
    if args.print.is_json() {
        let parts =
            jobs.iter().map(|job| json!({"id": job.id, "estimate_s": job.estimate.as_secs(), "args": job.args}));
        let parts: Vec<_> = parts.collect();
        let told = json!({"profile": profile, "estimate_s": estimate.as_secs(), "time_s": profile.time().as_secs(), "parts": parts});
        outln!("{told:#}");
        return Ok(Exit::Pass);
    }
    for (needs, stage) in gate::stages(&jobs) {
        let at_once = gate::at_once(needs, cores());
        outln!("{} parts, {at_once} at once", stage.len());
        for job in stage {
            outln!("  {:>5} s  {}", job.estimate.as_secs_f64().ceil(), job.id);
        }
    }
    let minutes = |time: Duration| time.as_secs().div_ceil(60);
    outln!("about {} min on {} cores, of {} at most", minutes(estimate), cores(), minutes(profile.time()));
    Ok(Exit::Pass)
}

/// The subject of the gate, read before anything runs.
struct Ground {
    bundle: Vec<FileDigest>,
    beside: BTreeMap<String, Vec<FileDigest>>,
    config: Vec<FileDigest>,
    wrangler_jsonc: PathBuf,
    entry: PathBuf,
}

fn run(args: &GateArgs) -> Result<Exit, CommandError> {
    let key = args.key.as_deref().map(Key::new).transpose().map_err(GateError::Key)?;
    let profile = running::profile(args.profile);
    let jobs = planned(profile)?;
    let runtime = runtime()?;
    let (tools, bundle) = runtime.block_on(provide())?;
    let loadtests = runtime.block_on(setting_up(loadtests_program))?;
    let run_dir = make_run_dir(None, &format!("gate-{}", profile.as_str()))?;
    let folder = run_dir.path();
    let files = running::bundle_files(&bundle.dir)?;
    let ground = Ground {
        bundle: digests(&files),
        beside: beside(&tools, &jobs)?,
        config: running::config_files(&tools.wrangler_jsonc)?,
        wrangler_jsonc: tools.wrangler_jsonc,
        entry: running::copy_bundle(&files, &folder.join("bundle"))?,
    };
    let machine = runtime.block_on(running::machine());
    let source = running::source(folders::given_bundle().is_some());
    let started_at_ms = running::now_ms();
    let runner = Runner {
        guard: Guard::this_program(),
        harness: std::env::current_exe().map_err(GateError::Program)?,
        loadtests,
        bundle: &ground.entry,
        folder,
        cores: cores(),
        time: args.time.unwrap_or_else(|| profile.time()),
    };
    let (cut, records, reports) = run_parts(&runtime, &runner, &jobs, args)?;
    let (mut verdict, mut reasons) = gate::verdict_of(&records);
    // What was judged must still be what lies there.
    if running::config_files(&ground.wrangler_jsonc)? != ground.config {
        verdict = Outcome::Fail;
        reasons.push("the configuration changed while the gate ran".to_owned());
    }
    let found = setup::diagnose(&workspace_root())?;
    let record = GateRecord {
        schema: gate::GATE_SCHEMA,
        run: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        profile,
        verdict,
        reasons,
        partial: cut != Cut::default() || !args.only.is_empty(),
        started_at_ms,
        ended_at_ms: running::now_ms(),
        jobs: records,
        bundle: ground.bundle,
        beside: ground.beside,
        config: ground.config,
        source,
        tools: found.into_iter().filter_map(|tool| Some((tool.name.to_owned(), tool.found?))).collect(),
        fidelity: fidelity(&reports),
        machine,
        seal: Seal::default(),
    }
    .sealed(key.as_ref());
    let path = args.out.clone().unwrap_or_else(|| folder.join("gate.json"));
    let json = reports::json::render(&record).map_err(CommandError::Json)?;
    write_private(&path, &json).map_err(|source| GateError::Write { path: path.clone(), source })?;
    if let Some(summary) = &args.summary {
        append(summary, &gate::markdown(&record))?;
    }
    let ran = record.jobs.iter().filter(|job| job.counts_as() != Outcome::NotRun).count();
    let exit = if cut.by_person { Exit::Interrupted } else { running::exit(verdict, ran) };
    let parts = running::parts_report(&record, exit);
    let runs = reports.iter().map(|report| Run::with_events_in(report, Path::new(&report.run_dir).join(EVENTS)));
    let all: Vec<_> = std::iter::once(Run::without_events(&parts)).chain(runs).collect();
    args.report.write(&all)?;
    if args.print.is_json() {
        out!("{json}");
    } else {
        words(&gate::table(&record));
        outln!("  record  {}", path.display());
    }
    Ok(exit)
}

fn digests(files: &running::BundleFiles) -> Vec<FileDigest> {
    files.iter().map(|(name, content)| FileDigest::of(name, content)).collect()
}

/// The outbound Worker, if a scenario of the live tier runs it.
fn beside(tools: &Tools, jobs: &[Job]) -> Result<BTreeMap<String, Vec<FileDigest>>, CommandError> {
    if !jobs.iter().any(|job| job.id == OUTBOUND_JOB) {
        return Ok(BTreeMap::new());
    }
    let folder = tools.outbound_index_js.parent().unwrap_or(Path::new("."));
    Ok(BTreeMap::from([(OUTBOUND.to_owned(), digests(&running::bundle_files(folder)?))]))
}

type Parts = (Cut, Vec<JobRecord>, Vec<Report>);

fn run_parts(
    runtime: &tokio::runtime::Runtime,
    runner: &Runner<'_>,
    jobs: &[Job],
    args: &GateArgs,
) -> Result<Parts, CommandError> {
    let wanted: Vec<Job> = jobs
        .iter()
        .filter(|job| args.only.is_empty() || args.only.iter().any(|only| job.id.starts_with(only.as_str())))
        .cloned()
        .collect();
    let clock = SystemClock::start();
    let (mut records, mut reports) = (Vec::new(), Vec::new());
    let (mut short, mut far) = (0, Duration::ZERO);
    let headway = Headway::of(wanted.iter().map(|job| job.estimate.as_secs()).sum());
    let mut tell = |ran: Ran| {
        let (record, report) = running::job_record(&wanted[ran.at], &ran.finished);
        short += usize::from(record.counts_as() != Outcome::Pass);
        let passed = Duration::from_micros(clock.now_us()).as_secs();
        let done = records.len() + 1;
        errln!("[{done}/{}, {passed} s, {short} short] {:<7} {}", wanted.len(), record.counts_as().as_str(), record.id);
        if record.counts_as() != Outcome::Pass {
            errln!("    {}", record.says);
        }
        far += wanted[ran.at].estimate;
        headway.at(far.as_secs(), &format!("{done} of {} parts, {short} short", wanted.len()));
        records.push(record);
        reports.extend(report);
    };
    let cut = runtime.block_on(runner.run(&wanted, &|what| errln!("{what}"), &mut tell))?;
    // In the plan's order, those that were never begun among them.
    let all = jobs.iter().map(|job| {
        let ran = records.iter().find(|record| record.id == job.id).cloned();
        ran.unwrap_or_else(|| running::job_record(job, &running::not_begun()).0)
    });
    Ok((cut, all.collect(), reports))
}

/// The real parts and the doubles of all runs together.
fn fidelity(reports: &[Report]) -> Vec<String> {
    let mut lines: Vec<String> = reports.iter().flat_map(|report| report.fidelity.clone()).collect();
    lines.sort();
    lines.dedup();
    // Lines that name a run's own facilitators say the same of each.
    lines.retain(|line| !line.contains("facilitator doubles ") && !line.contains("facilitators primary"));
    lines
}

fn append(path: &Path, text: &str) -> Result<(), GateError> {
    let written = OpenOptions::new().create(true).append(true).open(path);
    let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| GateError::Write { path: path.to_owned(), source })
}

fn verify(args: &GateArgs, path: &Path, bundle: &Path) -> Result<Exit, CommandError> {
    let key = args.key.as_deref().map(Key::new).transpose().map_err(GateError::Key)?;
    let text = fs::read_to_string(path).map_err(|source| GateError::Read { path: path.to_owned(), source })?;
    let record: GateRecord =
        serde_json::from_str(&text).map_err(|source| GateError::NoRecord { path: path.to_owned(), source })?;
    let files = running::bundle_files(bundle)?;
    let found = gate::Found {
        bundle: digests(&files),
        config: running::config_files(&workspace_root().join("dispatcher/worker/wrangler.jsonc"))?,
    };
    let commit = args.commit.clone().or_else(|| running::source(false).commit);
    let jobs: Vec<String> = planned(record.profile)?.into_iter().map(|job| job.id).collect();
    let asked = gate::Asked {
        at_least: running::profile(args.profile),
        max_age: args.max_age,
        key: key.as_ref(),
        commit: commit.as_deref(),
        jobs: &jobs,
        now_ms: running::now_ms(),
    };
    let refusals = gate::verify(&record, &asked, &found);
    told(&refusals, &record, key.is_some(), args.print);
    Ok(if refusals.is_empty() { Exit::Pass } else { Exit::RuleBroken })
}

fn told(refusals: &[Refusal], record: &GateRecord, has_key: bool, print: FormatArgs) {
    let lines = lines_of(refusals);
    if print.is_json() {
        outln!(
            "{:#}",
            json!({"may_be_deployed": lines.is_empty(), "reasons": lines, "run": record.run, "signed": has_key})
        );
        return;
    }
    if lines.is_empty() {
        outln!("it may be deployed: {} passed on this bundle", plain(&record.run));
    } else {
        outln!("it may not be deployed:");
        lines.iter().for_each(|line| outln!("  {line}"));
    }
    if !has_key {
        errln!("without a key the seal shows a mistake and no malice: whoever can edit the record can seal it anew");
    }
}

/// A line for each. A record is a file that anybody may have written: nothing in it may clear the screen, or look like a line of ours.
fn lines_of(refusals: &[Refusal]) -> Vec<String> {
    refusals.iter().map(|refusal| plain(&refusal.to_string())).collect()
}

/// Text with what a terminal would obey told in letters.
fn plain(text: &str) -> String {
    text.chars().flat_map(|one| if is_plain(one) { vec![one] } else { one.escape_default().collect() }).collect()
}

fn canary(metrics: &Path, print: FormatArgs) -> Result<Exit, CommandError> {
    let read = |path: PathBuf| fs::read_to_string(&path).map_err(|source| GateError::Read { path, source });
    let budgets =
        Budgets::parse(&read(workspace_root().join("loadtests/budgets.toml"))?).map_err(GateError::Budgets)?;
    let analysis = gate::canary::judge(&read(metrics.to_owned())?, &budgets.canary);
    if print.is_json() {
        out!("{}", reports::json::render(&analysis).map_err(CommandError::Json)?);
    } else {
        outln!("{:?}: {}", analysis.phase, analysis.message);
        for measured in &analysis.measurements {
            outln!(
                "  {:<12} {}: {}; {}",
                format!("{:?}", measured.phase),
                measured.metric,
                measured.value,
                measured.budget
            );
        }
    }
    Ok(match analysis.phase {
        gate::canary::Phase::Successful => Exit::Pass,
        gate::canary::Phase::Failed => Exit::RuleBroken,
        gate::canary::Phase::Inconclusive => Exit::Unknown,
        gate::canary::Phase::Error => Exit::Usage,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_no_pass_does_not_look_like_one() {
        let reasons = "\u{1b}[2J\u{1b}[Hit may be deployed: all passed\n\u{202e}x".to_owned();
        let told = lines_of(&[Refusal::NotPassed { verdict: Outcome::Fail, reasons }]);
        assert!(told.len() == 1 && told[0].chars().all(is_plain), "{told:?}");
        assert!(told[0].starts_with("the verdict is "), "{told:?}");
    }
}
