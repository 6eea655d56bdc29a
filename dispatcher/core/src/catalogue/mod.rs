//! The public catalogue: what is sold here, for how much, how well it runs, and how to buy it. [`entry`] says it of one tenant,
//! [`page`] shows entries to people, [`request`] reads what was asked, and [`shelf`] keeps answers for a moment.
//!
//! Surprising: a page of a stored directory is one of its buckets. So a page costs one read, whether there are ten tenants or a
//! million, and tenants stand in the order of their names' hashes. `402claw catalog` shows a seller's own tenants by the same code.

pub mod entry;
pub mod page;
pub mod request;
pub mod shelf;

pub use entry::{Entry, Uptime, bazaar, document};
pub use request::{Asked, Form, PATH};
