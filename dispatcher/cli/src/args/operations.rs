//! What the commands are asked that look at a running dispatcher.

use clap::Args;

#[derive(Debug, Args)]
#[command(
    after_help = "The token comes in CLAW_PLATFORM_TOKEN.\n\nExamples:\n  402claw telemetry rain --at https://api.example"
)]
pub struct TelemetryArgs {
    #[arg(value_name = "SLUG")]
    pub tenant: String,
    /// The dispatcher's URL
    #[arg(long, value_name = "URL")]
    pub at: String,
}

#[derive(Debug, Args)]
#[command(after_help = "The token comes in CLAW_PLATFORM_TOKEN. Under --format json there is an event a line.\n\n\
    Examples:\n  402claw logs rain --at https://api.example\n  402claw logs --at https://api.example --type settlement_unknown --follow")]
pub struct LogsArgs {
    /// Tenant; all of them unless given
    #[arg(value_name = "SLUG")]
    pub tenant: Option<String>,
    /// The dispatcher's URL
    #[arg(long, value_name = "URL")]
    pub at: String,
    /// Kind of event, such as payment_settled
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// First moment, as 2027-01-15T08:00:00Z, or a day
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Go on until Ctrl-C
    #[arg(long)]
    pub follow: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Without --at it tells of what `402claw dev` has sold. The platform's token comes in CLAW_PLATFORM_TOKEN.\n\n\
    Examples:\n  402claw payouts rain\n  \
    402claw --env prod payouts rain --at https://api.example --from 2026-11-01 --node https://mainnet.base.org"
)]
pub struct PayoutsArgs {
    #[arg(value_name = "SLUG")]
    pub tenant: String,
    /// The dispatcher's URL: its books are read
    #[arg(long, value_name = "URL")]
    pub at: Option<String>,
    /// First day
    #[arg(long, value_name = "DAY", requires = "at")]
    pub from: Option<String>,
    /// Day after the last one
    #[arg(long, value_name = "DAY", requires = "at")]
    pub to: Option<String>,
    /// Node of the chain, which each transaction is looked up at
    #[arg(long, value_name = "URL")]
    pub node: Option<String>,
}
