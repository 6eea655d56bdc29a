//! `harness new`: a scenario to start from, which runs and passes as it is, and says of each part what could stand there.
//! Never writes over a file.

use scenario::{Library, Name};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};
use system::folders;

const STARTER: &str = include_str!("../../assets/starter.toml");

/// The starter's own id.
const ITS_ID: &str = "\"starter\"";

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum NewError {
    #[error("`{0}` cannot name a scenario")]
    #[diagnostic(help("lower-case letters, digits and single hyphens, as in `settle-then-hang`"))]
    Name(String),
    #[error("there is {} already", .0.display())]
    #[diagnostic(help("take another name, or change that file"))]
    Taken(PathBuf),
    #[error("{} cannot be written", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
}

/// Writes it to `output`, or to where a new one belongs, and says where it stands.
pub fn start(name: &str, output: Option<&Path>) -> Result<PathBuf, NewError> {
    let name = Name::new(name).ok_or_else(|| NewError::Name(name.to_owned()))?;
    keep(output.map_or_else(|| place(&name), Path::to_owned), &starter(&name))
}

/// The path of a new scenario of that name: among those of one's own, or else in the working directory.
pub fn place(name: &Name) -> PathBuf {
    match folders::scenarios_of_ones_own() {
        Some(root) => Library::new(root.join("scenarios")).path(name),
        None => PathBuf::from(format!("{name}.toml")),
    }
}

/// Writes a new scenario. What is there already stays as it is.
pub fn keep(path: PathBuf, text: &str) -> Result<PathBuf, NewError> {
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = folder.and_then(|()| File::create_new(&path)).and_then(|mut file| {
        let written = file.write_all(text.as_bytes());
        if written.is_err() {
            // Half of it would be in the way of the next attempt, and of every list of scenarios.
            let _ = std::fs::remove_file(&path);
        }
        written
    });
    match written {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(NewError::Taken(path)),
        Err(source) => Err(NewError::Unwritable { path, source }),
    }
}

fn starter(name: &Name) -> String {
    STARTER.replacen(ITS_ID, &format!("\"{name}\""), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenario::{Profile, Scenario};

    fn folder(of: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("402claw-new-{of}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn the_starter_is_a_scenario_of_that_name() {
        let folder = folder("starter");
        let path = start("my-first", Some(&folder.join("my-first.toml"))).map_err(miette::Report::new).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let scenario = Scenario::parse("my-first.toml", &text).map_err(miette::Report::new).expect("it is valid");
        assert_eq!((scenario.id().as_str(), scenario.profile()), ("my-first", Profile::Nightly));
        assert!(!scenario.faults().is_empty() && !scenario.musts().is_empty());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_is_there_is_left_as_it_is() {
        let folder = folder("taken");
        let at = folder.join("mine.toml");
        let path = start("mine", Some(&at)).map_err(miette::Report::new).unwrap();
        std::fs::write(&path, "mine").unwrap();
        assert!(matches!(start("mine", Some(&at)), Err(NewError::Taken(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "Mine", "my.scenario", "a/b", "../a", "-a", "a--b"] {
            assert!(matches!(start(name, None), Err(NewError::Name(_))), "{name:?}");
        }
    }
}
