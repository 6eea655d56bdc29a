//! `harness namespace` end to end: the harness's own program, real workerd processes, real HTTP. The first test to run
//! installs the npm packages where they are missing.

mod answers;
mod concurrency;
mod deploys;
mod leftovers;
mod limits;
mod many_tenants;
mod running;
mod under_wrangler;
