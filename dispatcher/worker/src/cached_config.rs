//! What an isolate keeps: the configuration, parsed once, for the variables of a deployed version never change; what it read
//! of the stored tenant directory, who is in quarantine and who comes how often; and the board on which it writes how its facilitators do.

use crate::ports::{
    clock::WallClock, log::ConsoleLog, outbox, randomness::WebCrypto, secrets::WorkerSecrets,
    snapshot_store::KvSnapshots,
};
use dispatcher_core::{
    Config,
    admission::Gate,
    config::{ConfigError, Vars},
    directory::{cache::Cache, stored::Stored},
    log_text,
    paywall::health::Board,
    platform::IsolateMemory,
    ports::{DirectoryLog, Randomness},
    quarantine::Warden,
    telemetry::DirectoryEvent,
};
use std::{cell::OnceCell, rc::Rc};
use worker::Env;

thread_local! {
    static BOARD: OnceCell<Rc<Board>> = const { OnceCell::new() };
    static MEMORY: OnceCell<IsolateMemory> = const { OnceCell::new() };
    static DIRECTORY: OnceCell<Rc<Cache>> = const { OnceCell::new() };
    static CONFIG: OnceCell<Result<Rc<Config>, ConfigError>> = const { OnceCell::new() };
}

/// The same error every time for a bad configuration: a request can never run on half of one.
pub fn get(env: &Env) -> Result<Rc<Config>, ConfigError> {
    outbox::open(env);
    CONFIG.with(|config| config.get_or_init(|| parse(env).map(Rc::new)).clone())
}

/// The one board of the isolate.
pub fn board(config: &Config) -> Rc<Board> {
    let board = || Rc::new(Board::new(&config.facilitators, WebCrypto.seed()));
    BOARD.with(|cell| Rc::clone(cell.get_or_init(board)))
}

/// The memory that requests share.
pub fn memory(config: &Config) -> IsolateMemory {
    let new = || IsolateMemory {
        warden: Rc::new(Warden::new(config.cpu_policy)),
        gate: Rc::new(Gate::new(WebCrypto.seed())),
        board: Some(board(config)),
        token_guard: Rc::default(),
        departures: Rc::default(),
        shelf: Rc::default(),
        outbox: outbox::get(),
        dashboard_host: config.dashboard_host.clone(),
    };
    MEMORY.with(|cell| cell.get_or_init(new).clone())
}

/// The tenants as a request asks for them.
pub fn tenants(env: &Env, config: &Config) -> Stored<KvSnapshots, WallClock, ConsoleLog> {
    let cache = DIRECTORY.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(Cache::new(config.available.clone())))));
    let listed = Rc::clone(&config.directory);
    Stored { listed, cache, store: KvSnapshots::new(env), clock: WallClock, log: ConsoleLog }
}

fn parse(env: &Env) -> Result<Config, ConfigError> {
    let var = |name| env.var(name).ok().map(|value| value.to_string());
    let vars = Vars {
        environment: var("ENVIRONMENT"),
        tenant_directory: var("TENANT_DIRECTORY"),
        facilitators: var("FACILITATORS"),
        cpu_limit_policy: var("CPU_LIMIT_POLICY"),
        chain_rpc_urls: var("CHAIN_RPC_URLS"),
        accept_unresolved: var("ACCEPT_UNRESOLVED"),
        ledger_shards: var("LEDGER_SHARDS"),
        dashboard_host: var("DASHBOARD_HOST"),
    };
    let config = Config::from_vars(&vars, &WorkerSecrets(env.clone()))?;
    for error in config.directory.left_out() {
        let why = log_text::bounded(&format!("TENANT_DIRECTORY: {error}"));
        ConsoleLog.record(&DirectoryEvent { event: "left_out".into(), version: None, why });
    }
    Ok(config)
}
