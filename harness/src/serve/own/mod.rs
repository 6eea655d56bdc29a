//! Workers of the person who tries it, behind the real dispatcher: `serve --tenants DIR`. One folder or one file each. `tenant.json`
//! beside a Worker says what its callers pay; saving a file is a deploy.

mod look;
mod record;
mod said;
mod stage;
mod watch;

pub use look::{OwnWorker, look};
pub use record::Record;
pub use said::say;
pub use stage::Stager;
pub use watch::watch;

use super::options::Environment;
use scenario::{Name, Tenant};
use std::{
    io,
    path::{Path, PathBuf},
};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum OwnError {
    #[error("{} cannot be read", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("there is no Worker that can be served in {}{}{wrong}", folder.display(), if wrong.is_empty() { "" } else { "\n" })]
    #[diagnostic(help("a Worker is a .js, .mjs or .ts file there, or a folder with one called index or worker"))]
    Empty { folder: PathBuf, wrong: String },
    #[error("a price on Base wants `payTo` in {}", .0.display())]
    #[diagnostic(help("without it the money of real callers would go to an address that nobody has the key of"))]
    NoPayTo(PathBuf),
}

/// Workers as the dispatcher's directory is to have them, and what is wrong with the others.
pub struct Listed {
    pub tenants: Vec<Tenant>,
    pub wrong: Vec<String>,
}

/// A folder of Workers as it was when the world was made.
pub struct OwnWorkers {
    pub folder: PathBuf,
    pub workers: Vec<OwnWorker>,
    pub tenants: Vec<Tenant>,
    pub wrong: Vec<String>,
}

/// Looks at the folder before anything is started: what is wrong with it is told at once.
pub fn own_workers(folder: &Path, env: Environment, is_real: bool) -> Result<OwnWorkers, OwnError> {
    let unreadable = |source| OwnError::Folder { folder: folder.to_owned(), source };
    let folder = folder.canonicalize().map_err(unreadable)?;
    let workers = look(&folder).map_err(unreadable)?;
    let Listed { tenants, wrong } = list(&workers);
    if tenants.is_empty() {
        return Err(OwnError::Empty { folder, wrong: wrong.join("\n") });
    }
    let at_risk = |tenant: &&Tenant| tenant.price().is_some() && tenant.pay_to().is_none();
    if let Some(tenant) = tenants.iter().find(at_risk).filter(|_| is_real && env == Environment::Prod) {
        return Err(OwnError::NoPayTo(folder.join(tenant.id().as_str())));
    }
    Ok(OwnWorkers { folder, workers, tenants, wrong })
}

/// Reads each Worker's record. One that is wrong is left out alone.
pub fn list(workers: &[OwnWorker]) -> Listed {
    let mut listed = Listed { tenants: Vec::new(), wrong: Vec::new() };
    for worker in workers {
        match tenant(worker) {
            Ok(tenant) => listed.tenants.push(tenant),
            Err(why) => listed.wrong.push(format!("`{}` is not served: {why}", worker.name)),
        }
    }
    listed
}

fn tenant(worker: &OwnWorker) -> Result<Tenant, String> {
    let id = Name::new(&worker.name).ok_or("its name is no tenant's: lower-case letters, digits and single hyphens")?;
    let record = Record::read(worker.settings().as_deref()).map_err(|error| error.to_string())?;
    Ok(record.tenant(id))
}

/// A tenant's record in words, for the person who saved it.
pub fn terms(tenant: &Tenant) -> String {
    let price = tenant.price().map_or_else(|| "free".to_owned(), |price| format!("{} atomic USDC", price.atomic()));
    let hosts = if tenant.hosts().is_empty() { String::new() } else { format!(", {}", tenant.hosts().join(" ")) };
    format!("{}, {price}{hosts}", tenant.plan().as_str())
}
