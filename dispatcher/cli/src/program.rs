//! Programs beside this one, which it starts as git starts its subcommands.

use crate::{exit::Exit, failure::Failure};
use std::{env, path::PathBuf};

/// The program that the variable names, or the one of that name beside this one or on the `PATH`.
pub fn find(name: &str, variable: &str, help: &str) -> Result<PathBuf, Failure> {
    if let Some(named) = env::var_os(variable) {
        return Ok(PathBuf::from(named));
    }
    let beside = env::current_exe().ok().and_then(|own| own.parent().map(|folder| folder.join(name)));
    let on_path = env::var_os("PATH")
        .into_iter()
        .flat_map(|path| env::split_paths(&path).map(|folder| folder.join(name)).collect::<Vec<_>>());
    beside.into_iter().chain(on_path).find(|path| path.is_file()).ok_or_else(|| {
        let what = format!("{name} is not there, neither beside this program nor on the PATH");
        Failure::new(Exit::Failed, what).help(help)
    })
}
