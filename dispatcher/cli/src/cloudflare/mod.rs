//! Cloudflare's API, as far as tenants are uploaded with it.

mod api;
mod script;
mod token;

pub use api::{Api, ApiError};
pub use script::{Module, Script};
pub use token::token;
