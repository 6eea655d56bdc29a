//! The harness's parts, as a library so that tests can drive each by itself.

pub mod world;
