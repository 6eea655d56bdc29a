//! What an isolate keeps: the configuration, parsed once, for the variables of a deployed version never change; and the
//! board on which it writes how its facilitators do.

use crate::ports::{randomness::WebCrypto, secrets::WorkerSecrets};
use dispatcher_core::{
    Config,
    config::{ConfigError, Vars},
    paywall::health::Board,
    ports::Randomness,
};
use std::{cell::OnceCell, rc::Rc};
use worker::Env;

thread_local! {
    static BOARD: OnceCell<Rc<Board>> = const { OnceCell::new() };
    static CONFIG: OnceCell<Result<Rc<Config>, ConfigError>> = const { OnceCell::new() };
}

/// The same error every time for a bad configuration: a request can never run on half of one.
pub fn get(env: &Env) -> Result<Rc<Config>, ConfigError> {
    CONFIG.with(|config| config.get_or_init(|| parse(env).map(Rc::new)).clone())
}

/// The one board of the isolate.
pub fn board(config: &Config) -> Rc<Board> {
    let board = || Rc::new(Board::new(&config.facilitators, WebCrypto.seed()));
    BOARD.with(|cell| Rc::clone(cell.get_or_init(board)))
}

fn parse(env: &Env) -> Result<Config, ConfigError> {
    let var = |name| env.var(name).ok().map(|value| value.to_string());
    let vars = Vars {
        environment: var("ENVIRONMENT"),
        tenant_directory: var("TENANT_DIRECTORY"),
        facilitators: var("FACILITATORS"),
    };
    Config::from_vars(&vars, &WorkerSecrets(env))
}
