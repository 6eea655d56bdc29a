//! What the commands are asked that are about an account at a control plane.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "The token comes on standard input, or in CLAW_CONTROL_TOKEN.\n\n\
    Examples:\n  402claw login https://control.example < token\n  402claw --env prod login https://control.example")]
pub struct LoginArgs {
    /// The control plane
    #[arg(value_name = "URL")]
    pub url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Reads
    Viewer,
    /// Changes tenants
    Operator,
    /// Hands out tokens
    Owner,
}

#[derive(Debug, Subcommand)]
pub enum TokensTask {
    /// List the account's tokens, without their secrets
    List,
    /// Make a token, and print it this once
    Create {
        /// Its name, for people
        #[arg(long)]
        name: String,
        #[arg(long, value_enum)]
        role: RoleName,
        /// Tenant that it reaches; may be given more than once; all of the account's unless given
        #[arg(long = "tenant", value_name = "SLUG")]
        tenants: Vec<String>,
        /// Days for which it counts
        #[arg(long, default_value_t = 90)]
        days: u64,
    },
    /// Make a token count no more
    Revoke { id: String },
}

#[derive(Debug, Subcommand)]
pub enum AccountsTask {
    /// List all accounts; the platform's token is needed
    List,
    /// Make an account, and print its owner's first token; the platform's token is needed
    Create { name: String },
    /// Give an account a host, at which its tenants may stand from then on; the platform's token is needed
    GiveHost { account: String, host: String },
}

#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Only the lines of one tenant
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<String>,
}

impl RoleName {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }
}
