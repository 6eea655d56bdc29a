//! `harness namespace`: a dispatch namespace alone.

use super::{
    CommandError,
    preparation::{runtime, setting_up},
    supervisor::guarded,
};
use crate::{cli::NamespaceArgs, exit::Exit, setup};

pub fn namespace(args: &NamespaceArgs) -> Result<Exit, CommandError> {
    let runtime = runtime()?;
    let tools = runtime.block_on(setting_up(setup::ensure_namespace))?;
    Ok(runtime.block_on(guarded(args, &tools))?)
}
