//! The command line. Only what can be asked for stands here.

mod account;
mod cloudflare;
mod operations;

pub use account::{AccountsTask, AuditArgs, LoginArgs, TokensTask};
pub use cloudflare::{DeployDispatcherArgs, GateArgs, PublishArgs, RollbackDispatcherArgs};
pub use operations::{LogsArgs, PayoutsArgs, TelemetryArgs};

use crate::{
    exit::Exit,
    home::{self, Environment},
    money::Usdc,
    output::Format,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// From a CSV to a paid API, and to its money
#[derive(Debug, Parser)]
#[command(name = "402claw", version, arg_required_else_help = true, after_help = after_help())]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// The folder or URL of the tenants
    #[arg(long, global = true, env = "CLAW_HOME", value_name = "DIR", default_value = home::DEFAULT)]
    pub home: PathBuf,
    /// Which money is charged
    #[arg(long = "env", global = true, value_enum, default_value_t = Environment::Test)]
    pub environment: Environment,
    /// How results and errors are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

fn after_help() -> String {
    format!(
        "Examples:\n  402claw init my-api && cd my-api && 402claw dev\n  \
         402claw deploy data.csv --tenant rain --price 0.001 --pay-to 0x...\n  \
         402claw call http://127.0.0.1:8402/t/rain/v1/records --max-price 0.01\n\n{}",
        Exit::LISTED
    )
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a folder that sells something
    Init(InitArgs),
    /// Sell it on this machine, without keys or an account, and buy from it once
    Dev(DevArgs),
    /// Check a data set or a Worker, and put it up for sale
    Deploy(Box<DeployArgs>),
    /// List the tenants
    List,
    /// Print a tenant's record and what it sells
    Show(TenantArgs),
    /// Say how a tenant does: its API, its limits, its last settlements
    Status(StatusArgs),
    /// Print what a running dispatcher has counted of a tenant
    Telemetry(TelemetryArgs),
    /// Print a running dispatcher's events
    Logs(LogsArgs),
    /// Buy one answer, and never the same one twice
    Call(CallArgs),
    /// Print what a tenant was paid, by day
    Payouts(PayoutsArgs),
    /// Give a tenant other limits for a time
    Override(OverrideArgs),
    /// Put a tenant where it does no harm, or bring it back
    Quarantine(QuarantineArgs),
    /// Take a tenant away
    Remove(RemoveArgs),
    /// Print the directory that the dispatcher reads
    ExportTenantDirectory(ExportArgs),
    /// Print every tenant, its price and how to buy from it
    Catalog(CatalogArgs),
    /// Upload a tenant's Worker to the dispatch namespace: a plan, unless --execute
    Publish(PublishArgs),
    /// Deploy the outbound Worker and the dispatcher: a plan, unless --execute
    CloudflareDeployDispatcher(Box<DeployDispatcherArgs>),
    /// Go back to a version of the dispatcher that served before: a plan, unless --execute
    CloudflareRollbackDispatcher(RollbackDispatcherArgs),
    /// Keep tenants at a control plane, where several people share them
    Login(LoginArgs),
    /// Keep tenants in this folder again
    Logout,
    /// List, make and revoke the account's tokens
    #[command(subcommand)]
    Tokens(TokensTask),
    /// List and make accounts
    #[command(subcommand)]
    Accounts(AccountsTask),
    /// Print who changed what
    Audit(AuditArgs),
    /// Find claims about others' fees that have no date
    LintPricing(LintArgs),
    /// Print completions for a shell
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// A CSV file as an API
    Csv,
    /// A JSON file as an API
    Json,
    /// Another API, with a secret header that callers never see
    Proxy,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  402claw init my-api\n  402claw init my-api --template proxy --upstream https://api.example.com --secret-header x-api-key"
)]
pub struct InitArgs {
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    #[arg(long, value_enum)]
    pub template: Option<Template>,
    /// USDC a request
    #[arg(long)]
    pub price: Option<Usdc>,
    /// Address that is paid
    #[arg(long, value_name = "ADDRESS")]
    pub pay_to: Option<String>,
    /// URL of the API behind a proxy
    #[arg(long, value_name = "URL")]
    pub upstream: Option<String>,
    /// Header in which the proxy sends its secret
    #[arg(long, value_name = "NAME")]
    pub secret_header: Option<String>,
    /// Write over files that are there
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  402claw dev\n  402claw dev data.csv --price 0.01\n  402claw dev --once --format json"
)]
pub struct DevArgs {
    /// Data file; what 402claw.json names unless given
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// USDC a request
    #[arg(long)]
    pub price: Option<Usdc>,
    /// Port on this machine; a free one unless given
    #[arg(long)]
    pub port: Option<u16>,
    /// Stop after the first purchase
    #[arg(long)]
    pub once: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flow {
    /// Run the Worker, then settle
    Authorization,
    /// Settle, then run the Worker
    Upfront,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanName {
    Free,
    Pro,
    Business,
    Enterprise,
}

#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:\n  402claw deploy data.csv --tenant rain --price 0.001\n  \
    402claw deploy data.csv --tenant rain --price 0.001 --type zip=text --id station --preview 0\n  \
    402claw --env prod deploy data.csv --tenant rain --price 0.01 --pay-to 0x... --facilitators facilitators.json")]
pub struct DeployArgs {
    /// Data file (.csv, .tsv, .json, .ndjson), or a Worker's module (.mjs, .js)
    #[arg(value_name = "DATASET")]
    pub dataset: Option<PathBuf>,
    /// Slug of the tenant, and the name of its Worker
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<String>,
    /// USDC a request; free without it
    #[arg(long)]
    pub price: Option<Usdc>,
    /// Address that is paid; a test key's own in the test environment unless given
    #[arg(long, value_name = "ADDRESS")]
    pub pay_to: Option<String>,
    #[arg(long, value_enum)]
    pub plan: Option<PlanName>,
    /// Host of the tenant; may be given more than once
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Stand in no public catalogue
    #[arg(long)]
    pub unlisted: bool,
    /// When the payment is settled
    #[arg(long, value_enum)]
    pub x402: Option<Flow>,
    /// CPU milliseconds a request in place of the plan's; needs --subrequests, --reason and --expires
    #[arg(long, value_name = "MS", requires_all = ["subrequests", "reason", "expires"])]
    pub cpu_ms: Option<u32>,
    /// Subrequests a request in place of the plan's
    #[arg(long, value_name = "N", requires = "cpu_ms")]
    pub subrequests: Option<u32>,
    #[arg(long)]
    pub reason: Option<String>,
    /// Until when limits of its own hold, as 2027-01-15T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
    /// Whose tenant it is, for the audit log and `list`
    #[arg(long)]
    pub owner: Option<String>,
    /// The goods, in a sentence
    #[arg(long)]
    pub description: Option<String>,
    /// Type of a column that is not to be inferred, as zip=text
    #[arg(long = "type", value_name = "COLUMN=TYPE")]
    pub kinds: Vec<String>,
    /// Column whose values name rows
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Rows that anybody may see
    #[arg(long, value_name = "N")]
    pub preview: Option<usize>,
    /// Character between fields; found out unless given
    #[arg(long, value_name = "CHAR")]
    pub delimiter: Option<String>,
    /// utf-8, utf-16le, utf-16be or windows-1252; found out unless given
    #[arg(long)]
    pub encoding: Option<String>,
    /// The first row is data
    #[arg(long)]
    pub no_header: bool,
    /// Field that means nothing, such as NA; may be given more than once
    #[arg(long = "null", value_name = "TEXT")]
    pub nulls: Vec<String>,
    /// The deployment's FACILITATORS, as a file; `prod` needs at least two
    #[arg(long, value_name = "FILE")]
    pub facilitators: Option<PathBuf>,
    /// Do not ask facilitators whether they serve this network; the audit log says so
    #[arg(long)]
    pub unchecked_facilitators: bool,
    /// Check everything, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct TenantArgs {
    #[arg(value_name = "SLUG")]
    pub tenant: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  402claw status rain\n  402claw status rain --at http://127.0.0.1:8402")]
pub struct StatusArgs {
    #[arg(value_name = "SLUG")]
    pub tenant: String,
    /// The dispatcher's URL; its API is asked for its schema and its offer, which costs nothing
    #[arg(long, value_name = "URL")]
    pub at: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Pays with the key in CLAW_BUYER_KEY, or with a test key of its own. A call whose outcome stayed open sends the\n\
    same payment when it is run again.\n\nExamples:\n  402claw call http://127.0.0.1:8402/t/rain/v1/records?limit=5 --max-price 0.001"
)]
pub struct CallArgs {
    #[arg(value_name = "URL")]
    pub url: String,
    /// USDC; nothing is signed for more
    #[arg(long, value_name = "USDC", default_value = "0.01")]
    pub max_price: Usdc,
    /// Seconds for which an open outcome is asked about
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub retry_for: u64,
    /// Form of the answer, such as text/csv
    #[arg(long, value_name = "TYPE")]
    pub accept: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  402claw override rain --cpu-ms 100 --subrequests 50 --reason 'launch week' --expires 2027-01-15T08:00:00Z\n  402claw override rain --lift"
)]
pub struct OverrideArgs {
    #[arg(value_name = "SLUG")]
    pub tenant: String,
    #[arg(long, value_name = "MS", required_unless_present = "lift")]
    pub cpu_ms: Option<u32>,
    #[arg(long, value_name = "N", required_unless_present = "lift")]
    pub subrequests: Option<u32>,
    #[arg(long, required_unless_present = "lift")]
    pub reason: Option<String>,
    /// The time, such as 2027-01-15T08:00:00Z
    #[arg(long, value_name = "TIME", required_unless_present = "lift")]
    pub expires: Option<String>,
    #[arg(long)]
    pub author: Option<String>,
    /// Go back to the plan's limits
    #[arg(long, conflicts_with_all = ["cpu_ms", "subrequests", "expires"])]
    pub lift: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The token comes in CLAW_PLATFORM_TOKEN.\n\nExamples:\n  402claw quarantine rain --reason phishing\n  402claw quarantine rain --lift"
)]
pub struct QuarantineArgs {
    #[arg(value_name = "SLUG")]
    pub tenant: String,
    #[arg(long, required_unless_present = "lift")]
    pub reason: Option<String>,
    #[arg(long)]
    pub author: Option<String>,
    #[arg(long)]
    pub lift: bool,
    /// The dispatcher's URL: there it counts within seconds. Without it the record's plan is changed, for the next publishing
    #[arg(long, value_name = "URL")]
    pub at: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct RemoveArgs {
    #[arg(value_name = "SLUG")]
    pub tenant: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// {"tenants": [...]}
    Tenants,
    /// {"byHost": {...}, "bySlug": {...}}
    Maps,
    /// Keys and values of a snapshot, for `wrangler kv bulk put`
    Snapshot,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    #[arg(long, value_enum, default_value_t = Shape::Tenants)]
    pub shape: Shape,
}

#[derive(Debug, Args)]
pub struct CatalogArgs {
    /// Print a page in place of text
    #[arg(long)]
    pub html: bool,
    /// URL that tenants are below
    #[arg(long, value_name = "URL", default_value = "")]
    pub at: String,
}

#[derive(Debug, Args)]
pub struct LintArgs {
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
}
