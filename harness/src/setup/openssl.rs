//! OpenSSL's headers, which worker-build's own dependencies compile against. The one requirement that set-up does not
//! provide: it belongs to the system, and set-up leaves the system as it was. Looked for first, so that a machine without
//! it is told at once and not after minutes of compiling.

use std::{env, path::PathBuf, process::Command};

use super::{Found, Requirement, SetupError, Site, worker_build::WorkerBuild};

pub struct OpensslHeaders;

impl Requirement for OpensslHeaders {
    fn name(&self) -> &'static str {
        "openssl headers"
    }

    fn wanted(&self) -> String {
        "any version".to_owned()
    }

    fn found(&self, site: &Site) -> Option<Found> {
        let by_hand =
            || Some(Found { what: "OPENSSL_DIR".to_owned(), path: PathBuf::from(env::var_os("OPENSSL_DIR")?) });
        let compiled = || {
            let worker_build = WorkerBuild.found(site)?;
            Some(Found { what: "not needed: worker-build is compiled".to_owned(), path: worker_build.path })
        };
        compiled().or_else(by_hand).or_else(by_pkg_config)
    }

    fn mend(&self) -> &'static str {
        "install OpenSSL's development package and pkg-config (Debian: libssl-dev pkg-config), or set OPENSSL_DIR"
    }

    fn doing(&self) -> &'static str {
        "looked for"
    }

    fn provide(&self, _: &Site) -> Result<(), SetupError> {
        Err(SetupError::SystemLacks { requirement: self.name(), mend: self.mend() })
    }
}

/// A search for OpenSSL as openssl-sys does it.
fn by_pkg_config() -> Option<Found> {
    let ask = |flag: &str| {
        let output = Command::new("pkg-config").args([flag, "openssl"]).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    Some(Found { what: ask("--modversion")?, path: PathBuf::from(ask("--variable=includedir")?) })
}
