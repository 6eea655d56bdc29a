//! `wasm-bindgen` as worker-build calls it, and nothing more: wasm-bindgen's own `wasm-bindgen-cli-support` behind the
//! flags of the official command.
//!
//! Why not `cargo install wasm-bindgen-cli`: that package also carries a browser test runner with an HTTP server and a
//! TLS stack (four times the crates), and its published lock file does not resolve against every registry mirror.
//! A flag that is not known here is an error, never ignored: a wrong bundle must not come out silently.

use std::{env, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut args = env::args().skip(1);
    let mut bindgen = Bindgen::new();
    let mut out_dir = None;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--version" | "-V" => {
                println!("wasm-bindgen {}", env!("CARGO_PKG_VERSION"));
                return Ok(());
            }
            "--out-dir" => out_dir = Some(PathBuf::from(value(&mut args, &arg)?)),
            "--out-name" => {
                bindgen.out_name(&value(&mut args, &arg)?);
            }
            "--target" => match value(&mut args, &arg)?.as_str() {
                "module" => {
                    bindgen.module(true)?;
                }
                "bundler" => {
                    bindgen.bundler(true)?;
                }
                other => bail!("--target {other} is not one that worker-build asks for"),
            },
            "--typescript" => {
                bindgen.typescript(true);
            }
            "--no-typescript" => {
                bindgen.typescript(false);
            }
            "--debug" => {
                bindgen.debug(true);
            }
            "--no-demangle" => {
                bindgen.demangle(false);
            }
            "--keep-debug" => {
                bindgen.keep_debug(true);
            }
            "--experimental-reset-state-function" => {
                bindgen.reset_state_function(true);
            }
            "--force-enable-abort-handler" => {
                bindgen.force_enable_abort_handler(true);
            }
            flag if flag.starts_with('-') => bail!("unknown flag {flag}"),
            input => {
                bindgen.input_path(input);
            }
        }
    }
    bindgen.generate(out_dir.context("--out-dir is missing")?)
}

fn value(args: &mut impl Iterator<Item = String>, flag: &str) -> Result<String> {
    args.next().with_context(|| format!("{flag} needs a value"))
}
