//! The tenant directory, and operators.

use super::{Story, TENANT, fault};
use reports::event::{
    DirectoryChange, DirectoryLine, DirectoryNews, DispatcherAlert, Event, FaultRef, OperatorAct, OperatorDoes,
    Recorded, TenantFacts,
};

impl Story {
    /// A version of the directory with the tenant at this price; the first one is there from the start.
    pub fn directory(self, amount: &str, to_be_logged: DirectoryNews) -> Self {
        let tenants = Some(vec![self.tenant(amount)]);
        self.directory_change(tenants, to_be_logged)
    }

    /// One that lists nobody.
    pub fn no_directory(self) -> Self {
        self.directory_change(Some(Vec::new()), DirectoryNews::Adopted)
    }

    /// One that nobody can read.
    pub fn broken_directory(self) -> Self {
        self.directory_change(None, DirectoryNews::Kept)
    }

    fn directory_change(self, tenants: Option<Vec<TenantFacts>>, to_be_logged: DirectoryNews) -> Self {
        let changed = |event: &Recorded| matches!(event.event, Event::DirectoryChanged(_));
        let later = self.events.iter().any(changed);
        let change = later.then(|| FaultRef { on: "directory".to_owned(), ..fault("new-version") });
        self.then(Event::DirectoryChanged(DirectoryChange { change, tenants, to_be_logged }))
    }

    pub fn adopted(self) -> Self {
        self.directory_line("adopted")
    }

    pub fn kept(self) -> Self {
        self.directory_line("kept")
    }

    fn directory_line(self, event: &str) -> Self {
        let line = DirectoryLine { event: event.to_owned(), version: Some(1), why: String::new() };
        self.then(Event::DispatcherDirectory(line))
    }

    /// An operator asked for something, and was answered at once.
    pub fn operator(self, does: OperatorDoes, status: u16) -> Self {
        let act = FaultRef { on: "operator".to_owned(), ..fault("quarantine acme") };
        let (asked_us, tenant) = (self.next(), TENANT.to_owned());
        self.then(Event::OperatorActed(OperatorAct { act, tenant, does, asked_us, status: Some(status) }))
    }

    /// Policy puts the tenant away, until so many milliseconds after the run's start.
    pub fn put_away_by_policy(self, until_ms: u64) -> Self {
        let (alert, tenant_id) = ("tenant_cpu_limit".to_owned(), Some(TENANT.to_owned()));
        let quarantined_until_ms = Some(until_ms);
        self.then(Event::DispatcherAlert(DispatcherAlert { alert, tenant_id, source: None, quarantined_until_ms }))
    }
}
