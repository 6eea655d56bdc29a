//! The Durable Object that knows how all facilitators do: one for the deployment. Wraps the paywall's monitor and adds
//! nothing but the wire. No payment waits for it.

use crate::{
    cached_config,
    ports::{
        clock::WallClock, facilitator_transport::FetchTransport, health_store::DurableHealthStore, log::ConsoleLog,
        object_storage::ObjectStorage, outbox, randomness::WebCrypto,
    },
    prompt,
    wire::{self, HealthAnswer, HealthCall},
};
use dispatcher_core::{
    paywall::{
        health::{Job, Monitor},
        ports::{Clock, LedgerError},
    },
    platform_api,
    ports::{Randomness, TroubleLog},
    telemetry::Trouble,
};
use std::{cell::OnceCell, rc::Rc};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Env, State, worker_sys::DurableObjectState};

#[wasm_bindgen]
pub struct FacilitatorHealth(Rc<Inside>);

struct Inside {
    state: State,
    env: Env,
    monitor: OnceCell<Rc<HealthMonitor>>,
}

type HealthMonitor = Monitor<DurableHealthStore, FetchTransport, WallClock, ConsoleLog>;

#[wasm_bindgen]
impl FacilitatorHealth {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        Self(Rc::new(Inside { state: State::from(state), env, monitor: OnceCell::new() }))
    }

    pub fn ask(&self, frame: Vec<u8>) -> Result<JsValue, JsValue> {
        let inside = Rc::clone(&self.0);
        prompt::answer(async move {
            let (call, _) = wire::unframe(frame)?;
            let told = inside.answer(call).await;
            inside.send_events();
            Ok(wire::answer(told.map(|answer| (answer, Vec::new()))))
        })
    }

    pub fn alarm(&self) -> Result<JsValue, JsValue> {
        let inside = Rc::clone(&self.0);
        prompt::answer(async move {
            let jobs = inside.monitor().map_err(thrown)?.woke().await.map_err(thrown)?;
            inside.start(jobs).map_err(thrown)?;
            inside.send_events();
            Ok(JsValue::UNDEFINED)
        })
    }
}

impl Inside {
    async fn answer(&self, call: HealthCall) -> Result<HealthAnswer, LedgerError> {
        match call {
            HealthCall::Exchange(news) => {
                let (snapshot, jobs) = self.monitor()?.exchange(news).await?;
                self.start(jobs)?;
                Ok(HealthAnswer::Exchanged(snapshot))
            }
            HealthCall::Describe => {
                let config = cached_config::get(&self.env).map_err(|error| LedgerError(error.to_string()))?;
                let known = self.monitor()?.known().await?;
                let told = platform_api::describe_facilitators(&config.facilitators, &known, WallClock.now());
                Ok(HealthAnswer::Described(told))
            }
        }
    }

    /// Beside the answer: a probe of a facilitator that hangs takes seconds, and nobody is to wait for it.
    fn start(&self, jobs: Vec<Job>) -> Result<(), LedgerError> {
        for job in jobs {
            let monitor = Rc::clone(self.monitor()?);
            prompt::keep(self.state.as_raw(), async move {
                if let Err(error) = monitor.run(job).await {
                    ConsoleLog.trouble(&Trouble::HealthUnavailable(error));
                }
            });
        }
        Ok(())
    }

    fn send_events(&self) {
        if let Ok(config) = cached_config::get(&self.env) {
            outbox::send_from(&self.state, &self.env, &config);
        }
    }

    fn monitor(&self) -> Result<&Rc<HealthMonitor>, LedgerError> {
        if let Some(monitor) = self.monitor.get() {
            return Ok(monitor);
        }
        let config = cached_config::get(&self.env).map_err(|error| LedgerError(error.to_string()))?;
        let store = DurableHealthStore::new(ObjectStorage::of(&self.state));
        let facilitators = config.facilitators.clone();
        let monitor = Monitor::new(store, FetchTransport, WallClock, ConsoleLog, facilitators, WebCrypto.seed());
        Ok(self.monitor.get_or_init(|| Rc::new(monitor)))
    }
}

fn thrown(error: LedgerError) -> JsValue {
    js_sys::Error::new(&error.to_string()).into()
}
