//! The Durable Object that knows how all facilitators do: one for the deployment. Wraps the paywall's monitor and adds
//! nothing but the wire. No payment waits for it.

use crate::{
    cached_config,
    ports::{
        clock::WallClock, facilitator_transport::FetchTransport, health_store::DurableHealthStore, log::ConsoleLog,
        object_storage::ObjectStorage, outbox, randomness::WebCrypto,
    },
    wire::{self, HealthAnswer, HealthCall, Outcome},
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
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

#[durable_object(alarm)]
pub struct FacilitatorHealth {
    state: State,
    env: Env,
    monitor: OnceCell<Rc<HealthMonitor>>,
}

type HealthMonitor = Monitor<DurableHealthStore, FetchTransport, WallClock, ConsoleLog>;

impl DurableObject for FacilitatorHealth {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, monitor: OnceCell::new() }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (call, _) = wire::unframe(request.bytes().await?)?;
        let outcome = self.answer(call).await.map_or_else(|error| Outcome::Failed(error.to_string()), Outcome::Done);
        self.send_events();
        Response::from_bytes(wire::frame(&outcome, &[]))
    }

    async fn alarm(&self) -> Result<Response> {
        let jobs = self.monitor()?.woke().await.map_err(thrown)?;
        self.start(jobs)?;
        self.send_events();
        Response::empty()
    }
}

impl FacilitatorHealth {
    async fn answer(&self, call: HealthCall) -> Result<HealthAnswer> {
        match call {
            HealthCall::Exchange(news) => {
                let (snapshot, jobs) = self.monitor()?.exchange(news).await.map_err(thrown)?;
                self.start(jobs)?;
                Ok(HealthAnswer::Exchanged(snapshot))
            }
            HealthCall::Describe => {
                let config = cached_config::get(&self.env).map_err(|error| error.to_string())?;
                let known = self.monitor()?.known().await.map_err(thrown)?;
                let told = platform_api::describe_facilitators(&config.facilitators, &known, WallClock.now());
                Ok(HealthAnswer::Described(told))
            }
        }
    }

    /// Beside the answer: a probe of a facilitator that hangs takes seconds, and nobody is to wait for it.
    fn start(&self, jobs: Vec<Job>) -> Result<()> {
        for job in jobs {
            let monitor = Rc::clone(self.monitor()?);
            self.state.wait_until(async move {
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

    fn monitor(&self) -> Result<&Rc<HealthMonitor>> {
        if let Some(monitor) = self.monitor.get() {
            return Ok(monitor);
        }
        let config = cached_config::get(&self.env).map_err(|error| error.to_string())?;
        let store = DurableHealthStore::new(ObjectStorage::of(&self.state));
        let facilitators = config.facilitators.clone();
        let monitor = Monitor::new(store, FetchTransport, WallClock, ConsoleLog, facilitators, WebCrypto.seed());
        Ok(self.monitor.get_or_init(|| Rc::new(monitor)))
    }
}

fn thrown(error: LedgerError) -> worker::Error {
    error.to_string().into()
}
