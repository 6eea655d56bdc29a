//! The configuration, parsed once per isolate: the variables of a deployed version never change.

use dispatcher_core::{
    Config,
    config::{ConfigError, Vars},
};
use std::{cell::OnceCell, rc::Rc};
use worker::Env;

thread_local! {
    static CONFIG: OnceCell<Result<Rc<Config>, ConfigError>> = const { OnceCell::new() };
}

/// The same error every time for a bad configuration: a request can never run on half of one.
pub fn get(env: &Env) -> Result<Rc<Config>, ConfigError> {
    CONFIG.with(|config| config.get_or_init(|| parse(env).map(Rc::new)).clone())
}

fn parse(env: &Env) -> Result<Config, ConfigError> {
    let var = |name| env.var(name).ok().map(|value| value.to_string());
    Config::from_vars(&Vars {
        environment: var("ENVIRONMENT"),
        tenant_directory: var("TENANT_DIRECTORY"),
        facilitators: var("FACILITATORS"),
    })
}
