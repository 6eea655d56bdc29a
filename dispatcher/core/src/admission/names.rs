//! A request as keys: whatever is counted or remembered of it is found by these.

use super::{
    Brings, Visit,
    gate::{Gate, Of},
    source::Source,
    under_way::Levels,
};

/// A request as keys. Zero: it has no such thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    pub from: Option<&'a Source>,
    /// Empty: nobody's.
    pub tenant_id: &'a str,
    pub tenant: u64,
    pub source: u64,
    pub networks: [u64; 2],
    /// Its payment header at this tenant.
    pub header: u64,
    pub path: u32,
    /// Purchases from its source that went well lately.
    pub goodwill: u32,
}

impl Names<'_> {
    /// The widest network that its caller may have to himself.
    pub fn widest(&self) -> u64 {
        if self.networks[1] == 0 { self.source } else { self.networks[1] }
    }

    /// The source and the networks around it.
    pub fn levels(&self) -> Levels {
        [self.source, self.networks[0], self.networks[1]]
    }
}

impl Gate {
    pub(super) fn names<'a>(&self, visit: &Visit<'a>) -> Names<'a> {
        let now = visit.at;
        let tenant_id = visit.tenancy.map_or("", |tenancy| tenancy.id);
        let source = visit.source.map_or(0, |source| self.name(Of::Source, &[source.as_str()]));
        let networks = visit.source.and_then(Source::networks);
        let header = match visit.brings {
            Brings::Payment(header) => self.name(Of::Header, &[tenant_id, header]),
            _ => 0,
        };
        let goodwill = self.seen.borrow().goodwill.get(source).filter(|_| source != 0);
        Names {
            from: visit.source,
            tenant_id,
            tenant: self.name(Of::Tenant, &[tenant_id]),
            source,
            networks: networks.map_or([0; 2], |networks| networks.map(|network| self.network(network))),
            header,
            path: (self.name(Of::Path, &[visit.method, visit.path]) as u32).max(1),
            goodwill: goodwill.map_or(0, |goodwill| goodwill.purchases(now)),
        }
    }
}
