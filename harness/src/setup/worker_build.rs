//! worker-build, workers-rs's own build command: it turns the Worker crate into the bundle that wrangler serves and
//! deploys. Same major and minor version as the `worker` crate.

use super::{Found, Requirement, SetupError, Site, cargo_tool::CargoTool, versions};

pub struct WorkerBuild;

const TOOL: CargoTool<'static> = CargoTool { name: "worker-build", version: versions::WORKER_BUILD };

impl Requirement for WorkerBuild {
    fn name(&self) -> &'static str {
        "worker-build"
    }

    fn wanted(&self) -> String {
        versions::WORKER_BUILD.to_owned()
    }

    fn found(&self, site: &Site) -> Option<Found> {
        TOOL.found(site)
    }

    fn mend(&self) -> &'static str {
        "run `harness setup`; cargo must reach its registry, and OpenSSL's headers must be installed (libssl-dev)"
    }

    fn doing(&self) -> &'static str {
        "compiling (once per version, about 2 minutes on 2 cores)"
    }

    fn provide(&self, site: &Site) -> Result<(), SetupError> {
        TOOL.install(site, &["worker-build", "--version", versions::WORKER_BUILD])
    }
}
