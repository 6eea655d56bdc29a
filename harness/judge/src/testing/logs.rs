//! The dispatcher's other lines, and what happens to the dispatcher itself.

use super::{Story, TENANT, fault};
use reports::event::{DispatcherAlert, DispatcherRequest, Event, FaultRef, Killing, MachineLoad};

impl Story {
    /// The dispatcher's line for the last exchange.
    pub fn logged(self) -> Self {
        self.logged_with(|_| {})
    }

    pub fn logged_with(self, change: fn(&mut DispatcherRequest)) -> Self {
        let mut line = DispatcherRequest {
            request_id: self.last_request(),
            tenant_id: Some(TENANT.to_owned()),
            route: "GET /".to_owned(),
            status: 402,
            code: None,
            payment: None,
            transaction: None,
            attempts: Vec::new(),
            ms: 1,
        };
        change(&mut line);
        self.then(Event::DispatcherRequest(line))
    }

    pub fn alert(self, alert: &str) -> Self {
        let (tenant_id, source) = (Some(TENANT.to_owned()), Some(self.address.clone()));
        self.then(Event::DispatcherAlert(DispatcherAlert {
            alert: alert.to_owned(),
            tenant_id,
            source,
            quarantined_until_ms: None,
        }))
    }

    pub fn secret_logged(self) -> Self {
        self.then(Event::SecretLogged { what: "a query".to_owned() })
    }

    pub fn tenant_bytes_logged(self) -> Self {
        self.then(Event::TenantBytesLogged { tenant: TENANT.to_owned(), line: String::new() })
    }

    pub fn killed(self) -> Self {
        let kill = FaultRef { on: "dispatcher".to_owned(), ..fault("kill at 1s") };
        self.then(Event::DispatcherKilled(Killing { kill, payment: None }))
    }

    pub fn restarted(self) -> Self {
        self.then(Event::DispatcherStarted)
    }

    /// Records the use of two cores by the run and by others in the second before.
    pub fn machine(self, ours: f64, others: f64) -> Self {
        self.then(Event::MachineLoad(MachineLoad { cores: 2, busy: ours + others, ours }))
    }
}
