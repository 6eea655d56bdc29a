//! HTTP with servers that are not ours: bounded in time and size, and in the form that a person asked for.

pub mod bounded;
pub mod request_form;
