//! The chain of paper under the official facilitator library.

/// A smart account on the chain of paper whose check of a signature takes longer than a dispatcher waits for `/verify`.
pub const SLOW_ACCOUNT: &str = "0x510e510e510e510e510e510e510e510e510e510e";
