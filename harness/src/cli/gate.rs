//! `harness gate`: what is to be run, or what is to be decided about a run that is over.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{FormatArgs, ReportArgs, duration::duration};
use scenario::Profile;

/// How old a record may be: a day.
const MAX_AGE: &str = "1440m";

#[derive(Debug, Args)]
pub struct GateArgs {
    /// How much to run
    #[arg(long, value_enum, default_value_t = Profile::Pr)]
    pub profile: Profile,
    /// Show what would be run, and for how long
    #[arg(long, conflicts_with_all = ["verify", "canary"])]
    plan: bool,
    /// Say whether the bundle in a folder may be deployed on the word of a record; reasons against it are told
    #[arg(long, num_args = 2, value_names = ["GATE.JSON", "BUNDLE"], conflicts_with = "canary")]
    verify: Vec<PathBuf>,
    /// Judge a flat JSON of metrics of the old version and the new one, in the words of Argo Rollouts
    #[arg(long, value_name = "METRICS.JSON")]
    canary: Option<PathBuf>,
    /// Print the JSON Schema of a record
    #[arg(long, conflicts_with_all = ["plan", "verify", "canary"])]
    schema: bool,
    /// The file for the record; gate.json in the gate's folder under runs/ unless given
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The file for a summary in Markdown, such as "$GITHUB_STEP_SUMMARY"; it is added to the file
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// After how long nothing more is begun; the profile's own unless given
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// Run only the parts whose name begins so; the rest counts as not run. May be given more than once
    #[arg(long = "only", value_name = "PART")]
    pub only: Vec<String>,
    /// Secret that signs a record and checks its signature
    #[arg(long, env = "HARNESS_GATE_KEY", value_name = "KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// The commit that is to be deployed, for --verify; the checkout's own unless given
    #[arg(long, value_name = "SHA", requires = "verify")]
    pub commit: Option<String>,
    /// How old a record may be, for --verify
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = MAX_AGE)]
    pub max_age: Duration,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// The options of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateTask<'a> {
    Run,
    Plan,
    Schema,
    Verify { record: &'a PathBuf, bundle: &'a PathBuf },
    Canary(&'a PathBuf),
}

impl GateArgs {
    pub fn task(&self) -> GateTask<'_> {
        match (&self.verify[..], &self.canary) {
            ([record, bundle], _) => GateTask::Verify { record, bundle },
            (_, Some(metrics)) => GateTask::Canary(metrics),
            _ if self.plan => GateTask::Plan,
            _ if self.schema => GateTask::Schema,
            _ => GateTask::Run,
        }
    }
}
