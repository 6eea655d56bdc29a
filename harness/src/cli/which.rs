//! Which scenarios a command is about, and what their runs are held to.

use clap::Args;
use reports::level::Level;
use scenario::{Profile, Selection};

/// One scenario, or several.
#[derive(Debug, Args)]
pub struct WhichArgs {
    /// Name of a scenario, or the path of a .toml file
    #[arg(value_name = "NAME", required_unless_present_any = SEVERAL, conflicts_with_all = SEVERAL)]
    pub scenario: Option<String>,
    /// Every scenario of the library, or every one of a profile or tag, one after another
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub select: SelectArgs,
}

/// Asks for more than one scenario, which have seeds and run directories of their own.
pub const SEVERAL: [&str; 3] = ["all", "profile", "tags"];

#[derive(Debug, Args)]
pub struct SelectArgs {
    /// Only the scenarios that this gate runs
    #[arg(long, value_enum)]
    profile: Option<Profile>,
    /// Only the scenarios with this tag; given more than once, those with any of them
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

impl SelectArgs {
    pub fn selection(&self) -> Selection {
        Selection { profile: self.profile, tags: self.tags.clone() }
    }
}

/// Options for what a run is held to.
#[derive(Debug, Args)]
pub struct BarArgs {
    /// Hold the run to what is a `should` as well
    #[arg(long)]
    strict: bool,
}

impl BarArgs {
    pub fn gate(&self) -> Level {
        if self.strict { Level::Should } else { Level::Must }
    }
}
