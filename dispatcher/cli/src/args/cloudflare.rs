//! What the commands are asked that act at Cloudflare.

use clap::Args;
use std::path::PathBuf;

/// The account, and whether to act
#[derive(Debug, Args)]
pub struct CloudflareArgs {
    /// Cloudflare account
    #[arg(long, env = "CLOUDFLARE_ACCOUNT_ID", value_name = "ID")]
    pub account: String,
    /// Do it
    #[arg(long)]
    pub execute: bool,
    /// Cloudflare's API, or a double of it
    #[arg(long, value_name = "URL", default_value = "https://api.cloudflare.com/client/v4", hide = true)]
    pub api: String,
}

/// On whose word something goes out
#[derive(Debug, Args)]
pub struct GateArgs {
    /// Verdict of the release gate over what is uploaded
    #[arg(long, value_name = "FILE", conflicts_with = "without_gate")]
    pub gate: Option<PathBuf>,
    /// Go without one, and why; recorded
    #[arg(long, value_name = "REASON")]
    pub without_gate: Option<String>,
    /// Built dispatcher: a folder with index.js and index_bg.wasm
    #[arg(long, value_name = "DIR", default_value = "dispatcher/worker/build")]
    pub bundle: PathBuf,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The API token comes in CLOUDFLARE_API_TOKEN, in the file of CLOUDFLARE_API_TOKEN_FILE, whose mode is 0600, or \
    from the system's keyring.\n\n\
    Examples:\n  402claw publish rain --account ID --dispatch-namespace tenants\n  \
    402claw publish rain --account ID --dispatch-namespace tenants --execute --gate gate.json"
)]
pub struct PublishArgs {
    #[arg(value_name = "SLUG")]
    pub tenant: String,
    #[command(flatten)]
    pub cloudflare: CloudflareArgs,
    #[arg(long, value_name = "NAME", default_value = "tenants")]
    pub dispatch_namespace: String,
    /// Built Worker of data sets: a folder with index.js and index_bg.wasm
    #[arg(long, value_name = "DIR", default_value = "dispatcher/dataset-worker/build")]
    pub worker: PathBuf,
    #[command(flatten)]
    pub gate: GateArgs,
    /// Upload it though it is there already, as after a change of a secret
    #[arg(long)]
    pub again: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "It uploads the folders as they are: build them, and let the gate judge them, before.\n\
    Secrets come from the environment, each under its own name.\n\n\
    Examples:\n  402claw cloudflare-deploy-dispatcher --account ID --platform-host '*.tenants.example'\n  \
    402claw cloudflare-deploy-dispatcher --account ID --platform-host '*.tenants.example' --secret PLATFORM_TOKEN --execute --gate gate.json\n  \
    402claw cloudflare-deploy-dispatcher --account ID --percent 10 --execute --gate gate.json")]
pub struct DeployDispatcherArgs {
    #[command(flatten)]
    pub cloudflare: CloudflareArgs,
    #[command(flatten)]
    pub gate: GateArgs,
    /// Requests in a hundred that the new version serves
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub percent: u32,
    /// The dispatcher's configuration
    #[arg(long, value_name = "FILE", default_value = "dispatcher/worker/wrangler.jsonc")]
    pub config: PathBuf,
    /// Folder of a Worker that the dispatcher may name, with its wrangler.jsonc and its build; may be given more than once
    #[arg(long, value_name = "DIR", default_values = ["dispatcher/outbound", "dispatcher/telemetry-worker"])]
    pub beside: Vec<PathBuf>,
    /// Host of the platform's own, which no tenant may ask; may be given more than once
    #[arg(long = "platform-host", value_name = "HOST")]
    pub platform_hosts: Vec<String>,
    /// Secret whose value is in the environment under this name; may be given more than once
    #[arg(long = "secret", value_name = "NAME")]
    pub secrets: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  402claw cloudflare-rollback-dispatcher --account ID --reason 'p95 doubled'\n  \
    402claw cloudflare-rollback-dispatcher --account ID --reason 'p95 doubled' --to VERSION --execute")]
pub struct RollbackDispatcherArgs {
    #[command(flatten)]
    pub cloudflare: CloudflareArgs,
    /// Version to go back to; the one that served all requests last unless given
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Recorded
    #[arg(long)]
    pub reason: String,
    /// Go back though secrets have changed since
    #[arg(long)]
    pub despite_secrets: bool,
    /// The dispatcher's configuration, for its name
    #[arg(long, value_name = "FILE", default_value = "dispatcher/worker/wrangler.jsonc")]
    pub config: PathBuf,
}
