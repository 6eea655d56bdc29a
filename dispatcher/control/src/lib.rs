//! The control plane: accounts, tokens, tenants, and who changed what. What may be asked, and by whom, is the table in `routes.rs`;
//! everything that decides is pure, and `database.rs` has every statement.
//!
//! Surprising constraint: whoever may not see a tenant is told that there is none. A 403 would say that it exists.

mod answer;
mod database;
mod handlers;
pub mod permission;
mod record;
pub mod routes;
pub mod token;
mod web;

use worker::{Context, Env, Result, event};

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _: Context) -> Result<web_sys::Response> {
    web::serve(request, &env).await
}
